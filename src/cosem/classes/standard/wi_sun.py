"""Wi-SUN field area network: setup and diagnostics.

(Blue Book, class_id 95, 96, 97, 98)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method

__all__ = ["MplDiagnostic", "RplDiagnostic", "WiSunDiagnostic", "WiSunSetup"]


class WiSunSetup(
    InterfaceClass, class_id=95, version=0, title="Wi-SUN setup", status="later", confidence="medium"
):
    """Wi-SUN setup (class_id 95, version 0): the network, its keys, and timers of discovery and routing.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    network_name = Attribute(2, "octet-string", access="rw")
    routing_method = Attribute(3, "enum", nature="dynamic")
    pan_id = Attribute(4, "long-unsigned", nature="dynamic")
    disc_imin = Attribute(5, "unsigned", access="rw")
    disc_imax = Attribute(6, "unsigned", access="rw")
    data_message_imin = Attribute(7, "unsigned", access="rw")
    data_message_imax = Attribute(8, "unsigned", access="rw")
    default_dio_interval_min = Attribute(9, "unsigned", access="rw")
    default_dio_interval_doublings = Attribute(10, "unsigned", access="rw")
    channel_plan = Attribute(11, "structure", access="rw")
    channel_function = Attribute(12, "enum", access="rw")
    excluded_channels = Attribute(13, "CHOICE", access="rw")
    join_state = Attribute(14, "enum", nature="dynamic")
    reg_channel_exclusions = Attribute(15, "structure", access="rw")

    reset_join_state = Method(1, short_name_offset=0x78)


class WiSunDiagnostic(
    InterfaceClass, class_id=96, version=0, title="Wi-SUN diagnostic", status="later", confidence="medium"
):
    """Wi-SUN diagnostic (class_id 96, version 0): the state of the node in the network and its neighbours.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    sysdescr = Attribute(2, "octet-string", nature="dynamic")
    ifnumber = Attribute(3, "integer", nature="dynamic")
    iftable = Attribute(4, "array", nature="dynamic")
    neighbour_table_information = Attribute(5, "array", nature="dynamic")
    transmission_information = Attribute(6, "array", nature="dynamic")

    reset = Method(1, short_name_offset=0x30)


class RplDiagnostic(
    InterfaceClass, class_id=97, version=0, title="RPL diagnostic", status="later", confidence="medium"
):
    """RPL diagnostic (class_id 97, version 0).

    Counters and parents of the routing protocol for low-power networks.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    rpl_instance_id = Attribute(2, "unsigned", nature="dynamic")
    dodag_version_number = Attribute(3, "unsigned", nature="dynamic")
    dodag_rank = Attribute(4, "long", nature="dynamic")
    grounded = Attribute(5, "boolean", nature="dynamic")
    mode_of_operation = Attribute(6, "enum", nature="dynamic")
    dodag_prf = Attribute(7, "unsigned", nature="dynamic")
    dodag_dtsn = Attribute(8, "unsigned", nature="dynamic")
    dodag_id = Attribute(9, "octet-string", nature="dynamic")

    reset = Method(1, short_name_offset=0x48)


class MplDiagnostic(
    InterfaceClass, class_id=98, version=0, title="MPL diagnostic", status="later", confidence="medium"
):
    """MPL diagnostic (class_id 98, version 0).

    Buffers and timers of the multicast protocol for low-power networks.

    A transcription prints one offset skipped after attribute 2; the regular offsets are kept.
    """

    proactive_forwarding = Attribute(2, "boolean", nature="dynamic")
    z = Attribute(3, "unsigned", nature="dynamic")
    tunit = Attribute(4, "unsigned", nature="dynamic")
    se_lifetime = Attribute(5, "long-unsigned", nature="dynamic")
    dm_k = Attribute(6, "unsigned", nature="dynamic")
    dm_imin = Attribute(7, "long-unsigned", nature="dynamic")
    dm_imax = Attribute(8, "unsigned", nature="dynamic")
    dm_t_exp = Attribute(9, "long-unsigned", nature="dynamic")
    c_k = Attribute(10, "unsigned", nature="dynamic")
    c_imin = Attribute(11, "long-unsigned", nature="dynamic")
    c_imax = Attribute(12, "unsigned", nature="dynamic")
    c_t_exp = Attribute(13, "long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x70)
