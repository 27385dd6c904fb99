"""Keys that come with a message: wrapped or agreed on in the key-info of general-ciphering (later editions).

The sender makes the key and says in the key-info how the recipient gets it; here
are both directions, without counters and without policy.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from cosem.apdu.ciphered import AgreedKey, IdentifiedKey, WrappedKey
from cosem.errors import ConfigurationError, KeyMissingError, VerificationError
from cosem.security.material import Interpretation, SecurityMaterial
from cosem.security.status import GeneralHeader, KeyUsed
from cosem.security.suites import SecuritySuite

if TYPE_CHECKING:
    from cosem.security.agreement import AgreementKey
    from cosem.security.gcm import GcmKey
    from cosem.security.key_wrap import KeyWrap
    from cosem.security.signing import SigningKey

__all__ = [
    "MessageKey",
    "RandomOctets",
    "check_message_key",
    "fingerprint_of",
    "identified_key",
    "key_info_size",
    "make_message_key",
    "read_message_key",
    "signing_key",
]

RandomOctets: TypeAlias = Callable[[int], bytes]
"""Returns so many octets that nobody can guess."""
_NO_RANDOM: Final = "a fresh key needs random octets, and nobody gives any"


class MessageKey(NamedTuple):
    """A key that came with a message.

    Args:
        key: The key.
        fingerprint: Tells it from others and does not reveal it.
        used: How it came: wrapped, or by C(1e,1s) or C(0e,2s).
        ours: Whether it is we who made it.
    """

    key: GcmKey
    fingerprint: bytes
    used: KeyUsed
    ours: bool = False


def read_message_key(
    key: KeyUsed,
    key_info: Any,
    header: GeneralHeader,
    own_title: bytes,
    material: SecurityMaterial,
    interpretation: Interpretation,
) -> bytes:
    """Return the octets of the key that a received message brings.

    Args:
        key: How it comes: wrapped, or by C(1e,1s) or C(0e,2s).
        key_info: Of the message.
        header: Of the message.
        own_title: Our system title; the recipient takes part in the derivation.
        material: Our keys, and the public keys of the originator.
        interpretation: How the standard is read.

    Raises:
        KeyMissingError: A key that is needed is not known.
        VerificationError: The wrapped key, the signature or the public key is wrong.
    """
    if key is KeyUsed.WRAPPED:
        octets = _master(material).unwrap(key_info.key_ciphered_data)
        if len(octets) != material.suite.key_size:
            raise VerificationError(
                f"the wrapped key has {len(octets)} octets, not {material.suite.key_size}"
            )
        return octets
    from cosem.security.agreement import agreed_key, open_key_data

    own = _own_agreement(material)
    originator = header.originator
    if key is KeyUsed.ONE_PASS:
        signer = material.signing_keys.get(originator)
        if signer is None:
            raise KeyMissingError(f"no public signing key of {originator.hex().upper()} is known")
        other = open_key_data(material.suite, key_info.key_ciphered_data, signer)
        nonce = None
    else:
        other, nonce = _agreement_key_of(originator, material), header.transaction_id
    return agreed_key(
        own,
        other,
        originator,
        own_title,
        transaction_id=nonce,
        identifiers=interpretation.algorithm_identifiers,
    )


def make_message_key(
    key: KeyUsed,
    header: GeneralHeader,
    material: SecurityMaterial,
    random: RandomOctets | None,
    interpretation: Interpretation,
) -> tuple[bytes, Any]:
    """Return the octets of a key for a message to be sent, and the key-info that brings it.

    Args:
        key: How it goes: wrapped, or by C(1e,1s) or C(0e,2s).
        header: Of the message; its recipient takes part in the derivation.
        material: Our keys, and the public keys of the recipient.
        random: Fresh octets; C(0e,2s) needs none.
        interpretation: How the standard is read.

    Raises:
        KeyMissingError: A key that is needed is not known.
        ConfigurationError: There are no random octets.
    """
    if key is KeyUsed.WRAPPED:
        octets = _random(random, material.suite.key_size)
        return octets, WrappedKey(0, _master(material).wrap(octets))
    from cosem.security.agreement import agreed_key, ephemeral_key, ephemeral_random_size, sign_key_data

    other = _agreement_key_of(header.recipient, material)
    own: AgreementKey
    if key is KeyUsed.ONE_PASS:
        signer, suite = signing_key(material), material.suite
        own = ephemeral_key(suite, _random(random, ephemeral_random_size(suite)))
        info = AgreedKey(b"\x01", sign_key_data(signer, own.public_key))
        nonce = None
    else:
        own = _own_agreement(material)
        info = AgreedKey(b"\x02", b"")
        nonce = header.transaction_id
    octets = agreed_key(
        own,
        other,
        header.originator,
        header.recipient,
        transaction_id=nonce,
        identifiers=interpretation.algorithm_identifiers,
    )
    return octets, info


def check_message_key(
    key: KeyUsed, recipient: bytes, material: SecurityMaterial, random: RandomOctets | None
) -> None:
    """Refuse what :func:`make_message_key` could not do, before anything depends on it.

    Args:
        key: How the key would go.
        recipient: System title of who shall open the message.
        material: Our keys, and the public keys of the recipient.
        random: Fresh octets.

    Raises:
        KeyMissingError: A key that is needed is not known.
        VerificationError: The public key of the recipient is no point of the curve of the suite.
        ConfigurationError: There are no random octets.
    """
    material.check_bound()
    if key is KeyUsed.WRAPPED:
        _master(material)
    else:
        from cosem.security.curves import public_key

        public_key(material.suite, _agreement_key_of(recipient, material))
        if key is KeyUsed.STATIC_UNIFIED:
            _own_agreement(material)
            return
        signing_key(material)
    if random is None:
        raise ConfigurationError(_NO_RANDOM)


def signing_key(material: SecurityMaterial) -> SigningKey:
    """Return our private signing key.

    Raises:
        KeyMissingError: It is not known.
    """
    if material.signing is None:
        raise KeyMissingError("no private signing key is known")
    return material.signing


def fingerprint_of(octets: bytes) -> bytes:
    """Return what tells a key that came with a message from others, and does not reveal it."""
    return sha256(b"cosem message key" + octets).digest()


def identified_key(key: KeyUsed) -> IdentifiedKey | None:
    """Return the key-info of a key that both sides have; ``None`` for the one established before."""
    if key is KeyUsed.ESTABLISHED:
        return None
    return IdentifiedKey(1 if key is KeyUsed.GLOBAL_BROADCAST else 0)


def key_info_size(key: KeyUsed, suite: SecuritySuite) -> int:
    """Return the octets of a key-info, its presence flag included."""
    if key is KeyUsed.ESTABLISHED:
        return 1
    if key is KeyUsed.WRAPPED:
        return 4 + suite.key_size + 8
    if key is KeyUsed.ONE_PASS:
        return 6 + 2 * suite.signature_size
    return 5 if key is KeyUsed.STATIC_UNIFIED else 3


def _master(material: SecurityMaterial) -> KeyWrap:
    if material.master is None:
        raise KeyMissingError("no master key is known")
    return material.master


def _agreement_key_of(title: bytes, material: SecurityMaterial) -> bytes:
    found = material.agreement_keys.get(title)
    if found is None:
        raise KeyMissingError(f"no public key agreement key of {title.hex().upper()} is known")
    return found


def _own_agreement(material: SecurityMaterial) -> AgreementKey:
    if material.agreement is None:
        raise KeyMissingError("no private key agreement key is known")
    return material.agreement


def _random(random: RandomOctets | None, size: int) -> bytes:
    if random is None:
        raise ConfigurationError(_NO_RANDOM)
    octets = random(size)
    if len(octets) != size:
        raise ConfigurationError(f"{size} random octets were asked for, {len(octets)} came")
    return octets
