"""Certificates: the standard's profile of X.509 for signing and key agreement (later editions, 9.2.3.4.7).

A certificate binds a public key to a system title and to one use. :class:`Certificate`
reads one and refuses what the profile does not allow; :meth:`Trust.verify` follows it
to a trust anchor at a given time. There is no clock here: the time is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.curves import hash_of, public_octets, suite_of_curve
from cosem.security.requests import is_request
from cosem.security.suites import SecuritySuite

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["Certificate", "CertificateUse", "Trust"]

_TITLE: Final = re.compile(r"[0-9A-F]{16}", re.IGNORECASE)
_KNOWN_EXTENSIONS: Final = frozenset(
    {
        "2.5.29.35",
        "2.5.29.14",
        "2.5.29.15",
        "2.5.29.32",
        "2.5.29.17",
        "2.5.29.18",
        "2.5.29.19",
        "2.5.29.37",
        "2.5.29.31",
    }
)
_SIGNATURES: Final = {"1.2.840.10045.4.3.2": 32, "1.2.840.10045.4.3.3": 48}
"""ecdsa-with-SHA256 and ecdsa-with-SHA384, with the size of the issuer's coordinates."""
_HARDWARE_MODULE_NAME: Final = "1.3.6.1.5.5.7.8.4"
_LONGEST_SERIAL: Final = 20
_LONGEST_PATH: Final = 4
_LONGEST_OCTETS: Final = 16384


class CertificateUse(IntEnum):
    """What the key of an end entity is for: certificate_type of Security setup."""

    DIGITAL_SIGNATURE = 0
    KEY_AGREEMENT = 1
    TLS = 2


