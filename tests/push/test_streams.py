"""Streams in any cut, with rubbish anywhere: the same messages come out, in bounded memory, and nothing but our errors."""

from __future__ import annotations

import gc
import pickle
import random
import tracemalloc
from contextlib import nullcontext, suppress
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cosem
from cosem.link.hdlc.frame import frame_octets
from cosem.link.mbus import wrap_mbus
from cosem.link.wrapper import wrap
from cosem.push import Parser, PushMessage, StrictFindings, decode
from cosem.push.sizes import BARE_TAGS, apdu_size
from cosem.security.inspection import Verdict
from tests.vectors import Vector, load, vector

ALL = load("telegrams")
IDS = [each.id for each in ALL]
NOTIFICATION = bytes.fromhex("0F 00000001 00 0202 0906 0000600100FF 0903 313233")
PUSH_LIKE = [each for each in ALL if each["kind"] not in {"frame", "apdu"}]


@cache
def keys_of(identifier: str) -> cosem.Keys | None:
    given_keys = vector("telegrams", identifier)["keys"]
    if not given_keys:
        return None
    return cosem.Keys.parse(
        **{
            name: given_keys[short]
            for name, short in (("encryption", "ek"), ("authentication", "ak"))
            if given_keys[short]
        }
    )


def parser_of(entry: Vector, **options: bool) -> Parser:
    return Parser(keys_of(entry.id), decrypt_unverified=True, **options)


def run(parser: Parser, *chunks: bytes) -> list[PushMessage]:
    messages = [message for chunk in chunks for message in parser.feed(chunk)]
    return messages + parser.finish()


@cache
def expected_of(identifier: str) -> list[PushMessage]:
    entry = vector("telegrams", identifier)
    return run(parser_of(entry), entry.octets)


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(octets) + 1) for place in places), len(octets)]
    return [octets[start:stop] for start, stop in pairwise(edges)]


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_octet_by_octet_gives_the_same(entry):
    octets = entry.octets if len(entry.octets) < 2000 else entry.octets[:2000]
    assert run(parser_of(entry), *(bytes((octet,)) for octet in octets)) == run(parser_of(entry), octets)


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_a_stream_gives_what_octets_that_are_all_there_give(entry):
    if entry.id == "lg-zmf100-embriq-badfcs":
        assert expected_of(entry.id) == []  # only who has all of it can tell that nothing else is there
        assert run(parser_of(entry, check=False), entry.octets)
        return
    assert expected_of(entry.id) == decode(entry.octets, keys_of(entry.id), decrypt_unverified=True)


@pytest.mark.parametrize("entry", PUSH_LIKE, ids=[each.id for each in PUSH_LIKE])
def test_a_message_is_given_out_with_its_last_octet(entry):
    parser = parser_of(entry)
    assert parser.feed(entry.octets) == expected_of(entry.id)
    assert parser.finish() == []


@given(st.sampled_from(ALL), st.lists(st.integers(0, 6000), max_size=12))
def test_any_cut_gives_the_same(entry, places):
    assert run(parser_of(entry), *cut(entry.octets, places)) == expected_of(entry.id)


@given(
    st.lists(st.sampled_from(PUSH_LIKE), min_size=2, max_size=4),
    st.lists(st.integers(0, 6000), max_size=12),
    st.randoms(),
)
def test_any_cut_of_any_mixture_with_rubbish_gives_the_same(entries, places, rng):
    stream = b"".join(each.octets + rng.randbytes(rng.randrange(40)) for each in entries)
    known = next((keys for keys in map(keys_of, (each.id for each in entries)) if keys), None)

    def parser() -> Parser:
        return Parser(known, decrypt_unverified=True)

    assert run(parser(), *cut(stream, places)) == run(parser(), stream)


# Octets that begin like something; what follows them is no such thing.
HEADS = {
    "nothing": (b"",),
    "hdlc": ("7E", "7EA0", "7EA020", "7EA7FF410313", "7EA890CEFF0313", "7EA0080203"),
    "mbus": ("68", "68101068", "68FAFA68", "68030368", "6810106853FF", "68FAFA6808"),
    "wrapper": ("0001", "000100010010", "0001000100100040", "00010001001000400F", "000100010010FFFF"),
    "ciphering": ("DB", "DB08", "DB00", "DB0853595354454D494481", "DD", "DF02"),
    "notification": ("0F", "0F0000000000", "0F400000000C07", "C2", "C200", "60", "6020A109"),
    "blocks": ("E0", "E04000010000", "E6E700", "E6E7000F", "E70003"),
    "text": (
        "2F",
        "2F49534B",
        "2F49534B350D0A",
        "2F49534B350D0A0D0A312D303A312E382E302831290D0A",
        "21",
        "0A21",
    ),
    "fill": ("FF" * 40, "00" * 40, "55" * 5, "7E" * 9),
}
# What has no frame has no other hold than its own structure: the begin of another such APDU before it takes it in.
# With random octets behind them these heads can be such a begin.
BEGINS_OF_APDUS = {"ciphering", "notification", "blocks"}
# Octets that say themselves what they are only if they are all there and alone: one APDU of a service that nobody
# pushes, and values of Data.
NOT_IN_STREAMS = {
    "apdu-profile-buffer-null-clock",
    "data-kamstrup-object-list",
    "apdu-get-withlist-missing-choice",
}


