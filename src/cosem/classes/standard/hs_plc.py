"""HS-PLC of ISO/IEC 12139-1: high-speed power line communication.

(Blue Book, class_id 140, 141, 142, 143)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass

__all__ = ["HsPlcCpasSetup", "HsPlcHdlcSsasSetup", "HsPlcIpSsasSetup", "HsPlcMacSetup"]


class HsPlcMacSetup(
    InterfaceClass,
    class_id=140,
    version=0,
    title="HS-PLC ISO/IEC 12139-1 MAC setup",
    status="current",
    confidence="medium",
    logical_names=("0.b.33.0.0.255",),
):
    """HS-PLC ISO/IEC 12139-1 MAC setup (class_id 140, version 0).

    Groups, stations, repeating and encryption of the MAC layer.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    group_id = Attribute(2, "long64-unsigned", access="rw")
    secondary_group_id = Attribute(3, "long64-unsigned", access="rw")
    station_id = Attribute(4, "long64-unsigned", access="rw")
    parent_station_id = Attribute(5, "long64-unsigned", access="rw")
    repeater_status = Attribute(6, "boolean", access="rw")
    encryption_mode = Attribute(7, "enum", access="rw")
    initial_encryption_key = Attribute(8, "octet-string", access="rw")
    rts_cts = Attribute(9, "boolean", access="rw")


class HsPlcCpasSetup(
    InterfaceClass,
    class_id=141,
    version=0,
    title="HS-PLC ISO/IEC 12139-1 CPAS setup",
    status="current",
    confidence="medium",
    logical_names=("0.b.33.1.0.255",),
):
    """HS-PLC ISO/IEC 12139-1 CPAS setup (class_id 141, version 0): addresses of the convergence sublayer.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    cpas_address = Attribute(2, "long64-unsigned", access="rw")
    cpas_ether_type = Attribute(3, "long-unsigned", access="rw")
    master_station_cpas_address = Attribute(4, "long64-unsigned", access="rw")


class HsPlcIpSsasSetup(
    InterfaceClass,
    class_id=142,
    version=0,
    title="HS-PLC ISO/IEC 12139-1 IP SSAS setup",
    status="current",
    confidence="medium",
    logical_names=("0.b.33.2.0.255",),
):
    """HS-PLC ISO/IEC 12139-1 IP SSAS setup (class_id 142, version 0).

    Header compression of the IP convergence.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    ip_header_comp_type = Attribute(2, "enum", access="rw")
    ip_alive_time = Attribute(3, "long-unsigned", access="rw")


class HsPlcHdlcSsasSetup(
    InterfaceClass,
    class_id=143,
    version=0,
    title="HS-PLC ISO/IEC 12139-1 HDLC SSAS setup",
    status="current",
    confidence="medium",
    logical_names=("0.b.33.3.0.255",),
):
    """HS-PLC ISO/IEC 12139-1 HDLC SSAS setup (class_id 143, version 0).

    The master station of the HDLC convergence.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    master_station_id = Attribute(2, "long64-unsigned", access="rw")
