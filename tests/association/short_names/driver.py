"""Objects with short names, and both sides of an association that refers to them so."""

from __future__ import annotations

from typing import Any

from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
from cosem.association.client.parameters import AssociationParameters
from cosem.association.server.indications import MethodOutcome
from cosem.association.server.profile import AssociationProfile, ServerLimits
from cosem.association.short_names.table import ShortNameTable
from cosem.types.data import OctetString, VisibleString
from cosem.types.enumerations import ActionResult, ApplicationContext, Conformance
from cosem.types.logical_name import LogicalName
from tests.association.client_driver import Client, aare, initiate_response
from tests.association.openings import aarq, initiate
from tests.association.server_driver import Server

ALL = "1C1B20"
"""Every service and feature of short names."""
TABLE = ShortNameTable.from_text(
    """
    00F8 1 0 0.0.128.0.0.255
    0108 1 0 0.0.128.1.0.255
    1200 7 1 1.0.99.1.0.255  # reset 1258, capture 1260
    FA00 12 4 0.0.40.0.0.255 # read_by_logicalname FA30
    """
)
FIFTY = OctetString(bytes.fromhex("".join(f"{n:02d}" for n in range(1, 51))))
DIGITS = FIFTY.hex().upper()
TEXT = VisibleString("000")
LONG = CosemAttributeDescriptor(1, LogicalName("0.0.128.0.0.255"), 2)
SHORT = CosemAttributeDescriptor(1, LogicalName("0.0.128.1.0.255"), 2)
REFUSED = CosemAttributeDescriptor(1, LogicalName("0.0.128.1.0.255"), 1)
"""Has a short name; the server of these tests does not give it."""
BUFFER = CosemAttributeDescriptor(7, LogicalName("1.0.99.1.0.255"), 2)
UNMAPPED = CosemAttributeDescriptor(3, LogicalName("1.0.1.8.0.255"), 2)
RETURNING = CosemMethodDescriptor(12, LogicalName("0.0.40.0.0.255"), 3)
RESET = CosemMethodDescriptor(7, LogicalName("1.0.99.1.0.255"), 1)
CAPTURE = CosemMethodDescriptor(7, LogicalName("1.0.99.1.0.255"), 2)
SELECTION = SelectiveAccessDescriptor(1, OctetString(b"\x01"))
SN = ApplicationContext.SN


def without(bit: Conformance) -> str:
    """Return all that may be agreed on less one bit, as hexadecimal."""
    return f"{int(ALL, 16) & ~bit:06X}"


def opened_client(size: int = 1200, conformance: str = ALL, **facts: Any) -> Client:
    """Return a client with an open association and the objects in its mapping table."""
    table = facts.pop("table", TABLE)
    client = Client(AssociationParameters(application_context=SN), **facts)
    exchange = client.association.open()
    assert len(client.sent()) == 1
    information = initiate_response(size, conformance, vaa_name=0xFA00)
    client.receive(aare(application_context_name=SN, user_information=information))
    assert exchange.result().vaa_name == 0xFA00
    if table is not None:
        client.association.set_mapper_table(table)
    return client


def short_name_profile(**facts: Any) -> AssociationProfile:
    """Return a profile of short names that gives all services."""
    facts.setdefault("application_context", SN)
    facts.setdefault("conformance", Conformance.from_octets(bytes.fromhex(ALL)))
    facts.setdefault("short_names", lambda: TABLE)
    return AssociationProfile(**facts)


def open_request(conformance: str = ALL, size: int = 1200, **facts: Any) -> bytes:
    """Return an AARQ of lowest level for short names."""
    proposed = Conformance.from_octets(bytes.fromhex(conformance))
    information = initiate(proposed_conformance=proposed, client_max_receive_pdu_size=size, **facts)
    return aarq(SN, user_information=information)


def opened_server(size: int = 1200, conformance: str = ALL, **facts: Any) -> Server:
    """Return a server with an open association, whose methods answer."""
    limits: ServerLimits | None = facts.pop("limits", None)
    server = Server(short_name_profile(**facts), limits=limits, opened=open_request(conformance, size))
    assert server.opening_answer is not None
    assert "A203020100" in server.opening_answer
    server.application.values["1.0.99.1.0.255", 2] = TEXT
    server.application.returns = {
        ("0.0.40.0.0.255", 3): MethodOutcome(ActionResult.SUCCESS, TEXT),
        ("1.0.99.1.0.255", 1): MethodOutcome(),
        ("1.0.99.1.0.255", 2): MethodOutcome(ActionResult.READ_WRITE_DENIED),
    }
    return server