def rubbish(rng: random.Random, kind: str) -> bytes:
    head = rng.choice(HEADS[kind])
    tail = rng.randbytes(rng.randrange(60 if kind == "nothing" else 12))
    if kind == "text":
        tail = tail.replace(b"!", b"-")  # else it is a telegram
    if kind not in BEGINS_OF_APDUS | {"nothing"}:
        tail = bytes(octet for octet in tail if octet not in BARE_TAGS)
    return (bytes.fromhex(head) if isinstance(head, str) else head) + tail


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_rubbish_before_between_and_after_loses_nothing_and_adds_nothing(entry, kind):
    expected = [] if entry.id in NOT_IN_STREAMS else expected_of(entry.id)
    framed = all(message.framing[0] in {"hdlc", "mbus", "wrapper", "p1"} for message in expected)
    if kind in BEGINS_OF_APDUS and not framed:
        kind = "nothing"
    wanted = [message.octets for message in expected] * 2
    rng = random.Random(f"{entry.id} {kind}")
    for _ in range(3):
        before, between, after = (rubbish(rng, kind) for _ in range(3))
        stream = before + entry.octets + between + entry.octets + after
        for chunks in ([stream], cut(stream, [rng.randrange(len(stream)) for _ in range(5)])):
            octets = [message.octets for message in run(parser_of(entry), *chunks)]
            if kind in BEGINS_OF_APDUS:
                octets = [each for each in octets if each in wanted]
            assert octets == wanted, (before.hex(), between.hex(), after.hex())


@pytest.mark.parametrize("entry", PUSH_LIKE, ids=[each.id for each in PUSH_LIKE])
@given(before=st.binary(max_size=60), between=st.binary(max_size=60), after=st.binary(max_size=60))
def test_any_rubbish_loses_nothing(entry, before, between, after):
    if entry.id == "lg-zmf100-embriq-badfcs":
        return  # it is rubbish itself: its check sequence is wrong
    found = run(parser_of(entry), before + entry.octets + between + entry.octets + after)
    wanted = [message.octets for message in expected_of(entry.id)] * 2
    octets = [message.octets for message in found]
    for each in wanted:
        assert each in octets
    assert len([each for each in octets if each in wanted]) == len(wanted)


@pytest.mark.parametrize("entry", PUSH_LIKE, ids=[each.id for each in PUSH_LIKE])
def test_the_rest_of_a_message_where_a_stream_is_joined_is_no_message(entry):
    wanted = {message.octets for message in expected_of(entry.id)}
    size = len(entry.octets)
    for start in range(1, size, 1 + size // 60):
        parser = Parser(keys_of(entry.id), decrypt_unverified=True, joined=True)
        found = parser.feed(entry.octets[start:])
        for message in found:
            assert message.octets in wanted  # what is whole may be there
        later = parser.feed(entry.octets * 2) + parser.idle() + parser.feed(entry.octets)
        assert {message.octets for message in later} <= wanted
        assert len(later) >= len(expected_of(entry.id))


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_every_truncation_gives_messages_or_nothing(entry):
    whole = {message.octets for message in expected_of(entry.id)}
    for size in range(min(len(entry.octets), 700)):
        part = entry.octets[:size]
        for message in run(parser_of(entry), part):
            # A stream may hold several messages; one that was cut off may at most be shorter, never another one.
            assert message.octets in whole or any(each.startswith(message.octets) for each in whole)


@given(st.sampled_from(ALL), st.data(), st.booleans())
def test_mutated_octets_raise_nothing_but_our_errors(entry, data, strict):
    octets = bytearray(entry.octets[:1200])
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with suppress(StrictFindings) if strict else nullcontext():
        decode(bytes(octets), keys_of(entry.id), strict=strict, decrypt_unverified=True)


def test_errors_of_strictness_pickle():
    with pytest.raises(StrictFindings) as caught:
        decode(vector("telegrams", "kaifa-no-list1").octets, strict=True)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.message) == (str(caught.value), caught.value.message)


