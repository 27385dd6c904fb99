"""Annex D, logical names: the server's half of every exchange, octet by octet."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cosem.types.data import OctetString, VisibleString
from tests.association.server_driver import opened_server
from tests.vectors import load

EXCHANGES: dict[str, list[str]] = {}
for each in load("xdlms"):
    parts = each.id.split(".")
    if parts[0] == "D" and parts[2] == "LN":
        suffix = "".join(parts[4:])
        EXCHANGES.setdefault(f"{'.'.join(parts[:2])}{suffix}", []).append(each.octets.hex().upper())


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_exchange(exchange):
    blocks = exchange[:3] in ("D.4", "D.5", "D.8", "D.9")
    server = opened_server(40 if blocks else 1200, answer_class_bit_0=True)
    if exchange[:3] in ("D.6", "D.7", "D.8", "D.9"):
        expected = dict(server.application.values)
        server.application.values = {
            ("0.0.128.0.0.255", 2): OctetString(b""),
            ("0.0.128.1.0.255", 2): VisibleString(""),
        }
    messages = EXCHANGES[exchange]
    for request, answer in list(pairwise(messages))[::2]:
        assert server(request) == answer
    assert len(server.association.transfers) == 0
    if exchange[:3] in ("D.7", "D.9"):
        assert server.application.values == expected


def test_every_exchange_of_the_annex_is_there():
    assert {name[:3] for name in EXCHANGES} == {f"D.{number}" for number in range(2, 10)}
