"""ZigBee smart energy: start-up, joining, fragmentation, network control and tunnels.

(Blue Book, class_id 101, 102, 103, 104, 105)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method

__all__ = [
    "ZigBeeNetworkControl",
    "ZigBeeSasApsFragmentation",
    "ZigBeeSasJoin",
    "ZigBeeSasStartup",
    "ZigBeeTunnelSetup",
]


class ZigBeeSasStartup(
    InterfaceClass,
    class_id=101,
    version=0,
    title="ZigBee SAS startup",
    status="current",
    confidence="medium",
    logical_names=("0.b.30.0.e.255",),
):
    """ZigBee SAS startup (class_id 101, version 0): parameters with which a device starts up in a network."""

    short_address = Attribute(2, "long-unsigned", nature="dynamic", access="rw")
    extended_PAN_id = Attribute(3, "octet-string[8]", nature="dynamic", access="rw")
    PAN_id = Attribute(4, "long-unsigned", nature="dynamic", access="rw")
    channel_mask = Attribute(5, "double-long-unsigned", nature="dynamic", access="rw")
    protocol_version = Attribute(6, "unsigned", access="rw")
    stack_profile = Attribute(7, "enum", access="rw")
    start_up_control = Attribute(8, "unsigned", nature="dynamic", access="rw")
    trust_centre_address = Attribute(9, "octet-string[8]", nature="dynamic", access="rw")
    link_key = Attribute(10, "octet-string[16]", nature="dynamic", access="w")
    network_key = Attribute(11, "octet-string[16]", nature="dynamic", access="w")
    use_insecure_join = Attribute(12, "boolean", access="rw")


class ZigBeeSasJoin(
    InterfaceClass,
    class_id=102,
    version=0,
    title="ZigBee SAS join",
    status="current",
    confidence="medium",
    logical_names=("0.b.30.1.e.255",),
):
    """ZigBee SAS join (class_id 102, version 0).

    How a device looks for a network to join, and joins it again.
    """

    scan_attempts = Attribute(2, "unsigned", access="rw")
    time_between_scans = Attribute(3, "long-unsigned", access="rw")
    rejoin_interval = Attribute(4, "long-unsigned", access="rw")
    rejoin_retry_interval = Attribute(5, "long-unsigned", access="rw")


class ZigBeeSasApsFragmentation(
    InterfaceClass,
    class_id=103,
    version=0,
    title="ZigBee SAS APS fragmentation",
    status="current",
    confidence="medium",
    logical_names=("0.b.30.2.e.255",),
):
    """ZigBee SAS APS fragmentation (class_id 103, version 0).

    How long messages are cut, and how many fragments are under way.
    """

    APS_interframe_delay = Attribute(2, "long-unsigned", access="rw")
    APS_max_window_size = Attribute(3, "long-unsigned", access="rw")


class ZigBeeNetworkControl(
    InterfaceClass,
    class_id=104,
    version=0,
    title="ZigBee network control",
    status="current",
    confidence="medium",
    logical_names=("0.b.30.3.e.255",),
):
    """ZigBee network control (class_id 104, version 0).

    Opening, closing and watching a network, for its coordinator.
    """

    enable_disable_joining = Attribute(2, "boolean", access="rw")
    join_timeout = Attribute(3, "long-unsigned", access="rw")
    active_devices = Attribute(4, "array of structure", nature="dynamic")

    register_device = Method(1, "structure", short_name_offset=0x20)
    unregister_device = Method(2, "octet-string[8]", short_name_offset=0x28)
    unregister_all_devices = Method(3, short_name_offset=0x30)
    backup_PAN = Method(4, returns="structure", short_name_offset=0x38)
    restore_PAN = Method(5, "structure", short_name_offset=0x40)
    identify_device = Method(6, "octet-string[8]", short_name_offset=0x48)
    remove_mirror = Method(7, "structure", short_name_offset=0x50)
    update_network_key = Method(8, "structure", short_name_offset=0x58)
    update_link_key = Method(9, "octet-string[8]", short_name_offset=0x60)
    create_PAN = Method(10, short_name_offset=0x68)
    remove_PAN = Method(11, short_name_offset=0x70)


class ZigBeeTunnelSetup(
    InterfaceClass,
    class_id=105,
    version=0,
    title="ZigBee tunnel setup",
    status="current",
    confidence="medium",
    logical_names=("0.b.30.4.e.255",),
):
    """ZigBee tunnel setup (class_id 105, version 0): how much a tunnel of another protocol may carry."""

    max_incoming_transfer_size = Attribute(2, "long-unsigned", access="rw")
    max_outgoing_transfer_size = Attribute(3, "long-unsigned", access="rw")
    protocol_address = Attribute(4, "octet-string", access="rw")
    close_tunnel_timeout = Attribute(5, "long-unsigned", access="rw")
