"""Layers taken apart: lengths in every form, and what an octet may say and may not."""

from __future__ import annotations

from itertools import product

import pytest

from cosem.apdu.ciphered import CIPHERED_NAMES
from cosem.codec.reader import Reader
from cosem.errors import DecodeError, SecurityError
from cosem.security.envelope import (
    DEDICATED_TAGS,
    GLOBAL_TAGS,
    associated_fields,
    is_protected,
    last_octet_string,
    open_content,
    read_envelope,
    seal_content,
    service_specific_name,
)
from cosem.security.material import AssociatedFields, Interpretation
from cosem.security.status import KeyUsed
from cosem.security.suites import SecurityControl
from tests.security.protecting import GET, HEAD_END, METER, SUITE_0, SUITE_1, SUITE_2, material

SIZES = (0, 1, 2, 3, 4, 5, 16, 17, 126, 127, 128, 129, 130, 132, 133, 255, 256, 257)


def read_slowly(apdu: bytes, start: int) -> bytes | None:
    reader = Reader(apdu)
    reader.pos = start
    try:
        content = reader.octet_string()
        reader.finish()
    except DecodeError:
        return None
    return content


def read_fast(apdu: bytes, start: int) -> bytes | None:
    try:
        return last_octet_string(apdu, start)
    except DecodeError:
        return None


@pytest.mark.parametrize("start", [1, 2, 10])
@pytest.mark.parametrize("width", range(6))
def test_the_last_octet_string_is_that_of_the_reader_whatever_its_length_says(start, width):
    for declared, wrong in product(SIZES, range(-6, 7)):
        if declared >= 256 ** (width or 1) or declared + wrong < 0:
            continue
        length = declared.to_bytes(width, "big") if width else b""
        first = bytes((0x80 | width,)) if width else bytes((declared,))
        content = bytes(step & 0xFF for step in range(7, 7 + declared + wrong))
        apdu = bytes(range(0x30, 0x30 + start)) + first + length + content
        found = read_fast(apdu, start)
        assert found == read_slowly(apdu, start)
        if declared and not wrong and 0 < width < 5:
            assert found == content


@pytest.mark.parametrize("first", range(256))
def test_every_first_octet_of_a_length_is_read_as_the_reader_does(first):
    for size in (0, 1, 2, 3, 4, 5, 127, 128, 129, first, (first & 0x7F) + 1):
        apdu = b"\xc8" + bytes((first,)) + b"\x00" * size
        assert read_fast(apdu, 1) == read_slowly(apdu, 1)
    assert read_fast(b"\xc8", 1) is None


@pytest.mark.parametrize("presence", range(2, 256))
def test_the_presence_of_key_info_is_one_of_two_octets(presence):
    header = b"\x00\x08" + METER + b"\x08" + HEAD_END + b"\x00\x00"
    rest = b"\x00\x00\x12\x30" + bytes(17)
    assert read_envelope(b"\xdd" + header + b"\x01" + rest).invocation_counter == 0
    with pytest.raises(DecodeError):
        read_envelope(b"\xdd" + header + bytes((presence,)) + rest)


@pytest.mark.parametrize("around", [b"\xc8", b"\xd0", b"\xdb\x08" + METER, b"\xdb\x00"])
@pytest.mark.parametrize("size", range(13))
def test_what_is_encrypted_alone_has_no_room_for_a_tag_and_needs_none(around, size):
    content = b"\x20\x00\x00\x01\x02" + bytes(size)
    envelope = read_envelope(around + bytes((len(content),)) + content)
    assert (envelope.control, envelope.invocation_counter, envelope.body) == (0x20, 258, bytes(size))


@pytest.mark.parametrize("reading", AssociatedFields)
def test_what_has_no_header_authenticates_none(reading):
    assert associated_fields(b"", None, Interpretation(associated_fields=reading)) == b""


@pytest.mark.parametrize(("tag", "name"), CIPHERED_NAMES.items())
def test_every_service_specific_form_is_that_of_its_service(tag, name):
    dedicated = name.startswith("ded-")
    envelope = read_envelope(bytes((tag, 18, 0x30)) + bytes(17))
    service = tag - {0x20: 32, 0x30: 32, 0x40: 64, 0x50: 64, 0xC0: 8, 0xD0: 16}[tag & 0xF0]
    assert (envelope.tag, envelope.clear_tag) == (tag, service)
    assert envelope.key is (KeyUsed.DEDICATED if dedicated else KeyUsed.GLOBAL_UNICAST)
    assert (DEDICATED_TAGS if dedicated else GLOBAL_TAGS)[service] == tag
    assert is_protected(tag)
    assert not is_protected(service)
    assert service_specific_name(tag) == name


@pytest.mark.parametrize("suite", [SUITE_0, SUITE_1, SUITE_2])
@pytest.mark.parametrize("bits", [0x10, 0x20, 0x30])
def test_what_is_done_to_an_apdu_is_what_the_two_bits_say_in_every_suite(suite, bits):
    key, octets = material(suite).unicast, bytes.fromhex("00000102")
    control, nonce = bits | suite, METER + bytes.fromhex("00000102")
    expected = {
        0x10: GET + key.seal(control, nonce, b"", GET),
        0x20: key.stream(nonce, GET),
        0x30: key.seal(control, nonce, GET),
    }[bits]
    content = seal_content(key, SecurityControl(control), METER, 0x102, GET, b"")
    assert content == bytes((control,)) + octets + expected
    envelope = read_envelope(b"\xc8" + bytes((len(content),)) + content)
    assert open_content(envelope, key, envelope.control, METER, 0x102, b"") == GET


@pytest.mark.parametrize("around", [b"\xc8", b"\xd0", b"\xdb\x08" + METER])
@pytest.mark.parametrize("control", range(16))
def test_nothing_is_protected_in_no_suite_without_the_two_bits(around, control):
    content = bytes((control,)) + bytes(30)
    with pytest.raises(SecurityError, match="neither authentication nor encryption"):
        read_envelope(around + bytes((len(content),)) + content)
