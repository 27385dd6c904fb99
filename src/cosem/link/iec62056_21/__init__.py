"""Local data exchange of IEC 62056-21: sign-on, readout, programming mode, and mode E into HDLC, without I/O.

Annex A's three duties for mode E: the association is identified, and its services
are mapped, as in :mod:`cosem.link.hdlc`; COSEM-OPEN gains the device address of
the sign-on and the baud rate to agree to. Modes A to D carry no APDUs: what they
say comes as :class:`DataSet` objects.
"""

from __future__ import annotations

from cosem.link.iec62056_21.events import (
    Answered,
    Failed,
    HdlcReady,
    Identified,
    ProgrammingReady,
    ReadoutReceived,
    SignOnEvent,
)
from cosem.link.iec62056_21.link import ModeEClientLink, ModeEServerLink
from cosem.link.iec62056_21.messages import (
    Command,
    Identification,
    LineSettings,
    command_message,
    option_select,
    parse_message,
    sign_on_message,
    with_even_parity,
    without_parity,
)
from cosem.link.iec62056_21.readout import DataSet, TextValue, logical_name, parse_data_sets
from cosem.link.iec62056_21.sign_on import SignOn

__all__ = [
    "Answered",
    "Command",
    "DataSet",
    "Failed",
    "HdlcReady",
    "Identification",
    "Identified",
    "LineSettings",
    "ModeEClientLink",
    "ModeEServerLink",
    "ProgrammingReady",
    "ReadoutReceived",
    "SignOn",
    "SignOnEvent",
    "TextValue",
    "command_message",
    "logical_name",
    "option_select",
    "parse_data_sets",
    "parse_message",
    "sign_on_message",
    "with_even_parity",
    "without_parity",
]