def test_a_mutation_never_changes_what_is_verified():
    entry = vector("telegrams", "kamstrup-omnipower-ciphered-auth")
    apdu = expected_of(entry.id)[0].octets
    values = expected_of(entry.id)[0].values
    rng = random.Random(1)
    for _ in range(300):
        octets = bytearray(apdu)
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
        for message in decode(bytes(octets), keys_of(entry.id)):
            if message.verification is Verdict.VERIFIED:
                assert message.values == values
            else:
                assert message.values == ()


def test_a_damaged_frame_is_not_read_by_its_inside():
    entry = vector("telegrams", "aidon-se-3phase")
    rng = random.Random(2)
    for _ in range(200):
        octets = bytearray(entry.octets)
        octets[rng.randrange(12, len(octets) - 3)] ^= 1 << rng.randrange(8)
        parser = Parser()
        assert run(parser, entry.octets, bytes(octets)) == expected_of(entry.id)
        parser = Parser()
        assert run(parser, bytes(octets), entry.octets) == expected_of(entry.id)


def test_a_frame_that_was_cut_off_hides_none_that_follows():
    first = vector("telegrams", "aidon-se-3phase")
    for size in range(1, len(first.octets), 7):
        found = run(Parser(), first.octets[:size], first.octets)
        assert found == expected_of(first.id)


def test_a_bare_apdu_that_was_cut_off_gives_way_to_frames():
    bare = vector("telegrams", "kaifa-at-salzburg-raw")
    framed = vector("telegrams", "aidon-se-3phase")
    assert run(Parser(), bare.octets[:200], framed.octets) == expected_of(framed.id)


def test_findings_of_one_message_are_not_those_of_the_next():
    entry = vector("telegrams", "iskra-am550-hdlc-3seg")
    one = expected_of(entry.id)
    assert run(Parser(), entry.octets, entry.octets) == one * 2


@pytest.mark.parametrize(
    "head", ["0001 0001 0010 FFF0 C401", "0001 0001 0067 F000 DB08", "0001 0001 0067 0800 0F"]
)
def test_what_looks_like_a_long_message_holds_no_message_up(head):
    entry = vector("telegrams", "aidon-se-3phase")
    parser = Parser()
    found = [
        message for _ in range(6) for message in parser.feed(bytes.fromhex(head) + b"\x55" * 9 + entry.octets)
    ]
    assert len(found) >= 5


def test_strictness_loses_no_message_around_the_one_that_raises():
    good = wrap(NOTIFICATION, 1, 16)
    bad = vector("telegrams", "kaifa-no-list1").octets
    parser = Parser(strict=True)
    assert len(parser.feed(good + bad + good)) == 1
    with pytest.raises(StrictFindings) as caught:
        parser.feed(b"")
    assert caught.value.message.maker == "Kaifa"
    assert len(parser.feed(good)) == 2
    with pytest.raises(StrictFindings):
        parser.feed(bad)
    assert parser.finish() == []
    with pytest.raises(StrictFindings):
        decode(good + bad, strict=True)


@pytest.mark.parametrize(
    "stream",
    [
        wrap(NOTIFICATION, 1, 16),
        wrap(bytes.fromhex("E7 00 02 3132") + NOTIFICATION, 1, 16),
        wrap_mbus(NOTIFICATION, 1, 103),
        frame_octets(bytes.fromhex("41 03"), 0x13, b"\xe6\xe7\x00" + NOTIFICATION),
        frame_octets(bytes.fromhex("41 03"), 0x13, b"\xe6\xe7\x00\xe7\x00\x01A" + NOTIFICATION),
        b"\xe6\xe7\x00" + NOTIFICATION,
        bytes.fromhex("E7 00 02 3132") + NOTIFICATION,
        NOTIFICATION,
        bytes.fromhex("E0 80 0001 0000") + bytes((len(NOTIFICATION),)) + NOTIFICATION,
        bytes.fromhex("E0 00 0001 0000 05")
        + NOTIFICATION[:5]
        + bytes.fromhex("E0 80 0002 0000")
        + bytes((len(NOTIFICATION) - 5,))
        + NOTIFICATION[5:],
        bytes.fromhex("C2 00 0001 0000600100FF 02 0903 313233"),
    ],
    ids=[
        "wrapper",
        "wrapper-gateway",
        "mbus",
        "hdlc",
        "hdlc-gateway",
        "llc",
        "gateway",
        "bare",
        "block",
        "blocks",
        "event",
    ],
)
def test_every_framing_carries_the_same_value(stream):
    for chunks in ([stream], [bytes((octet,)) for octet in stream]):
        (message,) = run(Parser(), *chunks)
        assert [(str(each.obis), each.value) for each in message.values] == [("0.0.96.1.0.255", "123")]


