"""The certificates that a server holds: its own, and those of clients, authorities and others (class_id 64)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from cosem.classes.standard.security_setup import CertificateEntity, CertificateType
from cosem.errors import CosemError, VerificationError
from cosem.security.certificates import Certificate, CertificateUse, Trust

if TYPE_CHECKING:
    from cosem.security.suites import SecuritySuite

__all__ = ["HeldCertificates"]

_MOST: int = 64


class HeldCertificates:
    """Certificates, one for each subject and use; that of an authority for each of its names.

    Args:
        own_title: System title of the server.
        anchors: Those of the authorities that are trusted because they were installed; never imported or removed.
        certificates: The others.

    Attributes:
        on_change: Called with all but the anchors before that changes: puts them to rest. What it raises stops the
            change.
        clock: Returns the time of the meter, with its zone; ``None``, or its ``None``, for no time: then certificates
            do not expire. A Security setup object puts that of its logical device here.
    """

    def __init__(
        self, own_title: bytes, anchors: Iterable[Certificate] = (), certificates: Iterable[Certificate] = ()
    ) -> None:
        self._own_title = own_title
        self._anchors = tuple(anchors)
        self._held: list[Certificate] = []
        self._lenders: list[tuple[datetime, Certificate]] | None = None
        self.on_change: Callable[[tuple[Certificate, ...]], None] | None = None
        self.clock: Callable[[], datetime | None] | None = None
        for each in certificates:
            self.put(each)

    def __iter__(self) -> Iterator[Certificate]:
        return iter((*self._anchors, *self._held))

    def entity_of(self, certificate: Certificate, client_titles: Iterable[bytes] = ()) -> CertificateEntity:
        """Return whose certificate it is."""
        if certificate.is_authority:
            return CertificateEntity.CERTIFICATION_AUTHORITY
        if certificate.system_title == self._own_title:
            return CertificateEntity.SERVER
        return (
            CertificateEntity.CLIENT
            if certificate.system_title in set(client_titles)
            else CertificateEntity.OTHER
        )

    @staticmethod
    def use_of(certificate: Certificate) -> CertificateType:
        """Return what its key is for: ``OTHER`` for an authority."""
        return CertificateType(int(next(iter(certificate.uses), CertificateType.OTHER)))

    @property
    def trust(self) -> Trust:
        """The anchors, and the authorities below them."""
        return Trust(self._anchors, [each for each in self._held if each.is_authority])

    def check(self, certificate: Certificate, moment: datetime, suite: SecuritySuite) -> None:
        """Check that a certificate may be imported: an anchor vouches for it, now.

        Args:
            certificate: That of an end entity or of an authority.
            moment: Now, with its time zone.
            suite: The suite in force.

        Raises:
            VerificationError: It may not.
        """
        if certificate.is_authority:
            self.trust.verify_authority(certificate, moment)
            return
        title = certificate.system_title
        if title is None:
            raise VerificationError("the certificate names no system title")
        use = next(iter(certificate.uses), None)
        if use is None:
            raise VerificationError("the certificate does not say what its key is for")
        self.trust.verify(certificate, moment, use=use, system_title=title, suite=suite)

    def put(self, certificate: Certificate) -> None:
        """Hold a certificate, in place of the one of the same subject and use.

        Raises:
            VerificationError: There is no room for another one.
        """
        self._change([*self._beside(certificate), certificate])

    def _beside(self, certificate: Certificate) -> list[Certificate]:
        """Return those that stay when a certificate comes."""
        kept = [each for each in self._held if not _replaces(certificate, each)]
        if len(kept) >= _MOST:
            raise VerificationError(f"{_MOST} certificates are held already")
        return kept

    def _change(self, held: list[Certificate]) -> None:
        self._put_to_rest(held)
        self._hold(held)

    def _hold(self, held: list[Certificate]) -> None:
        self._held = held
        self._lenders = None

    def _put_to_rest(self, held: list[Certificate]) -> None:
        if self.on_change is not None:
            self.on_change(tuple(held))

    @contextmanager
    def replacing(self, certificate: Certificate) -> Iterator[None]:
        """Hold a certificate once the key that it is for is at rest, which happens meanwhile.

        Until then the one that it replaces is held, and both are at rest: a process that ends in between finds the one
        whose key it has. Where something fails, all is as before.

        Raises:
            VerificationError: There is no room for another one.
        """
        kept = self._beside(certificate)
        self._put_to_rest([*self._held, certificate])
        try:
            yield
        except BaseException:
            with suppress(CosemError):  # what is there too much is for a key that never was
                self._put_to_rest(self._held)
            raise
        self._hold([*kept, certificate])
        with suppress(CosemError):  # likewise
            self._put_to_rest(self._held)

    def remove(self, certificate: Certificate) -> bool:
        """Forget a certificate; return whether it could be: not an anchor, and not one of the server itself."""
        if certificate not in self._held or _title_of(certificate) == self._own_title:
            return False
        self._change([each for each in self._held if each != certificate])
        return True

    def by_entity(self, entity: int, use: int, title: bytes) -> Certificate | None:
        """Return the certificate of an entity, by its use and its system title."""
        for each in self:
            authority = each.is_authority
            named = _title_of(each) == title or (authority and not title)
            if (
                named
                and authority is (entity == CertificateEntity.CERTIFICATION_AUTHORITY)
                and self.use_of(each) == use
            ):
                return each
        return None

    def by_serial(self, serial: bytes, issuer: bytes) -> Certificate | None:
        """Return the certificate of a serial number and an issuer.

        Args:
            serial: The octets of the number, or the element of DER that holds them.
            issuer: Its distinguished name as text (RFC 4514) or in DER.
        """
        if serial[:1] == b"\x02" and len(serial) > 2 and serial[1] == len(serial) - 2:
            candidates = {int.from_bytes(serial[2:], "big"), int.from_bytes(serial, "big")}
        else:
            candidates = {int.from_bytes(serial, "big")}
        for each in self:
            if each.serial_number in candidates and issuer in (each.issuer.encode(), each.issuer_octets):
                return each
        return None

    def signers(
        self, *, without: Certificate | None = None, with_one: Certificate | None = None
    ) -> set[bytes]:
        """Return the titles of others whose signatures could be verified if a certificate went, or another came."""
        held = self._held if with_one is None else [*self._beside(with_one), with_one]
        left = HeldCertificates(self._own_title, self._anchors)
        left._held = [each for each in held if each != without]
        left.clock = self.clock
        return set(left.public_keys()[0])

    def expired(self) -> int:
        """Return how many certificates that lend public keys have expired: another number, other public keys.

        Cheap enough to be asked for each message.
        """
        lenders = self._vouched_for()
        moment = None if self.clock is None or not lenders else self.clock()
        if moment is None:
            return 0
        return sum(moment > end for end, _ in lenders)

    def public_keys(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """Return the public keys of others by system title: those that sign, and those that agree.

        Only those of certificates for which an anchor vouches, through authorities that are held now; and none where
        the certificate or one above it has expired. One that is not valid yet was valid when it was imported: the
        clock went back since then.
        """
        signing: dict[bytes, bytes] = {}
        agreement: dict[bytes, bytes] = {}
        lenders = self._vouched_for()
        for _, each in lenders[self.expired() :]:
            title = _title_of(each)
            if title is None:
                continue
            if CertificateUse.DIGITAL_SIGNATURE in each.uses:
                signing[title] = each.public_key
            elif CertificateUse.KEY_AGREEMENT in each.uses:
                agreement[title] = each.public_key
        return signing, agreement

    def _vouched_for(self) -> list[tuple[datetime, Certificate]]:
        """Return the certificates of others with the end of each, the first to expire first."""
        if self._lenders is None:
            trust, found = self.trust, []
            for each in self._held:
                others = not each.is_authority and _title_of(each) not in (None, self._own_title)
                end = trust.valid_until(each) if others else None
                if end is not None:
                    found.append((end, each))
            self._lenders = sorted(found, key=lambda pair: pair[0])
        return self._lenders


def _title_of(certificate: Certificate) -> bytes | None:
    """Return the system title of a certificate that is held; ``None`` for one whose names contradict each other.

    Only a title that a certificate lends a key to must be beyond doubt; an authority's is not looked at when it comes.
    """
    try:
        return certificate.system_title
    except VerificationError:
        return None


def _replaces(new: Certificate, old: Certificate) -> bool:
    return (new.subject, _title_of(new), new.uses, new.is_authority) == (
        old.subject,
        _title_of(old),
        old.uses,
        old.is_authority,
    )
