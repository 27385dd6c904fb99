"""Drives a server association by hand: a dictionary of values stands for the application process."""

from __future__ import annotations

from typing import Any

from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import (
    Indication,
    InvokeMethod,
    MethodOutcome,
    ReadAttribute,
    WriteAttribute,
)
from cosem.association.server.profile import AssociationProfile, ServerLimits
from cosem.types.data import OctetString, VisibleString
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

OPEN = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0")
"""Vector B-aarq-ln-none: conformance 007E1F, PDU size 1200."""


def open_request(conformance: str = "00FE1F", size: int = 1200, response_allowed: str = "00") -> bytes:
    """Return an AARQ of lowest level."""
    initiate = bytes.fromhex(f"0100{response_allowed}0006 5F1F0400{conformance} {size:04X}")
    information = bytes((0xBE, len(initiate) + 2, 0x04, len(initiate))) + initiate
    body = bytes.fromhex("A109060760857405080101") + information
    return bytes((0x60, len(body))) + body


class Application:
    """Objects of Annex D, and whatever a test puts in."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, int], Any] = {
            ("0.0.128.0.0.255", 2): OctetString(bytes.fromhex("".join(f"{n:02d}" for n in range(1, 51)))),
            ("0.0.128.1.0.255", 2): VisibleString("000"),
        }
        self.returns: dict[tuple[str, int], MethodOutcome] = {}
        self.open_answer: Any = None
        self.seen: list[Indication] = []

    def resolve(self, indication: Indication) -> Any:
        self.seen.append(indication)
        if isinstance(indication, ReadAttribute):
            key = str(indication.instance_id), indication.attribute_id
            return self.values.get(key, DataAccessResult.OBJECT_UNDEFINED)
        if isinstance(indication, WriteAttribute):
            key = str(indication.instance_id), indication.attribute_id
            if key not in self.values:
                return DataAccessResult.OBJECT_UNDEFINED
            self.values[key] = indication.value
            return DataAccessResult.SUCCESS
        if isinstance(indication, InvokeMethod):
            key = str(indication.instance_id), indication.method_id
            return self.returns.get(key, MethodOutcome(ActionResult.OBJECT_UNDEFINED))
        return self.open_answer

    def of_kind(self, kind: type) -> list[Any]:
        return [each for each in self.seen if isinstance(each, kind)]


class Server:
    """An association and its application process."""

    def __init__(
        self,
        *profiles: AssociationProfile,
        limits: ServerLimits | None = None,
        opened: bytes | None = None,
        keeps_order: bool = True,
    ) -> None:
        self.application = Application()
        self.association = ServerAssociation(profiles, client_sap=16, server_sap=1, limits=limits)
        self.association.keeps_order = keeps_order
        self.now = 0.0
        if opened is not None:
            self.opening_answer = self(opened)

    def __call__(self, octets: bytes | str, *, confirmed: bool = True) -> str | None:
        """Return the answer as hexadecimal, ``None`` for silence."""
        if isinstance(octets, str):
            octets = bytes.fromhex(octets)
        processing = self.association.process(octets, self.now, confirmed=confirmed)
        outcome = None
        try:
            while True:
                outcome = self.application.resolve(processing.send(outcome))
        except StopIteration as stop:
            answers = stop.value
        assert len(answers) <= 1
        return answers[0].hex().upper() if answers else None


def opened_server(size: int = 1200, conformance: str = "00FE1F", **facts: Any) -> Server:
    """Return a server with an open association."""
    of_server = {key: facts.pop(key) for key in ("limits", "keeps_order") if key in facts}
    server = Server(AssociationProfile(**facts), opened=open_request(conformance, size), **of_server)
    assert server.opening_answer is not None
    assert "A203020100" in server.opening_answer
    return server


def name(text: str) -> LogicalName:
    return LogicalName(text)


LONG = "00010000800000FF02"
SHORT = "00010000800100FF02"
UNDEFINED = "00010000630900FF02"
METHOD = "00120000800000FF01"
ALL = "00FE1F"
"""Every service and feature of logical names."""


def conformance_without(*bits: int) -> str:
    value = 0x00FE1F
    for bit in bits:
        value &= ~(1 << (23 - bit))
    return f"{value:06X}"


def get(target: str, selection: str = "00", invoke_id: str = "C1") -> str:
    return f"C001{invoke_id}{target}{selection}"
