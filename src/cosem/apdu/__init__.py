"""Every APDU of IEC 62056-5-3, clause 8, and of the later editions, declared once; and their octets.

An APDU is a frozen value whose fields are named as in the ASN.1. The modules of
this package hold a group each, and are loaded when the first APDU of the group
is met.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.codec.limits import DEFAULT_LIMITS, Limits
from cosem.codec.reader import Reader, TracingReader
from cosem.errors import DecodeError, EncodeError
from cosem.types.making import octets as octets_of

if TYPE_CHECKING:
    from cosem.codec.reader import Node

__all__ = ["Apdu", "decode", "encode", "trace"]

Apdu: TypeAlias = Any
"""An APDU: an instance of any class of this package."""

_MODULES: Final[dict[int, str]] = {
    0x01: "initiate",
    0x05: "variable_access",
    0x06: "variable_access",
    0x08: "initiate",
    0x0C: "variable_access",
    0x0D: "variable_access",
    0x0E: "failure",
    0x0F: "notification",
    0x10: "notification",
    0x16: "variable_access",
    0x18: "variable_access",
    0x60: "acse",
    0x61: "acse",
    0x62: "acse",
    0x63: "acse",
    0xC0: "get",
    0xC1: "set",
    0xC2: "notification",
    0xC3: "action",
    0xC4: "get",
    0xC5: "set",
    0xC7: "action",
    0xD8: "failure",
    0xD9: "access",
    0xDA: "access",
    0xDB: "ciphered",
    0xDC: "ciphered",
    0xDD: "ciphered",
    0xDF: "ciphered",
    0xE0: "block_transfer",
}
_ACSE: Final = {0x60: "AARQ", 0x61: "AARE", 0x62: "RLRQ", 0x63: "RLRE"}
_classes: Final[dict[bytes, type]] = {}
_readers: Final[dict[bytes, tuple[int, Callable[[Reader], Any]]]] = {}
"""What reads the APDUs that were met before, by the octets that they start with."""
_encoders: Final[dict[type, Callable[[Any], bytes]]] = {}
"""What writes the APDUs that were written before."""
_FAULTS: Final = (IndexError, struct.error)


def _class_of(octets: bytes) -> tuple[type, int] | None:
    """Return the class whose header the octets begin with, and the size of that header."""
    found = _known_class_of(octets)
    if found is None and (module := _MODULES.get(octets[0])) is not None:
        import_module(f"cosem.apdu.{module}")
        from cosem.codec.sequence import sequences_by_header

        _classes.update(sequences_by_header)
        found = _known_class_of(octets)
    return found


def _known_class_of(octets: bytes) -> tuple[type, int] | None:
    for size in (2, 1):
        cls = _classes.get(octets[:size])
        if cls is not None:
            # One octet alone is never the header of two that it begins with.
            return cls, min(size, len(octets))
    return None


def decode(
    octets: bytes, *, strict: bool = False, findings: list[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> Apdu:
    """Return the APDU that ``octets`` hold, whole; a protected one as its envelope.

    Args:
        octets: One APDU, from its tag on.
        strict: Whether a tolerated deviation of real meters is an error.
        findings: Where deviations are named; octets after the APDU are an error unless it is given.
        limits: What may be built from the octets.

    Raises:
        DecodeError: Unknown tag, octets missing, octets too many; with offset and path.
        LimitError: Too much nesting or too many elements.
        ConversionError: A text or a number was given instead of octets.

    >>> decode(bytes.fromhex("C0 02 C1 00000001"))
    GetRequestNext(invoke_id_and_priority=InvokeIdAndPriority(0xC1), block_number=1)
    """
    if type(octets) is not bytes:
        octets = octets_of(octets, "APDU")
    named: list[str] | None = None if findings is None else []
    try:
        value = _decode(Reader(octets, strict=strict, findings=named, limits=limits))
    except (DecodeError, *_FAULTS) as fault:
        tracing = TracingReader(
            octets, strict=strict, findings=None if findings is None else [], limits=limits
        )
        _decode(tracing)
        # The two readers are made from one declaration; should they ever disagree, refuse.
        raise DecodeError("octets missing", len(octets)) from fault
    if findings is not None and named:
        findings += named
    return value


def trace(
    octets: bytes, *, strict: bool = False, findings: list[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> Node:
    """Return the APDU as a tree of its components with their offsets; the value is that of the root.

    Raises:
        DecodeError: As :func:`decode`.
    """
    reader = TracingReader(bytes(octets), strict=strict, findings=findings, limits=limits)
    value = _decode(reader)
    root = reader.root
    root.stop = reader.pos
    root.value = value
    return root


def _decode(reader: Reader) -> Apdu:
    octets = reader.data
    known = _readers.get(octets[:2]) or _readers.get(octets[:1])
    if known is not None and type(reader) is Reader:
        reader.pos, read_known = known
        value = read_known(reader)
        if reader.pos != len(octets):
            reader.finish()
        return value
    if not octets:
        reader.fail("no octets")
    if (acse := _ACSE.get(octets[0])) is not None:
        module = import_module("cosem.apdu.acse")
        value = getattr(module, acse).read(reader)
        reader.finish()
        return value
    found = _class_of(octets)
    if found is None:
        return _decode_ciphered(reader)
    from cosem.codec.sequence import asn1_name, codec_of

    cls, size = found
    codec = codec_of(cls)
    reader.pos = size
    if type(reader) is Reader:
        _readers[octets[:size]] = size, codec.read
        value = codec.read(reader)
    else:
        reader.pos = 0

        def read(reader: Reader) -> Any:
            reader.take(size)
            return codec.read_components(reader)

        value = reader.component(asn1_name(cls), read)
    if reader.pos != len(octets):
        reader.finish()
    return value


def _decode_ciphered(reader: Reader) -> Apdu:
    from cosem.apdu.ciphered import CIPHERED_NAMES, CipheredApdu

    name = CIPHERED_NAMES.get(reader.data[0])
    if name is None:
        said = reader.data[:2].hex(" ").upper()
        if reader.data[0] not in _MODULES:
            reader.fail(f"unknown APDU {said}")
        if len(reader.data) == 1:
            reader.fail(f"1 octet wanted, 0 left: which {said} it is", 1)
        reader.fail(f"unknown choice {said}", 1)
    value = reader.component(name, CipheredApdu.read)
    reader.finish()
    return value


def encode(apdu: Apdu) -> bytes:
    """Return the octets of an APDU.

    Raises:
        EncodeError: A value does not fit its component; the path says which.
    """
    cls = type(apdu)
    known = _encoders.get(cls)
    if known is not None:
        try:
            return known(apdu)
        except Exception:  # noqa: BLE001 -- the careful way below says what is wrong, and where
            del known
    own = getattr(apdu, "to_octets", None)
    if own is not None and not isinstance(apdu, type):
        octets: bytes = own()
        return octets
    from cosem.codec.sequence import ENCODE_FAULTS, codec_of, header_of

    try:
        header = header_of(cls)
    except KeyError:
        raise EncodeError(f"{cls.__name__} is no APDU") from None
    if not header:
        raise EncodeError(f"{cls.__name__} is a part of an APDU, not an APDU")
    codec = codec_of(cls)
    try:
        encoded = codec.encode(apdu)
    except ENCODE_FAULTS:
        codec.write_components(bytearray(), apdu)
        raise
    _encoders[cls] = codec.encode
    return encoded
