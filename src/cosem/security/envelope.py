"""One layer of protection taken apart and put together: where what stands, and what is authenticated.

(IEC 62056-5-3, 5.3.7.2 and Figures 5 and 6; general forms: later editions, 9.2.7.2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cosem.apdu.ciphered import CIPHERED_NAMES
from cosem.codec.axdr import encode_length
from cosem.codec.reader import Reader
from cosem.errors import DecodeError, SecurityError, VerificationError
from cosem.security.material import AssociatedFields, Interpretation
from cosem.security.status import GeneralHeader, KeyUsed, ProtectionForm
from cosem.security.suites import TAG_SIZE, SecurityControl

if TYPE_CHECKING:
    from cosem.security.gcm import GcmKey

__all__ = [
    "DEDICATED_TAGS",
    "GLOBAL_TAGS",
    "SERVICE_SPECIFIC_TAGS",
    "Envelope",
    "associated_fields",
    "is_protected",
    "last_octet_string",
    "open_content",
    "read_envelope",
    "seal_content",
    "wrapped_in",
    "service_specific_name",
]

_OFFSETS: Final = ((0x21, 0x38, 32), (0x41, 0x58, 64), (0xC8, 0xCF, 8), (0xD0, 0xD7, 16))
_CLEAR_TAGS: Final = {
    tag: tag - offset for tag in CIPHERED_NAMES for first, last, offset in _OFFSETS if first <= tag <= last
}
"""Tag of the service within, by tag of its glo- and ded- forms (Figure 5)."""
GLOBAL_TAGS: Final = {
    clear: tag for tag, clear in _CLEAR_TAGS.items() if CIPHERED_NAMES[tag].startswith("glo-")
}
"""Tag of the glo- form, by tag of the service."""
DEDICATED_TAGS: Final = {
    clear: tag for tag, clear in _CLEAR_TAGS.items() if CIPHERED_NAMES[tag].startswith("ded-")
}
"""Tag of the ded- form, by tag of the service."""

_GENERAL_GLO, _GENERAL_DED, _GENERAL_CIPHERING, _GENERAL_SIGNING = 0xDB, 0xDC, 0xDD, 0xDF
SERVICE_SPECIFIC_TAGS: Final = frozenset(_CLEAR_TAGS)
"""Tags of the glo- and ded- forms."""
_PROTECTED: Final = frozenset(_CLEAR_TAGS) | {
    _GENERAL_GLO,
    _GENERAL_DED,
    _GENERAL_CIPHERING,
    _GENERAL_SIGNING,
}
_TITLE_SIZE: Final = 8
# The bits of the security control octet: for each APDU, properties would be asked for a dozen times.
_AUTHENTICATED, _ENCRYPTED, _BROADCAST, _COMPRESSED = 0x10, 0x20, 0x40, 0x80


class Envelope(NamedTuple):
    """One layer, taken apart; nothing in it is verified.

    Attributes:
        form: The APDU around.
        key: Which key is named.
        tag: Tag of the APDU around.
        clear_tag: Tag that the APDU within must have; ``None`` for any.
        title: System title of who protected, where the APDU says so; empty or ``None`` where it does not.
        header: The five fields of general-ciphering and general-signing.
        header_octets: The same as they came, lengths included.
        key_info: The parameters of a wrapped or agreed key.
        control: The security control octet; ``None`` in general-signing.
        invocation_counter: ``None`` where there is none.
        body: Ciphertext and tag, or what is signed.
        length_octets: Those of the content that is signed, as they came.
        signature: r ‖ s.
    """

    form: ProtectionForm
    key: KeyUsed
    tag: int
    clear_tag: int | None
    title: bytes | None
    header: GeneralHeader | None
    header_octets: bytes
    key_info: Any
    control: SecurityControl | None
    invocation_counter: int | None
    body: bytes
    length_octets: bytes = b""
    signature: bytes = b""


def is_protected(tag: int) -> bool:
    """Return whether an APDU with this tag is a layer of protection."""
    return tag in _PROTECTED


def service_specific_name(tag: int) -> str:
    """Return the name of a glo- or ded- APDU."""
    return CIPHERED_NAMES[tag]


def read_envelope(apdu: bytes) -> Envelope:
    """Return the outermost layer of a protected APDU, taken apart.

    Raises:
        DecodeError: It is no protected APDU, or not laid out as one.
        SecurityError: A security control octet that its form does not allow, or a compressed content.
    """
    if not apdu:
        raise DecodeError("no octets", 0)
    tag = apdu[0]
    clear_tag = _CLEAR_TAGS.get(tag)
    if clear_tag is not None:
        return _service_specific(apdu, tag, clear_tag)
    if tag in (_GENERAL_GLO, _GENERAL_DED):
        return _general_glo_or_ded(apdu, tag)
    if tag == _GENERAL_CIPHERING:
        return _general_ciphering(apdu)
    if tag == _GENERAL_SIGNING:
        return _general_signing(apdu)
    raise DecodeError(f"tag {tag:02X} is no protected APDU", 0)


def _service_specific(apdu: bytes, tag: int, clear_tag: int) -> Envelope:
    content = last_octet_string(apdu, 1)
    control, counter, body = _content(content)
    dedicated = DEDICATED_TAGS.get(clear_tag) == tag
    key = _global_or_dedicated(control, dedicated=dedicated)
    return Envelope(
        ProtectionForm.SERVICE_SPECIFIC, key, tag, clear_tag, None, None, b"", None, control, counter, body
    )


def _general_glo_or_ded(apdu: bytes, tag: int) -> Envelope:
    if apdu[1:2] == b"\x08" and len(apdu) > 10:
        title = apdu[2:10]
        content = last_octet_string(apdu, 10)
    else:
        reader = Reader(apdu)
        reader.pos = 1
        title = _checked_title(reader.octet_string())
        content = reader.octet_string()
        reader.finish()
    control, counter, body = _content(content)
    dedicated = tag == _GENERAL_DED
    form = ProtectionForm.GENERAL_DED if dedicated else ProtectionForm.GENERAL_GLO
    key = _global_or_dedicated(control, dedicated=dedicated)
    return Envelope(form, key, tag, None, title, None, b"", None, control, counter, body)


def _general_ciphering(apdu: bytes) -> Envelope:
    from cosem.apdu import decode
    from cosem.apdu.ciphered import AgreedKey, IdentifiedKey, WrappedKey

    decoded = decode(apdu)
    header, header_octets = _header(apdu)
    presence = 1 + len(header_octets)
    if apdu[presence] > 1:
        # Nothing authenticates key-info: what other values of this octet would mean, anybody could have written.
        raise DecodeError("the presence of key-info is 00 or 01", presence)
    info = decoded.key_info
    if info is None:
        key = KeyUsed.ESTABLISHED
    elif isinstance(info, IdentifiedKey):
        keys = {0: KeyUsed.GLOBAL_UNICAST, 1: KeyUsed.GLOBAL_BROADCAST}
        if info.key_id not in keys:
            raise SecurityError(f"key-info names the key {info.key_id}, which is none")
        key = keys[info.key_id]
    elif isinstance(info, WrappedKey):
        if info.kek_id != 0:
            raise SecurityError(f"key-info names the master key {info.kek_id}, 0 is the only one")
        key = KeyUsed.WRAPPED
    elif isinstance(info, AgreedKey):
        schemes = {b"\x01": KeyUsed.ONE_PASS, b"\x02": KeyUsed.STATIC_UNIFIED}
        if info.key_parameters not in schemes:
            raise SecurityError(
                f"key-info names the scheme {info.key_parameters.hex() or 'nothing'}, 01 or 02 are known"
            )
        key = schemes[info.key_parameters]
        if key is KeyUsed.STATIC_UNIFIED and info.key_ciphered_data:
            raise SecurityError("key-info of C(0e,2s) has no key data")
    content = decoded.ciphered_content
    control = SecurityControl(content[0]) if content else None
    if control is not None and not control.protected and not control.compressed:
        counter, body = None, content[1:]
    else:
        control, counter, body = _content(content)
    if control.broadcast:
        raise SecurityError("key-set: in general-ciphering key-info names the key, and bit 6 is 0")
    return Envelope(
        ProtectionForm.GENERAL_CIPHERING,
        key,
        _GENERAL_CIPHERING,
        None,
        header.originator,
        header,
        header_octets,
        info,
        control,
        counter,
        body,
    )


def _general_signing(apdu: bytes) -> Envelope:
    header, header_octets = _header(apdu)
    reader = Reader(apdu)
    start = reader.pos = 1 + len(header_octets)
    reader.length()
    length_octets = apdu[start : reader.pos]
    reader.pos = start
    content = reader.octet_string()
    signature = reader.octet_string()
    reader.finish()
    return Envelope(
        ProtectionForm.GENERAL_SIGNING,
        KeyUsed.SIGNING,
        _GENERAL_SIGNING,
        None,
        header.originator,
        header,
        header_octets,
        None,
        None,
        None,
        content,
        length_octets,
        signature,
    )


def last_octet_string(apdu: bytes, start: int) -> bytes:
    """Return the octet string that ends an APDU.

    Raises:
        DecodeError: It does not end there, or its length is none.
    """
    end = len(apdu)
    if start < end:
        first = apdu[start]
        begin = start + 1
        if first < 0x80:
            size = first
        elif 0x80 < first < 0x85:
            begin += first & 0x7F
            size = int.from_bytes(apdu[start + 1 : begin], "big")
        else:
            size = -1
        if begin + size == end:
            return apdu[begin:]
    reader = Reader(apdu)  # which knows what to say about it
    reader.pos = start
    content = reader.octet_string()
    reader.finish()
    return content


def _header(apdu: bytes) -> tuple[GeneralHeader, bytes]:
    """Return the five fields, and their octets as they came: those are authenticated, not ours."""
    reader = Reader(apdu)
    reader.pos = 1
    fields = [reader.octet_string() for _ in range(5)]
    header = GeneralHeader(*fields)
    _checked_title(header.originator)
    _checked_title(header.recipient)
    return header, apdu[1 : reader.pos]


def _checked_title(title: bytes) -> bytes:
    """Return a system title as it is carried: eight octets, or none."""
    if len(title) not in (0, _TITLE_SIZE):
        raise SecurityError(f"a system title of {len(title)} octets, {_TITLE_SIZE} are wanted")
    return title


def _content(content: bytes) -> tuple[SecurityControl, int, bytes]:
    """Return security control, invocation counter and the rest of a ciphered content."""
    if not content:
        raise DecodeError("no security control octet", 0)
    control = SecurityControl(content[0])
    if control & _COMPRESSED:
        raise SecurityError("the APDU is compressed (V.44), which is not available")
    if not control & (_AUTHENTICATED | _ENCRYPTED):
        raise SecurityError(f"security control {int(control):02X}: neither authentication nor encryption")
    if len(content) < 5:
        raise DecodeError("no invocation counter", len(content))
    if control & _AUTHENTICATED and len(content) < 5 + TAG_SIZE:
        raise DecodeError("no authentication tag", len(content))
    return control, int.from_bytes(content[1:5], "big"), content[5:]


def _global_or_dedicated(control: SecurityControl, *, dedicated: bool) -> KeyUsed:
    if not dedicated:
        return KeyUsed.GLOBAL_BROADCAST if control & _BROADCAST else KeyUsed.GLOBAL_UNICAST
    if control & _BROADCAST:
        raise SecurityError("key-set: bit 6 is 0 with the dedicated key")
    return KeyUsed.DEDICATED


def associated_fields(
    header_octets: bytes, header: GeneralHeader | None, interpretation: Interpretation
) -> bytes:
    """Return what of the header is authenticated: nothing, where there is no header."""
    if header is None or interpretation.associated_fields is AssociatedFields.NONE:
        return b""
    if interpretation.associated_fields is AssociatedFields.WITHOUT_LENGTHS:
        return b"".join(header.fields)
    return header_octets


def open_content(
    envelope: Envelope, key: GcmKey, control: SecurityControl, title: bytes, counter: int, further: bytes
) -> bytes:
    """Return the APDU within a ciphered layer.

    With authentication nothing is returned before the tag is verified. Without it nobody can tell
    whether what is returned is genuine: the caller has to have asked for that.

    Args:
        envelope: The layer.
        key: The key that it names.
        control: What was done to it.
        title: System title of who protected it.
        counter: Its invocation counter.
        further: :func:`associated_fields`.

    Raises:
        VerificationError: The tag does not match, or the APDU within is not the one that the tag names.
    """
    body = envelope.body
    nonce = title + counter.to_bytes(4, "big")
    if control & _AUTHENTICATED and control & _ENCRYPTED:
        clear = key.open(control, nonce, body, further)
    elif control & _AUTHENTICATED:
        clear = body[:-TAG_SIZE]
        key.open(control, nonce, body[-TAG_SIZE:], further + clear)
    else:
        clear = key.stream(nonce, body)
    tag = envelope.clear_tag
    if tag is not None and (not clear or clear[0] != tag):
        raise VerificationError(
            f"{service_specific_name(envelope.tag)} holds another service than its name says"
        )
    return clear


def seal_content(
    key: GcmKey, control: SecurityControl, title: bytes, counter: int, apdu: bytes, further: bytes
) -> bytes:
    """Return the ciphered content of an APDU: control, counter, ciphertext and tag.

    Args:
        key: The key.
        control: What is done.
        title: Our system title.
        counter: The invocation counter, never used before with this key.
        apdu: The APDU.
        further: :func:`associated_fields`.
    """
    octets = counter.to_bytes(4, "big")
    nonce = title + octets
    if control & _AUTHENTICATED and control & _ENCRYPTED:
        body = key.seal(control, nonce, apdu, further)
    elif control & _AUTHENTICATED:
        body = apdu + key.seal(control, nonce, b"", further + apdu)
    else:
        body = key.stream(nonce, apdu)
    return bytes((control,)) + octets + body


def wrapped_in(tag: int, content: bytes, title: bytes | None = None) -> bytes:
    """Return the APDU with this tag around a ciphered content; the general forms carry the title."""
    before = b"" if title is None else encode_length(len(title)) + title
    return bytes((tag,)) + before + encode_length(len(content)) + content
