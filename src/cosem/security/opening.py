"""One layer of protection taken off, without counters and without policy; those are the caller's.

(IEC 62056-5-3, 5.3.7; later editions, 9.2.7.2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cosem.errors import ConfigurationError, KeyMissingError, SecurityError, VerificationError
from cosem.security.envelope import Envelope, associated_fields, open_content
from cosem.security.material import Interpretation, SecurityMaterial, SignatureInput
from cosem.security.message_keys import MessageKey, fingerprint_of, read_message_key
from cosem.security.status import KeyUsed, Layer, ProtectionForm
from cosem.security.suites import SecurityControl

if TYPE_CHECKING:
    from cosem.security.gcm import GcmKey

__all__ = ["SIGNATURE_WITH_LENGTH", "Opened", "open_layer"]

SIGNATURE_WITH_LENGTH = "signature-input-of-the-other-reading"
"""Finding: the content was signed with its length octets where it is not expected, or without."""

_COMING_WITH_MESSAGE = frozenset({KeyUsed.WRAPPED, KeyUsed.ONE_PASS, KeyUsed.STATIC_UNIFIED})


class Opened(NamedTuple):
    """What was under one layer.

    Attributes:
        clear: The octets under it; verified, if the layer says so.
        layer: What it was.
        brought: The key that came with the message, if one did, or that was established before.
        signature: Tells a signature from others; empty for tags.
        findings: Deviations from the standard.
    """

    clear: bytes
    layer: Layer
    brought: MessageKey | None = None
    signature: bytes = b""
    findings: tuple[str, ...] = ()


def open_layer(
    envelope: Envelope,
    material: SecurityMaterial,
    title: bytes,
    own_title: bytes,
    interpretation: Interpretation,
    established: MessageKey | None = None,
) -> Opened:
    """Return what is under a layer, verified where the layer has a tag or a signature.

    Args:
        envelope: The layer.
        material: The keys.
        title: System title of who applied it, 8 octets.
        own_title: Our system title.
        interpretation: How the standard is read.
        established: The key that this sender brought before.

    Raises:
        VerificationError: A tag or signature does not match.
        KeyMissingError: A key is not known.
        SecurityError: Another suite.
    """
    if envelope.form is ProtectionForm.GENERAL_SIGNING:
        return _open_signed(envelope, material, title, interpretation)
    control = envelope.control
    if control is None or control & 0x0F != material.suite:
        raise SecurityError(
            f"security suite {SecurityControl(control or 0).suite} in a context of suite {material.suite.value}"
        )
    layer = Layer(
        envelope.form,
        envelope.key,
        control,
        bool(control & 0x10),
        title,
        envelope.invocation_counter,
        envelope.header,
    )
    counter = envelope.invocation_counter
    if counter is None:
        return Opened(envelope.body, layer)
    key, brought = _key(envelope, material, own_title, interpretation, established)
    header = envelope.header
    further = associated_fields(envelope.header_octets, header, interpretation) if header else b""
    clear = open_content(envelope, key, control, title, counter, further)
    return Opened(clear, layer, brought)


def _key(
    envelope: Envelope,
    material: SecurityMaterial,
    own_title: bytes,
    interpretation: Interpretation,
    established: MessageKey | None,
) -> tuple[GcmKey, MessageKey | None]:
    """Return the key of a layer, and more of it where it came with a message."""
    used = envelope.key
    if envelope.header is not None and used in _COMING_WITH_MESSAGE:
        octets = read_message_key(
            used, envelope.key_info, envelope.header, own_title, material, interpretation
        )
        brought = MessageKey(material.bound(octets), fingerprint_of(octets), used)
        return brought.key, brought
    if used is KeyUsed.ESTABLISHED and established is not None:
        return established.key, established
    if used is KeyUsed.DEDICATED:
        found = material.dedicated
    elif used is KeyUsed.GLOBAL_BROADCAST:
        found = material.broadcast
    else:
        found = material.unicast
    if found is None:
        raise KeyMissingError(f"no {used.value} is known")
    return found, None


def _open_signed(
    envelope: Envelope, material: SecurityMaterial, title: bytes, interpretation: Interpretation
) -> Opened:
    from cosem.security.signing import verify_signature

    public = material.signing_keys.get(title)
    if public is None:
        raise KeyMissingError(f"no public signing key of {title.hex().upper()} is known")
    try:
        suite = material.suite
        size = suite.signature_size
    except ConfigurationError as error:
        raise SecurityError(str(error)) from None
    inputs = [
        envelope.header_octets + envelope.body,
        envelope.header_octets + envelope.length_octets + envelope.body,
    ]
    if interpretation.signature_input is SignatureInput.CONTENT_WITH_LENGTH:
        inputs.reverse()
    findings: tuple[str, ...] = ()
    try:
        verify_signature(suite, public, envelope.signature, inputs[0])
    except VerificationError:
        verify_signature(suite, public, envelope.signature, inputs[1])
        findings = (SIGNATURE_WITH_LENGTH,)
    layer = Layer(ProtectionForm.GENERAL_SIGNING, KeyUsed.SIGNING, None, True, title, None, envelope.header)
    # r of the signature tells it from others, also when somebody turned s into n - s, which is as good.
    return Opened(envelope.body, layer, None, envelope.signature[: size // 2], findings)
