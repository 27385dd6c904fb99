"""G3-PLC: the 6LoWPAN adaptation layer.

(Blue Book, class_id 92)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.structured import Structured, array_of, member
from cosem.types.data import BitString

__all__ = [
    "BlacklistEntry",
    "BroadcastLogEntry",
    "ContextInformation",
    "G3PlcAdaptationLayerSetup",
    "G3PlcAdaptationLayerSetupVersion0",
    "G3PlcAdaptationLayerSetupVersion1",
    "G3PlcAdaptationLayerSetupVersion2",
    "G3PlcAdaptationLayerSetupVersion3",
    "RoutingTableEntry",
]


class RoutingTableEntry(Structured):
    """A route: where to, over which neighbour, at what cost, and minutes for which it is valid."""

    destination_address: int = member("long-unsigned")
    next_hop_address: int = member("long-unsigned")
    route_cost: int = member("long-unsigned")
    hop_count: int = member("unsigned")
    weak_link_count: int = member("unsigned")
    valid_time: int = member("long-unsigned")


class ContextInformation(Structured):
    """A prefix for header compression; C says whether it may be used, the lifetime is in minutes."""

    CID: BitString = member("bit-string[4]")
    context_length: int = member("unsigned")
    context: bytes = member("octet-string")
    C: bool = member("boolean")
    valid_lifetime: int = member("long-unsigned")


class BlacklistEntry(Structured):
    """A neighbour that is not to be used, and minutes for which that holds."""

    B_neighbour_address: int = member("long-unsigned")
    valid_time: int = member("long-unsigned")


class BroadcastLogEntry(Structured):
    """A broadcast that was seen, and minutes for which it is remembered."""

    source_address: int = member("long-unsigned")
    sequence_number: int = member("unsigned")
    valid_time: int = member("long-unsigned")


class G3PlcAdaptationLayerSetupVersion0(
    InterfaceClass,
    class_id=92,
    version=0,
    title="G3 NB OFDM PLC 6LoWPAN adaptation layer setup",
    status="old",
    confidence="low",
    logical_names=("0.b.29.2.0.255",),
):
    """G3 NB OFDM PLC 6LoWPAN adaptation layer setup (class_id 92, version 0).

    See :class:`G3PlcAdaptationLayerSetup`. Compared with that one it has no
    ``adp_coord_short_address``, ``adp_disable_default_routing``, ``adp_device_type``,
    ``adp_default_coord_route_enabled``, ``adp_destination_address_set``, ``adp_low_LQI_value`` and
    more; it differs in ``adp_group_table``.

    Only the count of attributes is known; these are the first 16 of version 2, inferred.
    """

    adp_max_hops = Attribute(2, "unsigned", access="rw")
    adp_weak_LQI_value = Attribute(3, "unsigned", access="rw")
    adp_security_level = Attribute(4, "unsigned", access="rw")
    adp_prefix_table = Attribute(5, "array", nature="dynamic")
    adp_routing_configuration = Attribute(
        6, "array of structure", access="rw", remark='"14 elements per entry, not printed in the excerpt"'
    )
    adp_broadcast_log_table_entry_TTL = Attribute(7, "long-unsigned", access="rw")
    adp_routing_table = Attribute(8, array_of(RoutingTableEntry), nature="dynamic")
    adp_context_information_table = Attribute(9, array_of(ContextInformation), nature="dynamic")
    adp_blacklist_table = Attribute(10, array_of(BlacklistEntry), nature="dynamic")
    adp_broadcast_log_table = Attribute(11, array_of(BroadcastLogEntry), nature="dynamic")
    adp_group_table = Attribute(12, "array of long-unsigned", nature="dynamic", access="rw")
    adp_max_join_wait_time = Attribute(13, "long-unsigned", access="rw")
    adp_path_discovery_time = Attribute(14, "unsigned", access="rw")
    adp_active_key_index = Attribute(15, "unsigned", access="rw")
    adp_metric_type = Attribute(16, "unsigned", access="rw")


class G3PlcAdaptationLayerSetupVersion1(
    G3PlcAdaptationLayerSetupVersion0, version=1, title="G3-PLC 6LoWPAN adaptation layer setup"
):
    """G3-PLC 6LoWPAN adaptation layer setup (class_id 92, version 1).

    See :class:`G3PlcAdaptationLayerSetupVersion0`. Compared with that one it has
    ``adp_coord_short_address``, ``adp_disable_default_routing``, ``adp_device_type``.

    Only the count of attributes is known; these are the first 19 of version 2, inferred.
    """

    adp_coord_short_address = Attribute(17, "long-unsigned", access="rw")
    adp_disable_default_routing = Attribute(18, "boolean", access="rw")
    adp_device_type = Attribute(19, "enum", access="rw")


class G3PlcAdaptationLayerSetupVersion2(
    G3PlcAdaptationLayerSetupVersion0,
    version=2,
    title="G3-PLC 6LoWPAN adaptation layer setup",
    status="current",
    confidence="excerpt",
):
    """G3-PLC 6LoWPAN adaptation layer setup (class_id 92, version 2).

    See :class:`G3PlcAdaptationLayerSetupVersion0`. Compared with that one it has
    ``adp_coord_short_address``, ``adp_disable_default_routing``, ``adp_device_type``,
    ``adp_default_coord_route_enabled``, ``adp_destination_address_set``; it differs in
    ``adp_max_hops``, ``adp_weak_LQI_value``, ``adp_security_level``,
    ``adp_broadcast_log_table_entry_TTL``, ``adp_max_join_wait_time``, ``adp_path_discovery_time`` and
    more.
    """

    adp_max_hops = Attribute(2, "unsigned", access="rw", minimum=1, maximum=14, default=8)
    adp_weak_LQI_value = Attribute(3, "unsigned", access="rw", minimum=0, maximum=255, default=52)
    adp_security_level = Attribute(4, "unsigned", access="rw", minimum=0, maximum=5, default=5)
    adp_broadcast_log_table_entry_TTL = Attribute(
        7, "long-unsigned", access="rw", minimum=0, maximum=65535, default=2
    )
    adp_max_join_wait_time = Attribute(13, "long-unsigned", access="rw", minimum=0, maximum=1023, default=20)
    adp_path_discovery_time = Attribute(14, "unsigned", access="rw", minimum=0, maximum=255, default=40)
    adp_active_key_index = Attribute(15, "unsigned", access="rw", minimum=0, maximum=1, default=0)
    adp_metric_type = Attribute(16, "unsigned", access="rw", minimum=0, maximum=15, default=15)
    adp_coord_short_address = Attribute(17, "long-unsigned", access="rw", minimum=0, maximum=32767, default=0)
    adp_disable_default_routing = Attribute(18, "boolean", access="rw", default=False)
    adp_device_type = Attribute(19, "enum", access="rw", minimum=0, maximum=2, default=2)
    adp_default_coord_route_enabled = Attribute(20, "boolean", access="rw", default=False)
    adp_destination_address_set = Attribute(21, "array of long-unsigned", nature="dynamic")


class G3PlcAdaptationLayerSetupVersion3(G3PlcAdaptationLayerSetupVersion1, version=3, status="later"):
    """G3-PLC 6LoWPAN adaptation layer setup (class_id 92, version 3).

    See :class:`G3PlcAdaptationLayerSetupVersion1`. Compared with that one it has
    ``adp_default_coord_route_enabled``, ``adp_destination_address_set``, ``adp_low_LQI_value``,
    ``adp_high_LQI_value``.

    Only the count of attributes is known; these are the first 23 of version 4, inferred.
    """

    adp_default_coord_route_enabled = Attribute(20, "boolean", access="rw")
    adp_destination_address_set = Attribute(21, "array of long-unsigned", nature="dynamic")
    adp_low_LQI_value = Attribute(22, "unsigned", access="rw")
    adp_high_LQI_value = Attribute(23, "unsigned", access="rw")


class G3PlcAdaptationLayerSetup(G3PlcAdaptationLayerSetupVersion3, version=4, confidence="medium"):
    """G3-PLC 6LoWPAN adaptation layer setup (class_id 92, version 4).

    Parameters of the adaptation layer: routing, contexts, groups, security and joining.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    adp_group_table = Attribute(12, "array of long-unsigned", nature="dynamic")
    adp_delay_low_LQI = Attribute(24, "long-unsigned", access="rw")
    adp_delay_high_LQI = Attribute(25, "long-unsigned", access="rw")
    adp_RREQ_jitter_low_LQI = Attribute(26, "unsigned", access="rw")
    adp_RREQ_jitter_high_LQI = Attribute(27, "unsigned", access="rw")
    adp_trickle_data_enabled = Attribute(28, "boolean", access="rw")
    adp_trickle_LQI_threshold_low = Attribute(29, "unsigned", access="rw")
    adp_trickle_step = Attribute(30, "unsigned", access="rw")
    adp_trickle_Imin = Attribute(31, "long-unsigned", access="rw")
    adp_trickle_max_Ki = Attribute(32, "unsigned", access="rw")
    adp_trickle_adaptive_Imin = Attribute(33, "boolean", access="rw")
    adp_trickle_adaptive_Ki = Attribute(34, "boolean", access="rw")
    adp_cluster_trickle_enabled = Attribute(35, "boolean", access="rw")
    adp_cluster_min_LQI = Attribute(36, "unsigned", access="rw")
    adp_cluster_trickle_K = Attribute(37, "unsigned", access="rw")
    adp_cluster_RREQ_route_cost_deviation = Attribute(38, "unsigned", access="rw")
    adp_cluster_trickle_I = Attribute(39, "long-unsigned", access="rw")
    adp_trickle_LQI_threshold_high = Attribute(40, "unsigned", access="rw")
