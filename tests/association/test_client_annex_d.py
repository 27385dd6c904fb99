"""Annex D, logical names: the client's half of every exchange, octet by octet."""

from __future__ import annotations

import pytest

from cosem.association.client.conversations.get import get, get_with_list
from cosem.association.client.conversations.set import set_attribute, set_with_list
from cosem.types.data import OctetString, VisibleString
from cosem.types.enumerations import DataAccessResult
from tests.association.client_driver import LONG, SHORT, opened_client
from tests.vectors import load

FIFTY = OctetString(bytes.fromhex("".join(f"{n:02d}" for n in range(1, 51))))
TEXT = VisibleString("000")
ITEMS = [(LONG, None), (SHORT, None)]
SUCCESS = DataAccessResult.SUCCESS
EXCHANGES: dict[str, list[str]] = {}
for each in load("xdlms"):
    parts = each.id.split(".")
    if parts[0] == "D" and parts[2] == "LN" and len(parts) == 4:
        EXCHANGES.setdefault(f"{parts[0]}.{parts[1]}", []).append(each.octets.hex().upper())
SERVICES = {
    "D.2": (lambda context: get(context, LONG), FIFTY),
    "D.3": (lambda context: get_with_list(context, ITEMS), (FIFTY, TEXT)),
    "D.4": (lambda context: get(context, LONG), FIFTY),
    "D.5": (lambda context: get_with_list(context, ITEMS), (FIFTY, TEXT)),
    "D.6": (lambda context: set_attribute(context, LONG, FIFTY), SUCCESS),
    "D.7": (lambda context: set_with_list(context, ITEMS, [FIFTY, TEXT]), (SUCCESS, SUCCESS)),
    "D.8": (lambda context: set_attribute(context, LONG, FIFTY), SUCCESS),
    "D.9": (lambda context: set_with_list(context, ITEMS, [FIFTY, TEXT]), (SUCCESS, SUCCESS)),
}


@pytest.mark.parametrize("exchange", SERVICES)
def test_exchange(exchange):
    blocks = exchange in ("D.4", "D.5", "D.8", "D.9")
    client = opened_client(40 if blocks else 1200)
    service, result = SERVICES[exchange]
    started = client.association.start(service, high_priority=True)
    assert client.converse(started, *EXCHANGES[exchange]) == result


def test_every_exchange_of_the_annex_is_there():
    assert EXCHANGES.keys() == SERVICES.keys()
