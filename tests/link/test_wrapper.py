"""The wrapper: units cut anywhere, several at once, bad headers, limits."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import EncodeError, FrameError
from cosem.link.base import ApduReceived, Connected, Disconnected
from cosem.link.wrapper import DEFAULT_PORT, WrapperClientLink, WrapperParser, WrapperServerLink, wrap

ports = st.integers(0, 0xFFFF)
units = st.lists(st.tuples(ports, ports, st.binary(max_size=40)), max_size=8)


def test_a_unit_by_hand():
    assert wrap(bytes.fromhex("C001C1000100002A0000FF0200"), 16, 1).hex(" ").upper() == (
        "00 01 00 10 00 01 00 0D C0 01 C1 00 01 00 00 2A 00 00 FF 02 00"
    )
    assert DEFAULT_PORT == 4059


@given(units, st.lists(st.integers(1, 50)))
def test_any_cut_of_any_units_gives_the_same(sent, cuts):
    stream = b"".join(wrap(apdu, source, destination) for source, destination, apdu in sent)
    parser = WrapperParser()
    found = []
    at = 0
    for size in [*cuts, len(stream)]:
        found += parser.feed(stream[at : at + size])
        at += size
    assert found == sent
    assert not parser.partial


@given(units.filter(bool), st.data())
def test_a_unit_that_has_begun_is_waited_for(sent, data):
    stream = b"".join(wrap(apdu, source, destination) for source, destination, apdu in sent)
    whole = len(stream) - len(wrap(sent[-1][2], 0, 0))
    cut = data.draw(st.integers(whole + 1, len(stream) - 1))
    parser = WrapperParser()
    assert list(parser.feed(stream[:cut])) == sent[:-1]
    assert parser.partial
    assert list(parser.feed(stream[cut:])) == sent[-1:]


def test_ten_thousand_units_at_once_and_octet_by_octet():
    stream = wrap(b"", 1, 16) * 10_000
    assert len(list(WrapperParser().feed(stream))) == 10_000
    parser = WrapperParser()
    assert sum(len(list(parser.feed(stream[at : at + 1]))) for at in range(8000)) == 1000


@pytest.mark.parametrize(
    "octets", ["0000", "0002", "0100", "7EA0", "6001", "FFFF", "000200100001000100", "48545450"]
)
def test_another_version_is_no_wrapper(octets):
    parser = WrapperParser()
    with pytest.raises(FrameError, match="version") as caught:
        list(parser.feed(bytes.fromhex(octets)))
    assert caught.value.offset == 0
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_one_octet_is_not_judged():
    parser = WrapperParser()
    assert list(parser.feed(b"\x00")) == []
    assert list(parser.feed(wrap(b"a", 1, 2)[1:])) == [(1, 2, b"a")]
    parser = WrapperParser()
    assert list(parser.feed(b"\x7e")) == []
    with pytest.raises(FrameError):
        list(parser.feed(b"\xa0"))


def test_good_units_before_a_bad_one_are_given():
    parser = WrapperParser()
    found = []
    feeding = parser.feed(wrap(b"good", 1, 2) + b"bad octets")
    found.append(next(feeding))
    with pytest.raises(FrameError) as caught:
        next(feeding)
    assert found == [(1, 2, b"good")]
    assert caught.value.offset == 12


@pytest.mark.parametrize("size", [11, 0xFFFF])
def test_a_unit_longer_than_is_taken_is_refused_by_its_header(size):
    parser = WrapperParser(10)
    assert list(parser.feed(wrap(bytes(10), 1, 2)))
    with pytest.raises(FrameError, match="10 are taken"):
        list(parser.feed(wrap(bytes(size), 1, 2)[:8]))


def test_the_longest_unit():
    assert list(WrapperParser().feed(wrap(bytes(65535), 1, 2))) == [(1, 2, bytes(65535))]
    with pytest.raises(EncodeError):
        wrap(bytes(65536), 1, 2)
    for source, destination in ((-1, 1), (1, -1), (65536, 1), (1, 65536)):
        with pytest.raises(EncodeError):
            wrap(b"", source, destination)


def test_the_client_takes_its_own_units_only():
    link = WrapperClientLink(16, 1)
    link.connect(0.0)
    assert link.next_event() == Connected()
    link.send(b"request", 0.0)
    assert link.data_to_send() == wrap(b"request", 16, 1)
    assert link.data_to_send() == b""
    link.receive(
        wrap(b"other server", 2, 16)
        + wrap(b"other client", 1, 17)
        + wrap(b"", 1, 16)
        + wrap(b"answer", 1, 16),
        0.0,
    )
    assert link.next_event() == ApduReceived(b"answer", 1, 16)
    assert link.next_event() is None
    assert link.ignored == 3
    link.disconnect(0.0)
    assert isinstance(link.next_event(), Disconnected)


def test_the_server_takes_units_of_any_ports():
    link = WrapperServerLink(most=100)
    link.receive(wrap(b"one", 16, 1) + wrap(b"", 16, 1) + wrap(b"two", 17, 2)[:-1], 0.0)
    assert link.next_event() == ApduReceived(b"one", 16, 1)
    assert link.next_event() is None
    assert link.partial
    link.receive(b"o", 0.0)
    assert link.next_event() == ApduReceived(b"two", 17, 2)
    assert not link.partial
    link.send(b"answer", 1, 16, 0.0, confirmed=False)
    assert link.data_to_send() == wrap(b"answer", 1, 16)
    with pytest.raises(FrameError):
        link.receive(wrap(bytes(101), 16, 1), 0.0)
    assert link.deadline() is None
    link.tick(1e9)
    assert link.next_event() is None


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_any_octets_are_units_or_our_error(pieces):
    parser = WrapperParser(1000)
    kept = b""
    for piece in pieces:
        kept += piece
        try:
            for _, _, apdu in parser.feed(piece):
                kept = kept[8 + len(apdu) :]
        except FrameError:
            return
        assert parser._buffer == kept


@pytest.mark.parametrize(
    ("octets", "other"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"HT", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"220 mail.example ESMTP\r\n", "FTP or SMTP"),
        (b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e", r"HDLC frames \(hdlc\+tcp:// reads them\)"),
        (b"\xff\xfd\x18", "Telnet"),
        (b"/ISk5MT174-0001\r\n", "text"),
    ],
)
def test_what_another_protocol_says_is_named(octets, other):
    with pytest.raises(FrameError, match=rf"this is no DLMS/COSEM wrapper; it answers {other} at"):
        list(WrapperParser().feed(octets))


@pytest.mark.parametrize("octets", [bytes(8), b"\x00\x02\x00\x01", b"\x80\x81\x82"])
def test_what_nobody_knows_is_not_guessed(octets):
    with pytest.raises(FrameError, match="this is no DLMS/COSEM wrapper at"):
        list(WrapperParser().feed(octets))
