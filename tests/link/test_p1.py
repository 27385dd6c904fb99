"""P1 telegrams, plain and ciphered, in any cut and between rubbish."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import FrameError
from cosem.link.p1 import CipheredTelegram, P1Parser, P1Telegram, crc16_arc, decode_p1_telegram
from tests.vectors import Vector, load, vector

PLAIN = [pytest.param(each, id=each.id) for each in load("telegrams") if each["framing"] == "p1 ascii"]
CIPHERED = [
    pytest.param(vector("telegrams", "p1-smarty-lu-ciphered"), id="p1-smarty-lu-ciphered"),
    pytest.param(vector("profiles", "p1-smarty"), id="p1-smarty"),
]


def fed(octets: bytes, cuts: list[int]) -> list[P1Telegram | CipheredTelegram]:
    parser = P1Parser()
    found = []
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), len(octets)], strict=True):
        found += parser.feed(octets[start:stop])
    return found + parser.idle()


def test_check_value_of_the_crc() -> None:
    entry = vector("profiles", "p1-crc")
    assert crc16_arc(entry.octets) == int(entry["decoded"]["crc"], 16)


@pytest.mark.parametrize("entry", PLAIN)
def test_captured_telegram(entry: Vector) -> None:
    (telegram,) = P1Parser().feed(entry.octets)
    assert isinstance(telegram, P1Telegram)
    assert telegram.checked
    assert entry.octets.lstrip(b"\r\n").startswith(b"/" + telegram.identification.encode("latin-1"))
    expected = entry["expected"]
    by_address = {each.address: each for each in telegram.data_sets}
    assert all(each.logical_name is not None for each in telegram.data_sets)
    for address, value in expected.items():
        if address in by_address and not isinstance(value, (list, dict)):
            said = by_address[address].values[-1]
            if isinstance(value, (int, float)):
                assert said.number == Decimal(str(value))
            elif "T" not in value:
                assert said.text == value
    if "identification" in expected:
        assert "/" + telegram.identification == expected["identification"]
    for start in range(0, len(entry.octets), 7):
        assert fed(entry.octets, [start]) == [telegram]
    assert fed(entry.octets, list(range(len(entry.octets)))) == [telegram]


@pytest.mark.parametrize("entry", PLAIN)
def test_every_change_is_noticed_and_truncation_waits(entry: Vector) -> None:
    octets = entry.octets.lstrip(b"\r\n")
    for at in range(1, len(octets) - 2, 5):
        changed = bytearray(octets)
        changed[at] ^= 1
        assert P1Parser().feed(bytes(changed)) == []
    whole = len(octets.rstrip(b"\r\n"))
    for size in range(whole):
        assert P1Parser().feed(octets[:size]) == []
    assert len(P1Parser().feed(octets[:whole])) == 1


@pytest.mark.parametrize("entry", CIPHERED)
def test_ciphered_telegram_is_cut_out(entry: Vector) -> None:
    telegrams = fed(entry.octets * 2, list(range(0, 2 * len(entry.octets), 3)))
    assert telegrams == [CipheredTelegram(entry.octets)] * 2
    assert telegrams[0].system_title == entry.octets[2:10]
    for size in range(len(entry.octets)):
        assert P1Parser().feed(entry.octets[:size]) == []


def test_plain_and_ciphered_between_rubbish() -> None:
    plain = vector("telegrams", "p1-dsmr5-isk").octets
    ciphered = vector("profiles", "p1-smarty").octets
    for rubbish in (
        b"",
        b"\x00\xff",
        b"(1.5*kWh)\r\n!AAAA\r\n",
        b"/KFM5cut off\r\n\r\n1-0:1.8.0(",
        b"\xdb\x08abcdefgh\x20\x99",
    ):
        octets = rubbish + plain + rubbish + b"\r\n" + ciphered + rubbish + plain
        found = fed(octets, [len(octets) // 2])
        assert [type(each) for each in found] == [P1Telegram, CipheredTelegram, P1Telegram]
        assert fed(octets, list(range(len(octets)))) == found


def test_telegram_without_a_crc() -> None:
    octets = b"/XMX5XMXABCE000046099\r\n\r\n1-0:1.8.1(00185.000*kWh)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00000.000)\r\n!\r\n"
    (telegram,) = P1Parser().feed(octets)
    assert isinstance(telegram, P1Telegram)
    assert not telegram.checked
    assert [len(each.values) for each in telegram.data_sets] == [1, 6, 1]
    parser = P1Parser()
    assert parser.feed(octets[:-2]) == []
    assert parser.idle() == [telegram]
    assert fed(octets[:-2] + octets, []) == [telegram, telegram]


@pytest.mark.parametrize(
    "wrong", [b"", b"/", b"KAM5\r\n!\r\n", b"/KAM5\r\n!XYZ1\r\n", b"/KAM5\r\n!1\r\n", b"/KAM5!"]
)
def test_no_telegram(wrong: bytes) -> None:
    with pytest.raises(FrameError):
        decode_p1_telegram(wrong)


def test_damage_is_counted() -> None:
    octets = vector("telegrams", "p1-dsmr5-isk").octets.replace(b"(50)", b"(51)")
    parser = P1Parser()
    assert parser.feed(octets) == []
    assert parser.faults == {"the CRC is wrong": 1}
    assert parser.discarded


@given(
    st.lists(
        st.one_of(
            st.sampled_from([each.values[0].octets for each in PLAIN[:2]]),
            st.just(vector("profiles", "p1-smarty").octets),
            st.binary(max_size=20),
            st.sampled_from([b"/ABC5", b"\r\n/", b"!", b"\r\n!\r\n", b"\xdb\x08", b"/"]),
        ),
        max_size=6,
    ),
    st.data(),
)
def test_any_cut_of_anything_gives_the_same(pieces: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(octets)), max_size=8))
    assert fed(octets, cuts) == fed(octets, [])


@pytest.mark.parametrize(
    "rubbish",
    [
        b"/" * 1_000_000,
        b"/ABC" * 250_000,
        b"/ABC5\r\nx" * 130_000,
        b"x/ABC5\r\n" * 130_000,
        b"/ABC5\r\n" + b"1-0:1.8.0(1)\r\n" * 80_000,
        b"\xdb\x08" * 500_000,
        b"\xdb" * 1_000_000,
        random.Random(3).randbytes(1_000_000),
    ],
    ids=lambda rubbish: f"{rubbish[:8].hex()}x{len(rubbish)}",
)
def test_rubbish_is_bounded_and_hides_nothing(rubbish: bytes) -> None:
    parser = P1Parser()
    octets = vector("telegrams", "p1-dsmr5-isk").octets
    found = []
    for start in range(0, len(rubbish), 50_000):
        found += parser.feed(rubbish[start : start + 50_000])
        assert len(parser._buffer) <= 16 * 1024
    found += parser.feed(b"\r\n" + octets) + parser.idle()
    assert found[-1] == decode_p1_telegram(octets)
