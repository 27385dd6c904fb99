"""Round trips and octets on the wire for reading 50 registers: single GETs, lists, ACCESS, and blocks.

    python benchmarks/round_trips.py

A round trip is a time at which the client has sent all it may and waits. Nothing here depends on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import cosem
from cosem.association.client.blocks import BlockSettings
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.association.server.profile import AssociationProfile
from cosem.server import LogicalDevice, RegisterObject, serve_in_thread
from cosem.transport.observing import Observer
from cosem.types.data import DoubleLongUnsigned
from cosem.types.enumerations import Conformance

C = Conformance
REGISTERS = [f"1.0.{number}.8.0.255" for number in range(1, 51)]
BASE = ALL_SERVICES_LN & ~(C.GENERAL_BLOCK_TRANSFER | C.ACCESS | C.MULTIPLE_REFERENCES)
WAYS: tuple[tuple[str, Conformance, BlockSettings | None], ...] = (
    ("single GETs", BASE, None),
    ("GET with list, blocks of GET", BASE | C.MULTIPLE_REFERENCES, None),
    ("GET with list, general blocks", BASE | C.MULTIPLE_REFERENCES | C.GENERAL_BLOCK_TRANSFER, None),
    ("ACCESS", BASE & ~C.GET | C.ACCESS, None),
    ("ACCESS, general blocks", BASE | C.ACCESS | C.GENERAL_BLOCK_TRANSFER, None),
    (
        "ACCESS, general blocks, windows known",
        BASE | C.ACCESS | C.GENERAL_BLOCK_TRANSFER,
        BlockSettings(window=63, peer_window=8, always=True),
    ),
)


class Wire(Observer):
    """Counts octets, and how often the direction changes from the client to the meter."""

    def __init__(self) -> None:
        self.round_trips = self.octets = 0
        self._sending = False

    def octets_sent(self, octets: bytes) -> None:
        self.octets += len(octets)
        self.round_trips += not self._sending
        self._sending = True

    def octets_received(self, octets: bytes) -> None:
        self.octets += len(octets)
        self._sending = False


@dataclass(frozen=True)
class Cost:
    """What one way of reading takes."""

    way: str
    pdu_size: int
    round_trips: int
    octets: int


def meter() -> LogicalDevice:
    registers = [
        RegisterObject(name, value=DoubleLongUnsigned(123_456_789 + number), scaler_unit=(0, 30))
        for number, name in enumerate(REGISTERS)
    ]
    device = LogicalDevice("COS0000000000001", objects=registers)
    for client, size in ((1, 1024), (2, 256), (3, 128)):
        device.add_association(AssociationProfile(client_sap=client, max_receive_pdu_size=size))
    return device


def measured() -> list[Cost]:
    """Return what each way takes, for three sizes of APDUs."""
    costs = []
    with serve_in_thread(meter()) as url:
        for client, size in ((1, 1024), (2, 256), (3, 128)):
            for way, conformance, blocks in WAYS:
                wire = Wire()
                with cosem.connect(
                    url,
                    client=client,
                    max_pdu_size=size,
                    conformance=conformance,
                    block_transfer=blocks,
                    observer=wire,
                ) as client_of_meter:
                    wire.round_trips = wire.octets = 0
                    results = client_of_meter.get_many((name, 2, 3) for name in REGISTERS)
                    costs.append(Cost(way, size, wire.round_trips, wire.octets))
                    if [result.value for result in results] != list(range(123_456_789, 123_456_839)):
                        raise SystemExit(f"error: {way} read something else")
    return costs


def table(costs: list[Cost]) -> str:
    """Return the figures as a table in Markdown."""
    lines = [
        "| 50 registers by | APDU, octets | round trips | octets, wrapper included |",
        "|---|--:|--:|--:|",
        *(f"| {each.way} | {each.pdu_size:,} | {each.round_trips} | {each.octets:,} |" for each in costs),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measured()))
