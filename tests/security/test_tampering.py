"""Whatever is changed in a protected message, nothing of it is delivered, and nothing is remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import (
    CosemError,
    DecodeError,
    KeyMissingError,
    ReplayError,
    SecurityError,
    VerificationError,
)
from cosem.security.gcm import AesGcmKey
from cosem.security.inspection import Verdict, inspect
from cosem.security.key_wrap import KeyEncryptionKey
from cosem.security.material import SecurityMaterial
from cosem.security.protection import Protection
from tests.security.protecting import (
    AK,
    EK,
    GET,
    HEAD_END,
    METER,
    SUITE_1,
    THIRD,
    material,
    protected_vectors,
    protection,
    vector_material,
    vector_protection,
)
from tests.vectors import Vector, vector

PROTECTED = [pytest.param(each, id=each.id) for each in protected_vectors()]


def every_key(each: Vector) -> SecurityMaterial:
    """Return the keys of a vector, and every other key as well: no change may end at a key that happens to be missing."""
    own = vector_material(each)
    if own.suite is SUITE_1:
        return replace(
            own, unicast=AesGcmKey(EK, AK), broadcast=AesGcmKey(EK[::-1], AK), master=KeyEncryptionKey(AK)
        )
    rest = material(own.suite)
    return replace(
        own,
        unicast=own.unicast or rest.unicast,
        broadcast=own.broadcast or rest.broadcast,
        dedicated=own.dedicated or rest.unicast,
        master=own.master or rest.master,
    )


def refused(receiver: Protection, octets: bytes) -> None:
    with pytest.raises((SecurityError, DecodeError)):
        receiver.unprotect(octets)


@pytest.mark.parametrize("each", PROTECTED)
def test_no_bit_can_be_changed(each: Vector) -> None:
    keys = every_key(each)
    receiver = protection(HEAD_END, METER, keys=keys)
    for index in range(len(each.octets)):
        for bit in range(8):
            octets = bytearray(each.octets)
            octets[index] ^= 1 << bit
            refused(receiver, bytes(octets))
    assert receiver.unprotect(each.octets)[1].verified, "nothing that was refused left a trace"


@pytest.mark.parametrize("each", PROTECTED)
def test_inspection_never_verifies_nor_shows_what_was_changed(each: Vector) -> None:
    keys = every_key(each)
    for index in range(len(each.octets)):
        octets = bytearray(each.octets)
        octets[index] ^= 0x04
        try:
            found = inspect(bytes(octets), lambda title: keys, system_title=METER, decrypt_unverified=True)
        except DecodeError:
            continue  # the tag of no protected APDU
        assert found.verdict is not Verdict.VERIFIED
        # Bit 4 may have made of it what says that it has no tag: that is shown, when asked for, as unverifiable.
        assert found.plain is None or not any(layer.verified for layer in found.status.layers)
        silent = inspect(bytes(octets), lambda title: keys, system_title=METER)
        assert silent.plain is None


@pytest.mark.parametrize("each", PROTECTED)
def test_no_octet_can_be_cut_off_or_added(each: Vector) -> None:
    receiver = protection(HEAD_END, METER, keys=every_key(each))
    for size in range(len(each.octets)):
        refused(receiver, each.octets[:size])
        refused(receiver, each.octets[:size] + each.octets[size + 1 :])
    for more in (b"\x00", b"\xff", each.octets):
        refused(receiver, each.octets + more)
        refused(receiver, more + each.octets)
    # The length put right as well, where it has one octet at a place that is known.
    if each.octets[0] == 0xC8:
        for size in range(len(each.octets) - 2):
            refused(receiver, bytes((0xC8, size)) + each.octets[2 : 2 + size])
        longer = each.octets[2:] + b"\x00"
        refused(receiver, bytes((0xC8, len(longer))) + longer)


def changed(octets: bytes) -> bytes:
    return octets[:-1] + bytes((octets[-1] ^ 1,))


SYMMETRIC = [
    pytest.param(each, id=each.id)
    for each in protected_vectors()
    if "encryption_key" in each.entry and "1e1s" not in each.id and "0e2s" not in each.id
]


@pytest.mark.parametrize("each", SYMMETRIC)
def test_another_key_opens_nothing(each: Vector) -> None:
    ek, ak = each.hex("encryption_key"), each.hex("authentication_key")
    suite = vector_material(each).suite
    for keys in ((changed(ek), ak), (ek, changed(ak)), (ak, ek), (ek, None)):
        receiver = protection(HEAD_END, METER, keys=SecurityMaterial(suite, unicast=AesGcmKey(*keys)))
        with pytest.raises(VerificationError):
            receiver.unprotect(each.octets)


@pytest.mark.parametrize("each", PROTECTED)
def test_another_sender_is_refused(each: Vector) -> None:
    receiver = protection(HEAD_END, THIRD, keys=every_key(each))
    with pytest.raises(VerificationError):
        receiver.unprotect(each.octets)
    found = inspect(each.octets, lambda title: None)
    assert (found.verdict, found.plain) == (Verdict.UNVERIFIABLE, None)


@pytest.mark.parametrize("each", PROTECTED)
def test_our_own_message_that_comes_back_is_refused(each: Vector) -> None:
    receiver = protection(METER, HEAD_END, keys=every_key(each))
    refused(receiver, each.octets)


@pytest.mark.parametrize("each", [each for each in PROTECTED if "gs-" not in each.id])
def test_the_same_message_is_taken_once(each: Vector) -> None:
    receiver = protection(HEAD_END, METER, keys=every_key(each))
    receiver.unprotect(each.octets)
    for _ in range(2):
        with pytest.raises(ReplayError):
            receiver.unprotect(each.octets)


USUAL = [
    pytest.param(vector("security", name), id=name) for name in ("T6-get-30", "C-initreq-30", "suite2-get-32")
]


@pytest.mark.parametrize("each", USUAL)
def test_no_bit_of_a_second_message_can_be_changed(each: Vector) -> None:
    # What was decided of the first message is not decided again: nothing may slip through there.
    keys = vector_material(each)
    receiver = protection(HEAD_END, METER, keys=keys)
    first = protection(METER, HEAD_END, keys=keys, counter=0x01234566).protect(each.hex("plaintext"))
    receiver.unprotect(first)
    assert receiver._known
    for index in range(len(each.octets)):
        for bit in range(8):
            octets = bytearray(each.octets)
            octets[index] ^= 1 << bit
            refused(receiver, bytes(octets))
        refused(receiver, each.octets[:index])
        refused(receiver, each.octets[:index] + each.octets[index + 1 :])
    with pytest.raises(DecodeError, match="too many"):
        receiver.unprotect(each.octets + b"\x00")
    clear, status = receiver.unprotect(each.octets)
    assert clear == each.hex("plaintext")
    assert status == protection(HEAD_END, METER, keys=keys).unprotect(each.octets)[1]
    for octets in (first, each.octets):
        with pytest.raises(ReplayError):
            receiver.unprotect(octets)


def test_the_service_within_a_second_message_is_the_one_without() -> None:
    receiver = protection(HEAD_END, METER)
    receiver.unprotect(protection(counter=0).protect(GET))
    for clear in (b"\xc1" + GET[1:], b"\x01", b""):
        octets = b"\x00\x00\x00\x05"
        content = b"\x30" + octets + material().unicast.seal(0x30, METER + octets, clear)
        with pytest.raises(VerificationError, match="another service"):
            receiver.unprotect(b"\xc8" + bytes((len(content),)) + content)


def test_the_highest_counter_of_a_second_message_is_refused() -> None:
    receiver = protection(HEAD_END, METER)
    receiver.unprotect(protection(counter=0).protect(GET))
    content = b"\x30\xff\xff\xff\xff" + material().unicast.seal(0x30, METER + b"\xff" * 4, GET)
    with pytest.raises(ReplayError):
        receiver.unprotect(b"\xc8" + bytes((len(content),)) + content)


def test_counters_go_up_and_only_verified_ones_count() -> None:
    sender = protection(counter=100)
    first, second, third = (sender.protect(GET) for _ in range(3))
    receiver = protection(HEAD_END, METER)
    receiver.unprotect(second)
    with pytest.raises(ReplayError) as caught:
        receiver.unprotect(first)
    assert (caught.value.received, caught.value.expected) == (100, 102)
    forged = bytearray(third)
    forged[3:7] = b"\xff\xff\xff\xfe"
    refused(receiver, bytes(forged))
    assert receiver.unprotect(third)[0] == GET


def test_a_forger_learns_nothing_of_the_counter() -> None:
    receiver = protection(HEAD_END, METER)
    receiver.unprotect(protection(counter=100).protect(GET))
    forged = bytearray(protection(counter=1).protect(GET))
    forged[-1] ^= 1
    with pytest.raises(VerificationError):
        receiver.unprotect(bytes(forged))


def test_the_highest_counter_is_refused_although_it_is_genuine() -> None:
    key = material().unicast
    nonce = METER + b"\xff\xff\xff\xff"
    octets = b"\xc8\x1e\x30\xff\xff\xff\xff" + key.seal(0x30, nonce, GET)
    with pytest.raises(ReplayError):
        protection(HEAD_END, METER).unprotect(octets)


def test_the_service_within_is_the_one_without() -> None:
    key = material().unicast
    body = b"\x30\x00\x00\x00\x01" + key.seal(0x30, METER + b"\x00\x00\x00\x01", GET)
    for tag in (0xC9, 0xCB, 0xCC, 0x21, 0x25):
        with pytest.raises(VerificationError, match=r"glo-.*another service"):
            protection(HEAD_END, METER).unprotect(bytes((tag, len(body))) + body)
    assert protection(HEAD_END, METER).unprotect(bytes((0xC8, len(body))) + body)[0] == GET


@pytest.mark.parametrize("suite", range(16))
def test_another_suite_is_refused(suite: int) -> None:
    key = material().unicast
    body = (
        bytes((0x30 | suite,))
        + b"\x00\x00\x00\x01"
        + key.seal(0x30 | suite, METER + b"\x00\x00\x00\x01", GET)
    )
    octets = bytes((0xC8, len(body))) + body
    if suite == 0:
        assert protection(HEAD_END, METER).unprotect(octets)[0] == GET
    else:
        with pytest.raises(SecurityError, match="suite"):
            protection(HEAD_END, METER).unprotect(octets)


@pytest.mark.parametrize("control", [0x80, 0x90, 0xA0, 0xB0, 0xF0])
@pytest.mark.parametrize("form", ["glo", "ded", "general-glo", "general-ded", "general-ciphering"])
def test_what_is_compressed_is_refused_and_says_why(control: int, form: str) -> None:
    content = bytes((control,)) + bytes(30)
    length = bytes((len(content),))
    around = {
        "glo": b"\xc8",
        "ded": b"\xd0",
        "general-glo": b"\xdb\x08" + METER,
        "general-ded": b"\xdc\x08" + METER,
        "general-ciphering": b"\xdd\x00\x08" + METER + b"\x08" + HEAD_END + b"\x00\x00\x00",
    }[form]
    with pytest.raises(SecurityError, match="compressed"):
        protection(HEAD_END, METER).unprotect(around + length + content)


@pytest.mark.parametrize(
    "octets",
    [b"\xc8\x01\x00", b"\xc8\x0e\x00" + GET, b"\xdb\x08" + METER + b"\x0e\x00" + GET, b"\xd0\x0e\x40" + GET],
)
def test_no_protection_at_all_is_no_protection(octets: bytes) -> None:
    with pytest.raises(SecurityError, match="neither authentication nor encryption"):
        protection(HEAD_END, METER, encryption_only=True).unprotect(octets)


AROUND = {
    "glo": b"\xc8",
    "general-glo": b"\xdb\x08" + METER,
    "general-glo without title": b"\xdb\x00",
    "general-ciphering": b"\xdd\x00\x08" + METER + b"\x08" + HEAD_END + b"\x00\x00\x00",
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no security control"),
        (b"\x30", "no invocation counter"),
        (b"\x20\x00\x00\x00", "no invocation counter"),
        (b"\x10\x00\x00\x00", "no invocation counter"),
        (b"\x30" + bytes(4 + 11), "no authentication tag"),
        (b"\x10" + bytes(4 + 11), "no authentication tag"),
    ],
)
def test_a_content_that_is_cut_says_what_is_missing(around: bytes, content: bytes, problem: str) -> None:
    receiver = protection(HEAD_END, METER, encryption_only=True)
    with pytest.raises(DecodeError, match=problem):
        receiver.unprotect(around + bytes((len(content),)) + content)


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_nothing_follows_the_content(around: bytes) -> None:
    further = b"" if around[0] != 0xDD else around[1:-1]
    nonce = b"\x00\x00\x00\x01"
    content = b"\x30" + nonce + material().unicast.seal(0x30, METER + nonce, GET, further)
    octets = around + bytes((len(content),)) + content
    receiver = protection(HEAD_END, METER)
    with pytest.raises(DecodeError, match="too many"):
        receiver.unprotect(octets + b"\x00")
    assert receiver.unprotect(octets)[0] == GET


@pytest.mark.parametrize("tag", [0xDD, 0xDF])
@pytest.mark.parametrize(
    "titles",
    [(METER[:7], HEAD_END), (METER + b"\x00", HEAD_END), (METER, HEAD_END[:7]), (METER, HEAD_END + b"\x00")],
)
def test_each_system_title_of_a_header_has_eight_octets(tag: int, titles: tuple[bytes, bytes]) -> None:
    header = b"\x00" + b"".join(bytes((len(title),)) + title for title in titles) + b"\x00\x00"
    rest = b"\x00\x1e" + bytes(30) if tag == 0xDD else b"\x01\xc0\x40" + bytes(64)
    with pytest.raises(SecurityError, match="a system title of"):
        protection(HEAD_END, METER).unprotect(bytes((tag,)) + header + rest)


def test_key_set_is_zero_where_it_has_no_meaning() -> None:
    dedicated = vector("security", "ded-get")
    octets = bytearray(dedicated.octets)
    octets[2] = 0x70
    with pytest.raises(SecurityError, match="bit 6"):
        vector_protection(dedicated).unprotect(bytes(octets))
    general = vector("security", "gc-identified-30")
    octets = bytearray(general.octets)
    octets[octets.index(b"\x30\x01\x23\x45\x67")] = 0x70
    with pytest.raises(SecurityError, match="bit 6"):
        vector_protection(general).unprotect(bytes(octets))


def test_a_system_title_of_another_length_is_refused() -> None:
    octets = vector("security", "gglo-get").octets
    for title in (METER[:7], METER + b"\x00"):
        with pytest.raises(SecurityError, match="system title"):
            protection(HEAD_END, METER).unprotect(b"\xdb" + bytes((len(title),)) + title + octets[10:])


def test_an_empty_system_title_stands_for_the_one_that_is_known() -> None:
    octets = b"\xdb\x00" + vector("security", "gglo-get").octets[10:]
    clear, status = protection(HEAD_END, METER).unprotect(octets)
    assert (clear, status.findings) == (GET, ("system-title-empty",))
    with pytest.raises(KeyMissingError):
        protection(HEAD_END, None).unprotect(octets)


@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\xc8", b"\xdb\x08" + METER, b"\xdd\x00\x08" + METER, b"\xdf"]),
)
def test_rubbish_is_refused_by_an_error_of_ours(octets: bytes, start: bytes) -> None:
    receiver = protection(HEAD_END, METER, suite=SUITE_1)
    refused(receiver, start + octets)
    try:
        found = inspect(start + octets, lambda title: material(SUITE_1, HEAD_END), system_title=METER)
    except CosemError:
        return
    assert found.plain is None
