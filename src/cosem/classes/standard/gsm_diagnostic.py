"""GSM diagnostic: how the meter sits in the mobile network.

(Blue Book, class_id 47)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = [
    "AdjacentCell",
    "AdjacentCellVersion0",
    "CellInfo",
    "CellInfoVersion0",
    "CircuitSwitchedAttachment",
    "GsmDiagnostic",
    "GsmDiagnosticVersion0",
    "GsmDiagnosticVersion1",
    "PacketSwitchedStatus",
    "RegistrationStatus",
]


class RegistrationStatus(OpenEnumeration):
    """How the modem is registered in the network."""

    NOT_REGISTERED = 0
    HOME_NETWORK = 1
    SEARCHING = 2
    DENIED = 3
    UNKNOWN = 4
    ROAMING = 5


class CircuitSwitchedAttachment(OpenEnumeration):
    """The circuit-switched side."""

    INACTIVE = 0
    INCOMING_CALL = 1
    ACTIVE = 2


class PacketSwitchedStatus(OpenEnumeration):
    """The packet-switched side."""

    INACTIVE = 0
    GPRS = 1
    EDGE = 2
    UMTS = 3
    HSDPA = 4
    LTE = 5
    CDMA = 6
    LTE_CAT_M1 = 7
    LTE_CAT_NB1 = 8
    LTE_CAT_NB2 = 9


class CellInfoVersion0(Structured):
    """The cell: signal quality 0..31, 99 unknown; ``ber`` is the bit error class 0..7, 99 unknown."""

    cell_ID: int = member("long-unsigned")
    location_ID: int = member("long-unsigned")
    signal_quality: int = member("unsigned")
    ber: int = member("unsigned")


class AdjacentCellVersion0(Structured):
    """A neighbouring cell and its signal quality."""

    cell_ID: int = member("long-unsigned")
    signal_quality: int = member("unsigned")


class CellInfo(Structured):
    """The cell, its signal quality 0..31 (99 unknown), and its country and network code.

    ``ber`` is the bit error class 0..7, 99 unknown.
    """

    cell_ID: int = member("double-long-unsigned")
    location_ID: int = member("long-unsigned")
    signal_quality: int = member("unsigned")
    ber: int = member("unsigned")
    mcc: int = member("long-unsigned")
    mnc: int = member("long-unsigned")
    channel_number: int = member("double-long-unsigned")


class AdjacentCell(Structured):
    """A neighbouring cell and its signal quality."""

    cell_ID: int = member("double-long-unsigned")
    signal_quality: int = member("unsigned")


class GsmDiagnosticVersion0(
    InterfaceClass,
    class_id=47,
    version=0,
    title="GSM diagnostic",
    status="old",
    confidence="high",
    logical_names=("0.b.25.6.0.255",),
):
    """GSM diagnostic (class_id 47, version 0): see :class:`GsmDiagnostic`.

    Compared with that one it differs in ``ps_status``, ``cell_info``, ``adjacent_cells``.
    """

    operator = Attribute(2, "visible-string", nature="dynamic")
    status = Attribute(3, "enum", RegistrationStatus, nature="dynamic")
    cs_attachment = Attribute(4, "enum", CircuitSwitchedAttachment, nature="dynamic")
    ps_status = Attribute(5, "enum", PacketSwitchedStatus, nature="dynamic")
    cell_info = Attribute(6, CellInfoVersion0, nature="dynamic")
    adjacent_cells = Attribute(7, array_of(AdjacentCellVersion0), nature="dynamic")
    capture_time = Attribute(8, "date-time", nature="dynamic")


class GsmDiagnosticVersion1(GsmDiagnosticVersion0, version=1, status="current"):
    """GSM diagnostic (class_id 47, version 1): see :class:`GsmDiagnosticVersion0`.

    Compared with that one it differs in ``cell_info``, ``adjacent_cells``.
    """

    cell_info = Attribute(6, CellInfo, nature="dynamic")  # type: ignore[assignment]
    adjacent_cells = Attribute(7, array_of(AdjacentCell), nature="dynamic")  # type: ignore[assignment]


class GsmDiagnostic(GsmDiagnosticVersion1, version=2, status="later", confidence="medium"):
    """GSM diagnostic (class_id 47, version 2).

    The mobile network as the modem sees it: operator, registration, cell and neighbours.

    A transcription of the 16th edition prints the last three attributes one short name later; the
    regular offsets are kept.
    """

    ps_status = Attribute(
        5, "enum", PacketSwitchedStatus, nature="dynamic", remark='"adds LTE Cat M1, NB1, NB2"'
    )
