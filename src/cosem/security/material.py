"""Security material: the keys that protect, wherever they are (IEC 62056-5-3, Table 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError, KeyMissingError
from cosem.security.gcm import AesGcmKey, GcmKey, HeldGcmKey
from cosem.security.kdf import AlgorithmIdentifiers
from cosem.security.key_material import Secret
from cosem.security.suites import SecuritySuite

if TYPE_CHECKING:
    from cosem.security.agreement import AgreementKey
    from cosem.security.key_wrap import KeyWrap
    from cosem.security.keys import Keys
    from cosem.security.signing import SigningKey

__all__ = [
    "DEFAULT_INTERPRETATION",
    "AssociatedFields",
    "Interpretation",
    "SecurityMaterial",
    "SignatureInput",
    "gcm_key",
    "material_of",
]


class AssociatedFields(Enum):
    """Which fields general-ciphering authenticates besides the security control octet and the authentication key."""

    WITH_LENGTHS = "the five fields, each with its length octets"
    WITHOUT_LENGTHS = "the five fields without their length octets"
    NONE = "none, as in general-glo-ciphering"


class SignatureInput(Enum):
    """What general-signing signs after the five fields with their lengths."""

    CONTENT = "the content"
    CONTENT_WITH_LENGTH = "the content with its length octets"


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How the places of the standard are read that can be read in two ways; ``docs/decisions.md`` says why.

    Args:
        associated_fields: What general-ciphering authenticates.
        signature_input: What general-signing signs; both are accepted, the other one as a finding.
        algorithm_identifiers: How key agreement writes the algorithm.
    """

    associated_fields: AssociatedFields = AssociatedFields.WITH_LENGTHS
    signature_input: SignatureInput = SignatureInput.CONTENT
    algorithm_identifiers: AlgorithmIdentifiers = AlgorithmIdentifiers.CORRECTED


DEFAULT_INTERPRETATION: Final = Interpretation()


@dataclass(frozen=True, slots=True, repr=False)
class SecurityMaterial:
    """The keys of one security context; which of them are there shows, the keys do not.

    Args:
        suite: The security suite.
        unicast: Global unicast encryption key, with the authentication key.
        broadcast: Global broadcast encryption key, with the authentication key.
        dedicated: Key of one association, with the authentication key.
        master: Unwraps and wraps keys that come with a message.
        signing: Our private signing key.
        agreement: Our private, static key agreement key.
        signing_keys: Public signing keys of others, x ‖ y, by system title.
        agreement_keys: Public key agreement keys of others, x ‖ y, by system title.
        bind: Makes a key of octets that were wrapped or agreed on; by default a sibling of ``unicast``.
        authentication_key_known: Whether tags can be checked at all.

    Raises:
        ConfigurationError: A key has not the size of the suite.
    """

    suite: SecuritySuite = SecuritySuite.AES_GCM_128
    unicast: GcmKey | None = None
    broadcast: GcmKey | None = None
    dedicated: GcmKey | None = None
    master: KeyWrap | None = None
    signing: SigningKey | None = None
    agreement: AgreementKey | None = None
    signing_keys: Mapping[bytes, bytes] = field(default_factory=dict)
    agreement_keys: Mapping[bytes, bytes] = field(default_factory=dict)
    bind: Callable[[bytes], GcmKey] | None = None
    authentication_key_known: bool = True

    def __post_init__(self) -> None:
        for key in (self.unicast, self.broadcast, self.dedicated):
            if key is not None and key.size != self.suite.key_size:
                raise ConfigurationError(
                    f"security suite {self.suite.value} has keys of {self.suite.key_size} octets, not {key.size}"
                )
        for pair in (self.signing, self.agreement):
            if pair is not None and pair.suite is not self.suite:
                raise ConfigurationError(
                    f"a key pair of suite {pair.suite.value} in suite {self.suite.value}"
                )

    def bound(self, octets: bytes) -> GcmKey:
        """Return the key of octets, with the authentication key of this context.

        Raises:
            KeyMissingError: No authentication key is at hand.
            ConfigurationError: The octets have not the length of the suite.
        """
        if len(octets) != self.suite.key_size:
            raise ConfigurationError(f"a key of {len(octets)} octets where {self.suite.key_size} are wanted")
        if self.bind is not None:
            return self.bind(octets)
        return self._binding().sibling(octets)

    def check_bound(self) -> None:
        """Refuse what :meth:`bound` could not do with any key, before one is made.

        Raises:
            KeyMissingError: No authentication key is at hand.
        """
        if self.bind is None:
            self._binding()

    def _binding(self) -> GcmKey:
        if self.unicast is None:
            raise KeyMissingError("no authentication key is known")
        return self.unicast

    def with_dedicated(self, octets: bytes | None) -> SecurityMaterial:
        """Return this material with another dedicated key, or with none.

        Raises:
            ConfigurationError: The key has not the length of the suite.
        """
        return replace(self, dedicated=None if octets is None else self.bound(octets))

    def __repr__(self) -> str:
        there = [each.name for each in fields(self)[1:7] if getattr(self, each.name) is not None]
        return f"<SecurityMaterial suite {self.suite.value}: {', '.join(there) or 'no keys'}>"


def gcm_key(encryption: object, authentication: object) -> GcmKey:
    """Return a key of what a key store gives: octets, a Key, or what holds a key and never shows it.

    Args:
        encryption: The encryption key.
        authentication: The authentication key, octets or a Key; ``None`` for a system that uses none.

    Raises:
        ConfigurationError: A length that no suite has.
    """
    if hasattr(encryption, "encrypt"):
        return HeldGcmKey(encryption, authentication)  # type: ignore[arg-type]
    return AesGcmKey(encryption, authentication)  # type: ignore[arg-type]


def material_of(keys: Keys, *, server: bool = False, dedicated: bytes | None = None) -> SecurityMaterial:
    """Return the material of the keys that a key store gives for one meter and one client.

    Args:
        keys: From a key store.
        server: Whether we are the meter; the keys of the other side are then those of the client.
        dedicated: The dedicated key of an association.

    Raises:
        ConfigurationError: A key has not the length of the suite.
    """
    from cosem.security.agreement import EcdhKey
    from cosem.security.key_wrap import KeyEncryptionKey
    from cosem.security.signing import EcdsaKey

    suite = SecuritySuite(keys.suite)
    peer = keys.client_title if server else keys.server_title

    def of_peer(public: bytes | None) -> Mapping[bytes, bytes]:
        return {} if public is None or peer is None else {bytes(peer): bytes(public)}

    def bind(octets: bytes) -> GcmKey:
        return AesGcmKey(octets, keys.authentication)

    material = SecurityMaterial(
        suite,
        unicast=None if keys.encryption is None else gcm_key(keys.encryption, keys.authentication),
        broadcast=None if keys.broadcast is None else gcm_key(keys.broadcast, keys.authentication),
        master=None if keys.master is None else KeyEncryptionKey(keys.master),
        signing=EcdsaKey(suite, keys.signing) if isinstance(keys.signing, Secret) else keys.signing,
        agreement=EcdhKey(suite, keys.key_agreement) if isinstance(keys.key_agreement, Secret) else None,
        signing_keys=of_peer(keys.peer_signing),
        agreement_keys=of_peer(keys.peer_key_agreement),
        bind=bind,
    )
    return material.with_dedicated(dedicated)
