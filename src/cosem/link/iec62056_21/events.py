"""What a sign-on brings, one class for each event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from cosem.link.iec62056_21.messages import Command, Identification
from cosem.link.iec62056_21.readout import DataSet

__all__ = [
    "Answered",
    "Failed",
    "HdlcReady",
    "Identified",
    "ProgrammingReady",
    "ReadoutReceived",
    "SignOnEvent",
]


@dataclass(frozen=True, slots=True)
class Identified:
    """A meter answered; what is wanted goes on by itself."""

    identification: Identification


@dataclass(frozen=True, slots=True)
class HdlcReady:
    """The line is set to 8N1 and belongs to HDLC; ``octets`` have already come behind the sign-on."""

    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class ReadoutReceived:
    """A readout, its block check verified if it has one.

    Args:
        identification: Who said it.
        data_sets: What it says.
        checked: Whether a block check stood behind it.
    """

    identification: Identification
    data_sets: tuple[DataSet, ...]
    checked: bool = True


@dataclass(frozen=True, slots=True)
class ProgrammingReady:
    """Programming mode is on; ``operand`` is what the meter gives for the password (P0)."""

    operand: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a command: an acknowledgement without text, or data sets."""

    answer: Command
    data_sets: tuple[DataSet, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing more will come; ``reason`` says why in words."""

    reason: str


SignOnEvent: TypeAlias = Identified | HdlcReady | ReadoutReceived | ProgrammingReady | Answered | Failed
