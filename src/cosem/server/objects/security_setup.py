"""Security setup at the server: how clients change policy, keys and certificates (Blue Book, class_id 64).

A request changes everything that it asks for, or nothing. What was changed holds from
the next APDU on. Every refusal of what a client sent is other-reason: a wrong key, a
wrong signature and an unknown certificate look the same from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from cosem.association.server.indications import MethodOutcome
from cosem.classes.standard.security_setup import (
    CertificateEntity,
    CertificateIdentification,
    CertificateInfo,
    CertificateType,
    KeyId,
    SecuritySetup,
    SecuritySetupVersion0,
)
from cosem.errors import ConfigurationError, CosemError, KeyMissingError, VerificationError
from cosem.security.key_material import Key, KeyRole, PrivateKey
from cosem.security.policy import SecurityPolicyV0
from cosem.security.suites import SecuritySuite
from cosem.server.objects.base import CosemObject, Outcome, ReadResult
from cosem.types.data import ABSENT, DataValue, Enum, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult

if TYPE_CHECKING:
    from datetime import datetime

    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.association import ServerAssociation
    from cosem.security.certificates import Certificate
    from cosem.server.held_security import HeldSecurity
    from cosem.types.data import Absent
    from cosem.types.logical_name import LogicalName

__all__ = ["SecuritySetupObject", "security_setup_object"]

_FIELDS: Final = {
    KeyId.GLOBAL_UNICAST_ENCRYPTION: "encryption",
    KeyId.GLOBAL_BROADCAST_ENCRYPTION: "broadcast",
    KeyId.AUTHENTICATION: "authentication",
    KeyId.MASTER: "master",
}
_KEY_PAIRS: Final = {
    CertificateType.DIGITAL_SIGNATURE: "signing",
    CertificateType.KEY_AGREEMENT: "key_agreement",
}
_MOST_KEYS: Final = 4
_R = DataAccessResult


class SecuritySetupObject(CosemObject):
    """The part that both versions share; :func:`security_setup_object` makes one of a version."""

    held: HeldSecurity

    def __init__(self, held: HeldSecurity, logical_name: LogicalName | str) -> None:
        object.__setattr__(self, "held", held)
        object.__setattr__(self, "_new_pairs", {})
        super().__init__(logical_name)
        held.certificates.clock = self._moment

    def _moment(self) -> datetime | None:
        return None if self.device is None else self.device.now()

    _new_pairs: dict[int, PrivateKey]
    """Key pairs that were generated and are not certified yet, by use."""

    # --- attributes ---------------------------------------------------------------------------------------

    def get(
        self,
        number: int,
        selection: SelectiveAccessDescriptor | None = None,
        association: ServerAssociation | None = None,
    ) -> Outcome[ReadResult]:
        """Return an attribute; the system title of the client is that of whoever asks."""
        if number == 4 and selection is None:
            title = None if association is None else association.context.client_title
            return OctetString(title or self.held.client_title or self.held.keys.client_title or b"")
        return super().get(number, selection, association)

    def get_security_policy(self) -> Enum:
        """Return the policy of the moment."""
        return Enum(int(self.held.policy))

    def get_security_suite(self) -> Enum:
        """Return the suite."""
        return Enum(self.held.keys.suite)

    def get_server_system_title(self) -> OctetString:
        """Return our system title."""
        return OctetString(self.held.title)

    def set(
        self, number: int, value: DataValue, association: ServerAssociation | None = None
    ) -> Outcome[DataAccessResult]:
        """Write the system title of the client, for associations in which it is not sent; nothing else."""
        del association
        if number != 4:
            return _R.READ_WRITE_DENIED
        if not isinstance(value, bytes) or len(value) != 8:
            return _R.TYPE_UNMATCHED
        try:
            self.held.name_client(bytes(value))
        except CosemError:
            return _R.OTHER_REASON
        return _R.SUCCESS

    # --- methods ------------------------------------------------------------------------------------------

    def call(
        self,
        number: int,
        parameters: DataValue | Absent = ABSENT,
        association: ServerAssociation | None = None,
    ) -> Outcome[MethodOutcome]:
        """Call a method; what fails changes nothing."""
        method = self.method(number)
        if method is None:
            return MethodOutcome(ActionResult.OBJECT_UNDEFINED)
        if parameters is ABSENT or method.parameter_type.mismatch(parameters) is not None:
            return MethodOutcome(ActionResult.TYPE_UNMATCHED)
        parameter = method.parameter_type.read(parameters)
        function: Callable[[Any, Any], Any] = getattr(self, f"_{_METHODS[method.name]}")
        try:
            returned = function(parameter, association)
        except _WrongTypeError:
            return MethodOutcome(ActionResult.TYPE_UNMATCHED)
        except (CosemError, ValueError):
            return MethodOutcome(ActionResult.OTHER_REASON)
        if method.return_type is None:
            return MethodOutcome()
        return MethodOutcome(ActionResult.SUCCESS, method.return_type.coerce(returned))

    def _activate(self, policy: Any, association: object) -> None:
        del association
        self.held.strengthen(int(policy))

    def _transfer(self, keys: Any, association: object) -> None:
        """Take keys that were wrapped with the master key of now, also where that is replaced by the same request."""
        del association
        from cosem.security.key_wrap import KeyEncryptionKey

        master = KeyEncryptionKey(self.held.keys.required(KeyRole.MASTER))
        size = SecuritySuite(self.held.keys.suite).key_size
        changes: dict[str, Any] = {}
        for name, wrapped in self._listed(keys):
            octets = master.unwrap(wrapped)
            if len(octets) != size:
                raise VerificationError(f"a key of {len(octets)} octets, {size} are wanted")
            changes[name] = Key(octets)
        self.held.change_keys(**changes)

    def _listed(self, keys: Any) -> list[tuple[str, bytes]]:
        """Return what a list of keys names: each key once."""
        known = {number: name for number, name in _FIELDS.items() if self.version or name != "master"}
        if not 1 <= len(keys) <= _MOST_KEYS:
            raise ConfigurationError("a list of 1 to 4 keys is wanted")
        listed = [(known.get(key_id), bytes(octets)) for key_id, octets in map(tuple, keys)]
        names = [name for name, _ in listed]
        if None in names or len(set(names)) < len(names):
            raise ConfigurationError("an unknown key, or one key twice")
        return [(str(name), octets) for name, octets in listed]

    def _agree(self, halves: Any, association: ServerAssociation | None) -> list[tuple[int, bytes]]:
        """Agree on keys by C(2e,0s): the client's ephemeral keys come signed, and so go ours."""
        from cosem.security.agreement import (
            agreed_key,
            ephemeral_key,
            ephemeral_random_size,
            open_key_data,
            sign_key_data,
        )
        from cosem.security.kdf import KeyAlgorithm

        held, keys = self.held, self.held.keys
        suite = SecuritySuite(keys.suite)
        client = keys.client_title if association is None else association.context.client_title
        client = client or held.client_title
        if suite is SecuritySuite.AES_GCM_128 or client is None:
            raise ConfigurationError("suite 0 has no key agreement, or the client is nobody")
        signing = keys.signing_key()
        signer = held.certificates.public_keys()[0].get(bytes(client), keys.peer_signing)
        if signer is None:
            raise KeyMissingError("the public key with which the client signs is not known")
        numbers = {name: int(number) for number, name in _FIELDS.items()}
        changes: dict[str, Any] = {}
        answers: list[tuple[int, bytes]] = []
        for name, data in self._listed(halves):
            key_id = numbers[name]
            other = open_key_data(suite, data, bytes(signer), key_id)
            own = ephemeral_key(suite, held.random_octets(ephemeral_random_size(suite)))
            algorithm = KeyAlgorithm.AES_WRAP if name == "master" else KeyAlgorithm.AES_GCM
            changes[name] = Key(agreed_key(own, other, bytes(client), held.title, algorithm=algorithm))
            answers.append((key_id, sign_key_data(signing, own.public_key, key_id)))
        held.change_keys(**changes)
        return answers

    def _generate(self, use: Any, association: object) -> None:
        """Make a key pair; it is used once a certificate for it is imported."""
        del association
        from cosem.security.agreement import ephemeral_random_size
        from cosem.security.requests import new_private_key

        suite = self._suite_with_pairs(use)
        octets = self.held.random_octets(ephemeral_random_size(suite))
        self._new_pairs[int(use)] = new_private_key(suite, octets)

    def _request(self, use: Any, association: object) -> bytes:
        """Return the request to certify the newest key pair."""
        del association
        from cosem.security.requests import certificate_request

        suite = self._suite_with_pairs(use)
        private = self._new_pairs.get(int(use)) or getattr(self.held.keys, _KEY_PAIRS[use])
        if not isinstance(private, PrivateKey):
            raise KeyMissingError("there is no key pair, or it is held elsewhere")
        return certificate_request(suite, private, self.held.title)

    def _suite_with_pairs(self, use: Any) -> SecuritySuite:
        suite = SecuritySuite(self.held.keys.suite)
        if suite is SecuritySuite.AES_GCM_128 or use not in _KEY_PAIRS:
            raise ConfigurationError("suite 0 has no key pairs, and this server has none for TLS")
        return suite

    def _import(self, octets: Any, association: object) -> None:
        """Hold a certificate that an anchor vouches for; with one of our own a new key pair comes into use."""
        del association
        from cosem.security.certificates import Certificate

        held = self.held
        certificate = Certificate(bytes(octets))
        suite = SecuritySuite(held.keys.suite)
        if self.device is None:
            raise ConfigurationError("nobody knows the time")
        held.certificates.check(certificate, self.device.now(), suite)
        if certificate.is_authority or certificate.system_title != held.title:
            held.put_certificate(certificate)
            return
        self._certify(certificate, suite)

    def _certify(self, certificate: Certificate, suite: SecuritySuite) -> None:
        from cosem.security.requests import public_key_of

        held = self.held
        use = held.certificates.use_of(certificate)
        name = _KEY_PAIRS.get(use)
        if name is None:
            raise ConfigurationError("this server has no key pair of that use")
        for private in (self._new_pairs.get(int(use)), getattr(held.keys, name)):
            if isinstance(private, PrivateKey) and public_key_of(suite, private) == certificate.public_key:
                with held.certificates.replacing(certificate):
                    held.change_keys(**{name: private})
                self._new_pairs.pop(int(use), None)
                return
        raise VerificationError("the certificate is for a key pair that is not here")

    def _export(self, identification: CertificateIdentification, association: object) -> bytes:
        del association
        return self._identified(identification).octets

    def _remove(self, identification: CertificateIdentification, association: object) -> None:
        del association
        self.held.remove_certificate(self._identified(identification))

    def _identified(self, identification: CertificateIdentification) -> Certificate:
        kind: Any
        options: Any
        kind, options = tuple(identification)
        types = tuple(map(type, options)) if isinstance(options, tuple) else ()
        certificates = self.held.certificates
        if kind == 0 and types == (Enum, Enum, OctetString):
            found = certificates.by_entity(int(options[0]), int(options[1]), bytes(options[2]))
        elif kind == 1 and types == (OctetString, OctetString):
            found = certificates.by_serial(bytes(options[0]), bytes(options[1]))
        else:
            raise _WrongTypeError
        if found is None:
            raise ConfigurationError("there is no such certificate")
        return found


