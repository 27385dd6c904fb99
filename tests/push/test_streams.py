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
    if len(entry.octets) > 2000:  # a whole value of Data is no stream; it gives nothing however it is cut
        assert expected_of(entry.id) == []
    assert run(parser_of(entry), *(bytes((octet,)) for octet in entry.octets[:2000])) == run(
        parser_of(entry), entry.octets[:2000]
    )


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


RUBBISH = st.binary(max_size=60)


@pytest.mark.parametrize("entry", PUSH_LIKE, ids=[each.id for each in PUSH_LIKE])
@given(before=RUBBISH, between=RUBBISH, after=RUBBISH)
def test_rubbish_before_between_and_after_loses_nothing(entry, before, between, after):
    if entry.id == "lg-zmf100-embriq-badfcs":
        return  # it is rubbish itself: its check sequence is wrong
    found = run(parser_of(entry), before + entry.octets + between + entry.octets + after)
    wanted = [message.octets for message in expected_of(entry.id)] * 2
    octets = [message.octets for message in found]
    for each in wanted:
        assert each in octets
    assert len([each for each in octets if each in wanted]) == len(wanted)


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
