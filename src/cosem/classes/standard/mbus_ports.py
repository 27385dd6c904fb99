"""M-Bus ports: the meter as a slave, as a master, and as a server reached over M-Bus.

(Blue Book, class_id 25, 74, 76)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.standard.references import Baud
from cosem.classes.structured import Structured, array_of, member

__all__ = ["ListeningWindow", "MBusMasterPortSetup", "MBusSlavePortSetup", "ServerMBusPortSetup"]


class ListeningWindow(Structured):
    """When the port listens."""

    start_time: bytes = member("octet-string")
    end_time: bytes = member("octet-string")


class MBusSlavePortSetup(
    InterfaceClass,
    class_id=25,
    version=0,
    title="M-Bus slave port setup",
    status="current",
    confidence="high",
    logical_names=("0.b.24.0.0.255",),
):
    """M-Bus slave port setup (class_id 25, version 0): the meter as a slave on an M-Bus: speeds and address."""

    default_baud = Attribute(2, "enum", Baud, access="rw")
    avail_baud = Attribute(3, "enum", Baud, access="rw")
    addr_state = Attribute(4, "enum", access="rw")
    bus_address = Attribute(5, "unsigned", access="rw")


class MBusMasterPortSetup(
    InterfaceClass,
    class_id=74,
    version=0,
    title="M-Bus master port setup",
    status="current",
    confidence="high",
    logical_names=("0.b.24.6.0.255",),
):
    """M-Bus master port setup (class_id 74, version 0).

    The meter as the master of an M-Bus: the speed of the line.
    """

    comm_speed = Attribute(2, "enum", Baud, access="rw")


class ServerMBusPortSetup(
    InterfaceClass,
    class_id=76,
    version=0,
    title="DLMS/COSEM server M-Bus port setup",
    status="current",
    confidence="medium",
    logical_names=("0.b.24.8.e.255",),
):
    """DLMS/COSEM server M-Bus port setup (class_id 76, version 0): a DLMS server that is reached over M-Bus."""

    M_Bus_profile_selection = Attribute(2, "octet-string", name="M-Bus_profile_selection", access="rw")
    M_Bus_port_communication_state = Attribute(
        3, "enum", name="M-Bus_port_communication_state", nature="dynamic"
    )
    M_Bus_Data_Header_Type = Attribute(4, "enum", name="M-Bus_Data_Header_Type", access="rw")
    primary_address = Attribute(5, "unsigned", access="rw")
    identification_number = Attribute(6, "double-long-unsigned", access="rw")
    manufacturer_id = Attribute(7, "long-unsigned")
    M_Bus_version = Attribute(8, "unsigned", name="M-Bus_version")
    device_type = Attribute(9, "unsigned")
    max_pdu_size = Attribute(10, "long-unsigned", access="rw")
    listening_window = Attribute(11, array_of(ListeningWindow), access="rw")