@given(
    st.binary(min_size=20, max_size=60),
    st.integers(0, 12),
    st.sampled_from(["", "7E", "7EA00A", "2F", "2F414243", "68", "0001000100100009C2"]),
)
def test_what_is_decoded_alone_is_what_a_parser_finds(text, cut, inside):
    octets = text + bytes.fromhex(inside) + text[:cut]
    notification = bytes.fromhex("0F 00000001 00 0202 0906 0000600100FF 09") + bytes((len(octets),)) + octets
    for _ in range(3):  # its shape is known then
        assert decode(notification) == run(Parser(), notification)


def test_strictness_is_that_of_a_parser_where_a_shape_is_known():
    notification = NOTIFICATION[:5] + bytes.fromhex("0C 07EA 01 01 FF 0A 00 00 00 8000 00") + NOTIFICATION[6:]
    for _ in range(3):
        assert [each.findings for each in decode(notification)] == [("time-without-deviation",)]
    with pytest.raises(StrictFindings):
        decode(notification, strict=True)


def test_memory_stays_flat_over_many_telegrams():
    streams = [
        vector("telegrams", each)
        for each in (
            "iskra-am550-hdlc-3seg",
            "lg-e450-gbt-plain-alt",
            "p1-dsmr5-isk",
            "kaifa-at-netznoe-mbus-ciphered",
        )
    ]
    parser = Parser(keys_of("kaifa-at-netznoe-mbus-ciphered"), decrypt_unverified=True)

    def feed(times: int) -> int:
        count = 0
        for _ in range(times):
            for each in streams:
                count += len(parser.feed(each.octets + b"\x55\x00rubbish"))
        return count

    feed(20)
    tracemalloc.start()
    feed(5)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    assert feed(200) == 800
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 20_000
    assert parser.pending < 200


@pytest.mark.parametrize(
    "endless",
    [
        b"\x7e\xa7\xff",
        b"\x68\xff\xff\x68",
        b"/ABC5\n1.8.0(1)\n",
        b"\xdb\x08SYSTEMID\x82\xff\x00\x30",
        b"\x0f\0\0\0\0\0\x02\xff",
        b"\x00\x01\x00\x01\x00\x10\xff\xf0\x0f\0\0\0\0\0\x02\xff",
        bytes.fromhex("E0 40 0001 0000 82 0400") + bytes(1024),
        b"\x7e",
        b"\0",
    ],
)
def test_what_never_ends_is_kept_within_bounds(endless):
    parser = Parser(most=4096)
    for _ in range(40_000 // len(endless)):
        parser.feed(endless)
        assert parser.pending <= 20_000
    parser.finish()
    assert len(run(parser, frame_octets(bytes.fromhex("41 03"), 0x13, b"\xe6\xe7\x00" + NOTIFICATION))) == 1


class Counted(bytes):
    """Octets that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, key):
        Counted.looks += 1
        return super().__getitem__(key)


def calls_of(octets: bytes, monkeypatch: pytest.MonkeyPatch, step: int | None = None) -> int:
    """How often a parser asks for the size of an APDU, and how many octets are looked at for it."""
    from cosem.push import measuring

    Counted.looks = calls = 0

    def counted(data: bytes, pos: int, most: int, trails: object) -> int:
        nonlocal calls
        calls += 1
        # So far reaches what may be believed without a frame.
        return apdu_size(Counted(data[pos : pos + 0x2000]), 0, most)

    monkeypatch.setattr(measuring, "apdu_size", counted)
    run(
        Parser(),
        *(octets[at : at + (step or len(octets))] for at in range(0, len(octets), step or len(octets))),
    )
    return calls + Counted.looks


@pytest.mark.parametrize("step", [None, 1000])
@pytest.mark.parametrize(
    "pattern",
    [
        "0001 0001 0010 FF00 0F 00000001 00",
        "0001 0001 0010 4000 0F 00000001 00",
        "0F 00000000 00 02",
        "0F 00000001 00 01 10 02 02",
        "0F 00000001 00 02 02 09 06",
    ],
)
def test_the_work_for_rubbish_grows_with_its_size_and_no_more(pattern, step, monkeypatch):
    unit = bytes.fromhex(pattern)
    few, many = (calls_of(unit * (size // len(unit)), monkeypatch, step) for size in (4000, 16000))
    assert many < 6 * few
    assert many < 60 * 16000


def test_what_stands_behind_many_headers_that_were_cut_off_is_found():
    nest = bytes.fromhex("0001 0001 0010 FF00 0F 00000001 00") * 300
    parser = Parser()
    assert run(parser, nest, wrap(NOTIFICATION, 1, 16)) == run(Parser(), wrap(NOTIFICATION, 1, 16))