class Certificate:
    """A certificate that follows the profile; its signature is not checked here.

    Args:
        octets: The certificate, DER.

    Raises:
        VerificationError: It is no certificate of the profile; says why.
    """

    __slots__ = ("_algorithm", "_certificate", "_names", "_validity", "octets", "public_key", "suite")

    def __init__(self, octets: bytes) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

        if len(octets) > _LONGEST_OCTETS:
            raise VerificationError(f"a certificate of {len(octets)} octets")
        self.octets = bytes(octets)
        try:
            self._certificate: x509.Certificate = x509.load_der_x509_certificate(self.octets)
            key: Any = self._certificate.public_key()
            extensions = list(self._certificate.extensions)
            # The library reads names and times when asked for: ask now, while faults are expected.
            self._names = self._certificate.subject, self._certificate.issuer
            self._validity = self._certificate.not_valid_before_utc, self._certificate.not_valid_after_utc
            self._algorithm = self._certificate.signature_algorithm_oid.dotted_string
        except Exception as error:  # noqa: BLE001 -- the library raises a dozen of its own kinds
            what = (
                ", but a request for one: an authority has to sign it first"
                if is_request(self.octets)
                else ""
            )
            raise VerificationError(f"no certificate{what or f': {type(error).__name__}'}") from None
        suite = suite_of_curve(key.curve.name) if isinstance(key, EllipticCurvePublicKey) else None
        if suite is None:
            raise VerificationError("the key of the certificate is on neither P-256 nor P-384")
        self.suite: SecuritySuite = suite
        self.public_key = public_octets(key)
        self._check(extensions)

    def _check(self, extensions: Iterable[Any]) -> None:
        from cryptography.x509 import Version

        certificate = self._certificate
        if certificate.version is not Version.v3:
            raise VerificationError("the certificate is not of version 3")
        if (
            certificate.serial_number.bit_length() + 8
        ) // 8 > _LONGEST_SERIAL or certificate.serial_number <= 0:
            raise VerificationError(
                "the serial number of the certificate is not positive, or beyond 20 octets"
            )
        # The signature is the end of the octets. Its BIT STRING has no unused bits; nobody signs that octet.
        if self.octets[-len(certificate.signature) - 1]:
            raise VerificationError("the signature of the certificate has a part of an octet")
        if self._algorithm not in _SIGNATURES:
            raise VerificationError(
                "the certificate is signed by neither ECDSA with SHA-256 nor with SHA-384"
            )
        for extension in extensions:
            if extension.critical and extension.oid.dotted_string not in _KNOWN_EXTENSIONS:
                raise VerificationError(
                    f"the certificate has an unknown critical extension {extension.oid.dotted_string}"
                )
        usage = self._usage()
        if self.is_authority:
            if not usage.key_cert_sign:
                raise VerificationError("the certificate of an authority does not sign certificates")
        elif usage.key_cert_sign:
            raise VerificationError("the certificate signs certificates, and is not that of an authority")

    def _usage(self) -> x509.KeyUsage:
        from cryptography.x509 import ExtensionNotFound, KeyUsage

        try:
            found = self._certificate.extensions.get_extension_for_class(KeyUsage)
        except ExtensionNotFound:
            raise VerificationError("the certificate does not say what its key is for") from None
        if not found.critical:
            raise VerificationError("key usage has to be critical")
        return found.value

    @property
    def is_authority(self) -> bool:
        """Whether it is that of a certification authority."""
        from cryptography.x509 import BasicConstraints, ExtensionNotFound

        try:
            found = self._certificate.extensions.get_extension_for_class(BasicConstraints)
        except ExtensionNotFound:
            return False
        return found.value.ca

    @property
    def path_length(self) -> int | None:
        """How many authorities may follow below this one; ``None`` for any number, and for end entities."""
        from cryptography.x509 import BasicConstraints, ExtensionNotFound

        try:
            return self._certificate.extensions.get_extension_for_class(BasicConstraints).value.path_length
        except ExtensionNotFound:
            return None

    @property
    def serial_number(self) -> int:
        """Unique for each issuer."""
        return self._certificate.serial_number

    @property
    def issuer(self) -> str:
        """Distinguished name of the issuer (RFC 4514)."""
        return self._names[1].rfc4514_string()

    @property
    def issuer_octets(self) -> bytes:
        """Distinguished name of the issuer, DER."""
        return self._names[1].public_bytes()

    @property
    def subject(self) -> str:
        """Distinguished name of the subject (RFC 4514)."""
        return self._names[0].rfc4514_string()

    @property
    def subject_alternative_name(self) -> bytes:
        """The content of subjectAltName, DER; empty where there is none."""
        from cryptography.x509 import ExtensionNotFound, SubjectAlternativeName

        try:
            return self._certificate.extensions.get_extension_for_class(
                SubjectAlternativeName
            ).value.public_bytes()
        except ExtensionNotFound:
            return b""

    @property
    def uses(self) -> frozenset[CertificateUse]:
        """What the key is for; nothing for an authority."""
        usage = self._usage()
        if self.is_authority:
            return frozenset()
        signs, agrees = usage.digital_signature, usage.key_agreement
        if signs and agrees:
            return frozenset({CertificateUse.TLS})
        found = set()
        if signs:
            found.add(CertificateUse.DIGITAL_SIGNATURE)
        if agrees:
            found.add(CertificateUse.KEY_AGREEMENT)
        return frozenset(found)

    @property
    def system_title(self) -> bytes | None:
        """The system title of the subject: its common name, or the serial number of its hardware module.

        Raises:
            VerificationError: The two contradict each other.
        """
        from cryptography.x509.oid import NameOID

        names = self._names[0].get_attributes_for_oid(NameOID.COMMON_NAME)
        titles = {
            bytes.fromhex(name.value)
            for name in names
            if isinstance(name.value, str) and _TITLE.fullmatch(name.value)
        }
        module = self._hardware_module()
        if module is not None:
            titles.add(module)
        if len(titles) > 1:
            raise VerificationError("the certificate names two system titles")
        return next(iter(titles), None)

    def _hardware_module(self) -> bytes | None:
        """Return hwSerialNum of the HardwareModuleName in subjectAltName (RFC 4108)."""
        from cryptography.x509 import ExtensionNotFound, OtherName, SubjectAlternativeName

        try:
            names = self._certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        except ExtensionNotFound:
            return None
        for name in names.get_values_for_type(OtherName):
            # HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }
            if name.type_id.dotted_string == _HARDWARE_MODULE_NAME and name.value[-10:-8] == b"\x04\x08":
                return name.value[-8:]
        return None

    @property
    def valid_until(self) -> datetime:
        """The last moment of the validity, UTC."""
        return self._validity[1]

    def is_valid_at(self, moment: datetime) -> bool:
        """Return whether a moment is within the validity.

        Raises:
            ConfigurationError: The moment has no time zone.
        """
        if moment.tzinfo is None:
            raise ConfigurationError("the moment of a validity has a time zone")
        begin, end = self._validity
        return begin <= moment.astimezone(UTC) <= end

    def is_named_as_issuer_of(self, other: Certificate) -> bool:
        """Return whether ``other`` says that the subject of this certificate issued it."""
        return bool(other._names[1] == self._names[0])

    def check_signature_of(self, other: Certificate) -> None:
        """Check that ``other`` was issued and signed with the key of this certificate.

        Raises:
            VerificationError: It was not, or by an algorithm weaker than its own key.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

        if not self.is_named_as_issuer_of(other):
            raise VerificationError("the certificate names another issuer")
        if _SIGNATURES[other._algorithm] != self.suite.coordinate_size:
            raise VerificationError("the hash of the signature does not fit the key of the issuer")
        if other.suite > self.suite:
            raise VerificationError("a key on P-384 has to be signed by one on P-384")
        key: Any = self._certificate.public_key()
        try:
            key.verify(
                other._certificate.signature,
                other._certificate.tbs_certificate_bytes,
                ECDSA(hash_of(self.suite)),
            )
        except InvalidSignature:
            raise VerificationError("the signature of the certificate does not match") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.octets == other.octets

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"<Certificate {self.subject} issued by {self.issuer}>"


class Trust:
    """The authorities that are trusted, and the path from a certificate to one of them.

    Args:
        anchors: Root certificates, trusted because they were installed.
        intermediates: Certificates of authorities that have to be followed to an anchor themselves.
    """

    def __init__(self, anchors: Iterable[Certificate], intermediates: Iterable[Certificate] = ()) -> None:
        self._anchors = tuple(anchors)
        self._intermediates = tuple(intermediates)

    def verify(
        self,
        certificate: Certificate,
        moment: datetime,
        *,
        use: CertificateUse,
        system_title: bytes,
        suite: SecuritySuite | None = None,
    ) -> bytes:
        """Return the public key x ‖ y of a certificate, after every check of the profile.

        Args:
            certificate: That of an end entity.
            moment: Now, with its time zone.
            use: What the key is wanted for.
            system_title: Whose key is wanted.
            suite: The suite in force, if its curve matters.

        Raises:
            VerificationError: The key is not to be used; says why.
        """
        if certificate.is_authority:
            raise VerificationError("the certificate is that of an authority")
        if use not in certificate.uses:
            raise VerificationError(
                f"the key of the certificate is not for {use.name.lower().replace('_', ' ')}"
            )
        if certificate.system_title != system_title:
            raise VerificationError("the certificate is of another system title")
        if suite is not None and certificate.suite is not suite:
            raise VerificationError(f"the key of the certificate does not belong to suite {suite.value}")
        self._follow(certificate, moment)
        return certificate.public_key

    def verify_authority(self, certificate: Certificate, moment: datetime) -> None:
        """Check the certificate of an authority, which has to stand below an anchor.

        Raises:
            VerificationError: It is not to be used; says why.
        """
        if not certificate.is_authority:
            raise VerificationError("the certificate is not that of an authority")
        self._follow(certificate, moment)

    def _follow(self, certificate: Certificate, moment: datetime) -> None:
        """Follow a certificate to an anchor.

        Raises:
            VerificationError: There is no way, or none that is valid now.
        """
        for below in range(_LONGEST_PATH):
            if not certificate.is_valid_at(moment):
                raise VerificationError("the certificate, or one above it, is not valid now")
            issuer = self._issuer_of(certificate, below)
            if issuer in self._anchors:
                if not issuer.is_valid_at(moment):
                    raise VerificationError("the certificate of the trusted authority is not valid now")
                return
            certificate = issuer
        raise VerificationError(f"the path has {_LONGEST_PATH} authorities, and none of them is trusted")

    def _issuer_of(self, certificate: Certificate, below: int) -> Certificate:
        """Return the authority that issued a certificate.

        Raises:
            VerificationError: There is none; says what was wrong with the last one tried.
        """
        problem = "no trusted authority issued the certificate"
        for authority in self._named_issuers_of(certificate):
            objection = _objection(authority, certificate, below)
            if objection is None:
                return authority
            problem = objection
        raise VerificationError(problem)

    def _named_issuers_of(self, certificate: Certificate) -> Iterator[Certificate]:
        for authority in (*self._anchors, *self._intermediates):
            if authority.is_named_as_issuer_of(certificate) and authority != certificate:
                yield authority

    def valid_until(self, certificate: Certificate, below: int = 0) -> datetime | None:
        """Return how long a certificate is vouched for, by the path that lasts longest.

        Args:
            certificate: Of anybody.
            below: How many authorities stand below it on the path already.

        Returns:
            The last moment, UTC, at which it and all above it have not expired; ``None`` if nobody who is trusted
            vouches for it, at any time.
        """
        if below == _LONGEST_PATH:
            return None
        ends = []
        for authority in self._named_issuers_of(certificate):
            if _objection(authority, certificate, below) is not None:
                continue
            trusted = authority in self._anchors
            end = authority.valid_until if trusted else self.valid_until(authority, below + 1)
            if end is not None:
                ends.append(min(end, certificate.valid_until))
        return max(ends, default=None)


def _objection(authority: Certificate, certificate: Certificate, below: int) -> str | None:
    """Return why an authority cannot have issued a certificate; ``None`` if it can."""
    if not authority.is_authority:
        return "the certificate was issued by an end entity"
    try:
        authority.check_signature_of(certificate)
    except VerificationError as error:
        return str(error)
    if authority.path_length is not None and authority.path_length < below:
        return "the path to the trusted authority is longer than it allows"
    return None
