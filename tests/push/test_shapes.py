"""The short way gives what the long way gives, whatever changes in a message; and it is bounded."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cosem
from cosem.link.wrapper import wrap
from cosem.push import Parser, PushMessage, decode
from cosem.push.shapes import Facts, Shapes
from cosem.security.inspection import Verdict
from tests.vectors import load, vector

CLEAR = [
    each
    for each in load("telegrams")
    if each["kind"] not in {"frame", "apdu", "p1"} and each.id != "el-kmswest-mbus-nokey"
]


def keys_of(identifier: str) -> cosem.Keys | None:
    given_keys = vector("telegrams", identifier)["keys"]
    if not given_keys:
        return None
    pairs = (("encryption", given_keys["ek"]), ("authentication", given_keys["ak"]))
    return cosem.Keys.parse({name: text for name, text in pairs if text})


@cache
def apdu_of(identifier: str) -> bytes:
    (message,) = decode(vector("telegrams", identifier).octets, keys_of(identifier), decrypt_unverified=True)
    return message.clear


def fed(parser: Parser, apdu: bytes) -> list[PushMessage]:
    return parser.feed(wrap(apdu, 1, 103)) + parser.finish()


def warm(apdu: bytes) -> Parser:
    parser = Parser()
    for _ in range(3):
        fed(parser, apdu)
    return parser


@pytest.mark.parametrize("entry", CLEAR, ids=lambda each: each.id)
def test_the_same_message_again_is_the_same(entry):
    apdu = apdu_of(entry.id)
    parser = Parser()
    first = fed(parser, apdu)
    assert first
    for _ in range(4):
        assert fed(parser, apdu) == first


@given(st.sampled_from(CLEAR), st.data())
def test_any_change_gives_what_a_fresh_parser_gives(entry, data):
    apdu = bytearray(apdu_of(entry.id))
    parser = warm(bytes(apdu))
    for _ in range(data.draw(st.integers(1, 5))):
        apdu[data.draw(st.integers(0, len(apdu) - 1))] = data.draw(st.integers(0, 255))
    assert fed(parser, bytes(apdu)) == fed(Parser(), bytes(apdu))


@pytest.mark.parametrize("entry", CLEAR, ids=lambda each: each.id)
def test_every_octet_changed_gives_what_a_fresh_parser_gives(entry):
    apdu = apdu_of(entry.id)
    parser = warm(apdu)
    rng = random.Random(3)
    for place in range(len(apdu)):
        changed = bytearray(apdu)
        changed[place] = rng.randrange(256)
        assert fed(parser, bytes(changed)) == fed(Parser(), bytes(changed)), place


def test_numbers_are_exact_whatever_their_size():
    head = bytes.fromhex("0F 00000001 00 0102")

    def apdu(number: int, scaler: int) -> bytes:
        row = f"0203 0906 0100010800FF 15 {number:016x} 0202 0F{scaler & 0xFF:02x} 161E"
        return head + bytes.fromhex(row * 2)

    for scaler in (-128, -5, 0, 5, 127):
        parser = warm(apdu(1, scaler))
        for number in (0, 1, 2**64 - 1, 12345678901234567890):
            (message,) = fed(parser, apdu(number, scaler))
            assert message.values[0].value == Decimal(f"{number}E{scaler}")
            assert str(message.values[0].value) == str(fed(Parser(), apdu(number, scaler))[0].values[0].value)


def test_what_does_not_verify_never_takes_the_short_way():
    entry = vector("telegrams", "kamstrup-omnipower-ciphered-auth")
    keys = keys_of(entry.id)
    (first,) = decode(entry.octets, keys)
    parser = Parser(keys)
    for _ in range(3):
        assert parser.feed(wrap(first.octets, 1, 16))[0].values == first.values
    for place in (11, 14, 60, len(first.octets) - 1):
        changed = bytearray(first.octets)
        changed[place] ^= 1
        for message in parser.feed(wrap(bytes(changed), 1, 16)):
            assert message.verification is not Verdict.VERIFIED
            assert message.values == ()


def test_shapes_are_bounded():
    shapes = Shapes()
    (message,) = decode(vector("telegrams", "aidon-no-list1").octets)
    for number in range(1000):
        title = number.to_bytes(8, "big")
        for _ in range(2):
            shapes.keep(message.clear, title, message.values, None, Facts("Aidon", "aidon-list-1", ()))
    assert len(shapes._known) <= 64
