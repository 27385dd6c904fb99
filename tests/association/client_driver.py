"""Drives a client association by hand: what it sends is compared, what it receives is given as hexadecimal."""

from __future__ import annotations

from typing import Any

from cosem.apdu import encode
from cosem.apdu.acse import AARE
from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
from cosem.apdu.initiate import InitiateResponse
from cosem.association.client.association import ClientAssociation, Exchange
from cosem.association.client.parameters import AssociationParameters
from cosem.types.enumerations import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    Conformance,
)
from cosem.types.logical_name import LogicalName

LONG = CosemAttributeDescriptor(1, LogicalName("0.0.128.0.0.255"), 2)
SHORT = CosemAttributeDescriptor(1, LogicalName("0.0.128.1.0.255"), 2)
ALL_ATTRIBUTES = CosemAttributeDescriptor(1, LogicalName("0.0.128.0.0.255"), 0)
METHOD = CosemMethodDescriptor(18, LogicalName("0.0.128.0.0.255"), 1)
SELECTION = SelectiveAccessDescriptor(2, None)


def initiate_response(size: int = 1200, conformance: str = "00FE1F", **facts: Any) -> bytes:
    agreed = Conformance.from_octets(bytes.fromhex(conformance))
    return encode(InitiateResponse(negotiated_conformance=agreed, server_max_receive_pdu_size=size, **facts))


def aare(**facts: Any) -> bytes:
    """Return an AARE that accepts, unless ``facts`` say otherwise."""
    facts.setdefault("application_context_name", ApplicationContext.LN)
    facts.setdefault("result", AssociationResult.ACCEPTED)
    facts.setdefault("result_source_diagnostic", AcseServiceUserDiagnostic.NULL)
    facts.setdefault("user_information", initiate_response())
    return encode(AARE(**facts))


class Client:
    """An association and what it has sent."""

    def __init__(self, parameters: AssociationParameters | None = None, **facts: Any) -> None:
        self.association = ClientAssociation(parameters or AssociationParameters(), **facts)

    def sent(self) -> list[str]:
        """Return what is ready to be sent, and check that nothing is longer than agreed."""
        limit = self.association.negotiated.server_max_receive_pdu_size
        octets = []
        while (outgoing := self.association.next_outgoing()) is not None:
            if limit and outgoing.octets[0] not in (0x60, 0x62):
                assert len(outgoing.octets) <= limit
            octets.append(outgoing.octets.hex().upper())
        return octets

    def receive(self, octets: str | bytes) -> None:
        self.association.receive(bytes.fromhex(octets) if isinstance(octets, str) else octets)

    def converse(self, exchange: Exchange[Any], *messages: str) -> Any:
        """Run an exchange against requests and answers, one after the other, and return its result."""
        for index, message in enumerate(messages):
            if index % 2 == 0:
                assert self.sent() == [message.replace(" ", "")]
                assert not exchange.done
            else:
                self.receive(message)
        assert self.sent() == []
        return exchange.result()


def opened_client(size: int = 1200, conformance: str = "00FE1F", *, first: int = 1, **facts: Any) -> Client:
    """Return a client with an open association, whose next invoke-id is ``first``."""
    client = Client(**facts)
    exchange = client.association.open()
    assert len(client.sent()) == 1
    client.receive(aare(user_information=initiate_response(size, conformance)))
    assert exchange.result().server_max_receive_pdu_size == size
    for _ in range(first):
        client.association.new_invoke_id()
    return client
