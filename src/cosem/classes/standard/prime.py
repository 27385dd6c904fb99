"""PRIME power line communication: setup, counters and administration.

(Blue Book, class_id 80, 81, 82, 83, 84, 85, 86)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member

__all__ = [
    "AvailableSwitch",
    "DirectConnection",
    "Iec61334LlcSscsSetup",
    "MulticastEntry",
    "PhysicalCommunication",
    "PrimeApplicationIdentification",
    "PrimeMacCounters",
    "PrimeMacFunctionalParameters",
    "PrimeMacNetworkAdministrationData",
    "PrimeMacSetup",
    "PrimePhysicalLayerCounters",
]


class MulticastEntry(Structured):
    """A multicast connection and how many members it has."""

    mcast_entry_LCID: int = member("integer")
    mcast_entry_members: int = member("long")


class DirectConnection(Structured):
    """A direct connection: switch, node and connection at both ends, and the EUI-48 of the destination."""

    dconn_entry_src_SID: int = member("long")
    dconn_entry_src_LNID: int = member("long")
    dconn_entry_src_LCID: int = member("long")
    dconn_entry_dst_SID: int = member("long")
    dconn_entry_dst_LNID: int = member("long")
    dconn_entry_dst_LCID: int = member("long")
    dconn_entry_DID: bytes = member("octet-string")


class AvailableSwitch(Structured):
    """A switch node that was heard: its subnetwork, level and how well it is received."""

    slist_entry_SNA: bytes = member("octet-string")
    slist_entry_LSID: int = member("long")
    slist_entry_level: int = member("integer")
    slist_entry_rx_level: int = member("integer")
    slist_entry_rx_SNR: int = member("integer")


class PhysicalCommunication(Structured):
    """How the node talks to a neighbour: powers, codings and levels."""

    phy_comm_EUI: bytes = member("octet-string")
    phy_comm_tx_power: int = member("integer")
    phy_comm_tx_coding: int = member("integer")
    phy_comm_rx_coding: int = member("integer")
    phy_comm_rx_level: int = member("integer")
    phy_comm_SNR: int = member("integer")
    phy_comm_tx_power_modified: int = member("integer")
    phy_comm_tx_coding_modified: int = member("integer")
    phy_comm_rx_coding_modified: int = member("integer")


class Iec61334LlcSscsSetup(
    InterfaceClass,
    class_id=80,
    version=0,
    title="61334-4-32 LLC SSCS setup",
    status="current",
    confidence="high",
    logical_names=("0.b.28.0.0.255",),
):
    """61334-4-32 LLC SSCS setup (class_id 80, version 0).

    The addresses of the convergence sublayer that carries IEC 61334-4-32 LLC over PRIME.
    """

    service_node_address = Attribute(2, "long-unsigned", nature="dynamic")
    base_node_address = Attribute(3, "long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x20)


class PrimePhysicalLayerCounters(
    InterfaceClass,
    class_id=81,
    version=0,
    title="PRIME NB OFDM PLC Physical layer counters",
    status="current",
    confidence="high",
    logical_names=("0.b.28.1.0.255",),
):
    """PRIME NB OFDM PLC Physical layer counters (class_id 81, version 0).

    Counters of the physical layer: bursts with errors and bursts lost.
    """

    phy_stats_crc_incorrect_count = Attribute(2, "long-unsigned", nature="dynamic")
    phy_stats_crc_fail_count = Attribute(3, "long-unsigned", nature="dynamic")
    phy_stats_tx_drop_count = Attribute(4, "long-unsigned", nature="dynamic")
    phy_stats_rx_drop_count = Attribute(5, "long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x28)


class PrimeMacSetup(
    InterfaceClass,
    class_id=82,
    version=0,
    title="PRIME NB OFDM PLC MAC setup",
    status="current",
    confidence="high",
    logical_names=("0.b.28.2.0.255",),
):
    """PRIME NB OFDM PLC MAC setup (class_id 82, version 0).

    Parameters of the MAC layer that an operator sets.
    """

    mac_min_switch_search_time = Attribute(2, "unsigned", access="rw")
    mac_max_promotion_pdu = Attribute(3, "unsigned", access="rw")
    mac_promotion_pdu_tx_period = Attribute(4, "unsigned", access="rw")
    mac_beacons_per_frame = Attribute(5, "unsigned", access="rw")
    mac_scp_max_tx_attempts = Attribute(6, "unsigned", access="rw")
    mac_ctl_re_tx_timer = Attribute(7, "unsigned", access="rw")
    mac_max_ctl_re_tx = Attribute(8, "unsigned", access="rw")


class PrimeMacFunctionalParameters(
    InterfaceClass,
    class_id=83,
    version=0,
    title="PRIME NB OFDM PLC MAC functional parameters",
    status="current",
    confidence="high",
    logical_names=("0.b.28.3.0.255",),
):
    """PRIME NB OFDM PLC MAC functional parameters (class_id 83, version 0).

    Where the node stands in its subnetwork: addresses, state, level, capabilities.

    Printed as static although the node updates the values.
    """

    mac_LNID = Attribute(2, "long")
    mac_LSID = Attribute(3, "unsigned")
    mac_SID = Attribute(4, "unsigned")
    mac_SNA = Attribute(5, "octet-string")
    mac_state = Attribute(6, "enum")
    mac_scp_length = Attribute(7, "long")
    mac_node_hierarchy_level = Attribute(8, "unsigned")
    mac_beacon_slot_count = Attribute(9, "unsigned")
    mac_beacon_rx_slot = Attribute(10, "unsigned")
    mac_beacon_tx_slot = Attribute(11, "unsigned")
    mac_beacon_rx_frequency = Attribute(12, "unsigned")
    mac_beacon_tx_frequency = Attribute(13, "unsigned")
    mac_capabilities = Attribute(14, "long-unsigned")


class PrimeMacCounters(
    InterfaceClass,
    class_id=84,
    version=0,
    title="PRIME NB OFDM PLC MAC counters",
    status="current",
    confidence="high",
    logical_names=("0.b.28.4.0.255",),
):
    """PRIME NB OFDM PLC MAC counters (class_id 84, version 0).

    Counters of the MAC layer: packets sent, received and lost.
    """

    mac_tx_data_pkt_count = Attribute(2, "double-long-unsigned", nature="dynamic")
    mac_rx_data_pkt_count = Attribute(3, "double-long-unsigned", nature="dynamic")
    mac_tx_ctrl_pkt_count = Attribute(4, "double-long-unsigned", nature="dynamic")
    mac_rx_ctrl_pkt_count = Attribute(5, "double-long-unsigned", nature="dynamic")
    mac_csma_fail_count = Attribute(6, "double-long-unsigned", nature="dynamic")
    mac_csma_ch_busy_count = Attribute(7, "double-long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x40)


class PrimeMacNetworkAdministrationData(
    InterfaceClass,
    class_id=85,
    version=0,
    title="PRIME NB OFDM PLC MAC network administration data",
    status="current",
    confidence="medium",
    logical_names=("0.b.28.5.0.255",),
):
    """PRIME NB OFDM PLC MAC network administration data (class_id 85, version 0).

    Lists that a base node keeps: connections, switches and how they are heard.
    """

    mac_list_multicast_entries = Attribute(2, array_of(MulticastEntry), nature="dynamic")
    mac_list_switch_table = Attribute(3, "array of long", nature="dynamic")
    mac_list_direct_table = Attribute(4, array_of(DirectConnection), nature="dynamic")
    mac_list_available_switches = Attribute(5, array_of(AvailableSwitch), nature="dynamic")
    mac_list_phy_comm = Attribute(6, array_of(PhysicalCommunication), nature="dynamic")

    reset = Method(1, short_name_offset=0x30)


class PrimeApplicationIdentification(
    InterfaceClass,
    class_id=86,
    version=0,
    title="PRIME NB OFDM PLC Application identification",
    status="current",
    confidence="high",
    logical_names=("0.b.28.7.0.255",),
):
    """PRIME NB OFDM PLC Application identification (class_id 86, version 0).

    Firmware version, vendor and product of the modem.
    """

    firmware_version = Attribute(2, "octet-string")
    vendor_ID = Attribute(3, "long-unsigned")
    product_ID = Attribute(4, "long-unsigned")