class _WrongTypeError(Exception):
    """What the client sent is not built as the method wants it."""


_METHODS: Final = {
    "security_activate": "activate",
    "global_key_transfer": "transfer",
    "key_transfer": "transfer",
    "key_agreement": "agree",
    "generate_key_pair": "generate",
    "generate_certificate_request": "request",
    "import_certificate": "import",
    "export_certificate": "export",
    "remove_certificate": "remove",
}


class _Version0(SecuritySetupObject, SecuritySetupVersion0):
    """Security setup, version 0: an enumeration of policies, and transfer of keys."""


class _Version1(SecuritySetupObject, SecuritySetup):
    """Security setup, version 1."""

    def get_certificates(self) -> list[Structure]:
        """Return what is held, without the certificates themselves."""
        held = self.held
        clients = {
            bytes(title) for title in (held.keys.client_title, *held.titles_heard) if title is not None
        }
        return [self._told(each, held.certificates.entity_of(each, clients)) for each in held.certificates]

    def _told(self, certificate: Certificate, entity: CertificateEntity) -> Any:
        size = certificate.serial_number.bit_length() // 8 + 1
        return CertificateInfo(
            entity,
            self.held.certificates.use_of(certificate),
            certificate.serial_number.to_bytes(size, "big").lstrip(b"\0"),
            certificate.issuer.encode(),
            certificate.subject.encode(),
            certificate.subject_alternative_name,
        )


def security_setup_object(
    held: HeldSecurity, logical_name: LogicalName | str = "0.0.43.0.0.255"
) -> SecuritySetupObject:
    """Return the Security setup object of a held security, in the version of its policy.

    Args:
        held: Shared with the profiles of the associations; see
            :func:`~cosem.server.security.secured_profile`.
        logical_name: 0-0:43.0.e; e tells several ones apart.
    """
    version = _Version0 if isinstance(held.policy, SecurityPolicyV0) else _Version1
    return version(held, logical_name)
