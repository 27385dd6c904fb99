"""G3-PLC: the MAC layer.

(Blue Book, class_id 90, 91)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member

__all__ = [
    "G3PlcMacLayerCounters",
    "G3PlcMacLayerCountersVersion0",
    "G3PlcMacSetup",
    "G3PlcMacSetupVersion0",
    "G3PlcMacSetupVersion1",
    "G3PlcMacSetupVersion2",
    "G3PlcMacSetupVersion3",
    "MacKey",
    "PosTableEntry",
]


class MacKey(Structured):
    """A group master key and its number."""

    key_id: int = member("unsigned")
    key: bytes = member("octet-string[16]")


class PosTableEntry(Structured):
    """A node in the personal operating space: link quality, and minutes for which the entry is valid."""

    mac_POS_short_address: int = member("long-unsigned")
    LQI: int = member("unsigned")
    POS_valid_time: int = member("unsigned")


class G3PlcMacLayerCountersVersion0(
    InterfaceClass,
    class_id=90,
    version=0,
    title="G3 NB OFDM PLC MAC layer counters",
    status="old",
    confidence="medium",
    logical_names=("0.b.29.0.0.255",),
):
    """G3 NB OFDM PLC MAC layer counters (class_id 90, version 0): see :class:`G3PlcMacLayerCounters`.

    Compared with that one it has ``mac_CSMA_collision_count``, ``mac_broadcast_count``,
    ``mac_multicast_count``; it has no ``mac_CSMA_no_ACK_count``, ``mac_Tx_data_broadcast_count``,
    ``mac_Rx_data_broadcast_count``; it differs in ``mac_bad_CRC_count``, ``reset``.
    """

    mac_Tx_data_packet_count = Attribute(2, "double-long-unsigned", nature="dynamic")
    mac_Rx_data_packet_count = Attribute(3, "double-long-unsigned", nature="dynamic")
    mac_Tx_cmd_packet_count = Attribute(4, "double-long-unsigned", nature="dynamic")
    mac_Rx_cmd_packet_count = Attribute(5, "double-long-unsigned", nature="dynamic")
    mac_CSMA_fail_count = Attribute(6, "double-long-unsigned", nature="dynamic")
    mac_CSMA_collision_count = Attribute(7, "double-long-unsigned", nature="dynamic")
    mac_broadcast_count = Attribute(8, "double-long-unsigned", nature="dynamic")
    mac_multicast_count = Attribute(9, "double-long-unsigned", nature="dynamic")
    mac_bad_CRC_count = Attribute(10, "double-long-unsigned", nature="dynamic")

    reset = Method(1)


class G3PlcMacLayerCounters(
    InterfaceClass,
    class_id=90,
    version=1,
    title="G3-PLC MAC layer counters",
    status="current",
    confidence="high",
    logical_names=("0.b.29.0.0.255",),
):
    """G3-PLC MAC layer counters (class_id 90, version 1).

    Counters of the MAC layer: packets sent, received, in error and repeated.
    """

    mac_Tx_data_packet_count = Attribute(2, "double-long-unsigned", nature="dynamic")
    mac_Rx_data_packet_count = Attribute(3, "double-long-unsigned", nature="dynamic")
    mac_Tx_cmd_packet_count = Attribute(4, "double-long-unsigned", nature="dynamic")
    mac_Rx_cmd_packet_count = Attribute(5, "double-long-unsigned", nature="dynamic")
    mac_CSMA_fail_count = Attribute(6, "double-long-unsigned", nature="dynamic")
    mac_CSMA_no_ACK_count = Attribute(7, "double-long-unsigned", nature="dynamic")
    mac_bad_CRC_count = Attribute(8, "double-long-unsigned", nature="dynamic")
    mac_Tx_data_broadcast_count = Attribute(9, "double-long-unsigned", nature="dynamic")
    mac_Rx_data_broadcast_count = Attribute(10, "double-long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x50)


class G3PlcMacSetupVersion0(
    InterfaceClass,
    class_id=91,
    version=0,
    title="G3 NB OFDM PLC MAC setup",
    status="old",
    confidence="low",
    logical_names=("0.b.29.1.0.255",),
):
    """G3 NB OFDM PLC MAC setup (class_id 91, version 0): see :class:`G3PlcMacSetup`.

    Compared with that one it has ``mac_neighbour_table_entry_TTL``; it has no
    ``mac_POS_table_entry_TTL``, ``mac_broadcast_max_CW_enabled``, ``mac_transmit_atten``,
    ``mac_POS_table``, ``mac_duplicate_detection_TTL``, ``mac_POS_recent_entry_threshold`` and more; it
    differs in ``mac_get_neighbour_table_entry``.

    Listed without a table; these are the first 22 attributes of version 2, inferred.
    """

    mac_short_address = Attribute(2, "long-unsigned", nature="dynamic")
    mac_RC_coord = Attribute(3, "long-unsigned", nature="dynamic")
    mac_PAN_id = Attribute(4, "long-unsigned", nature="dynamic")
    mac_key_table = Attribute(5, array_of(MacKey), nature="dynamic", access="rw")
    mac_frame_counter = Attribute(6, "double-long-unsigned", nature="dynamic")
    mac_tone_mask = Attribute(7, "bit-string", access="rw")
    mac_TMR_TTL = Attribute(8, "unsigned", access="rw")
    mac_max_frame_retries = Attribute(9, "unsigned", access="rw")
    mac_neighbour_table_entry_TTL = Attribute(10, "unsigned", access="rw")
    mac_neighbour_table = Attribute(11, "array of structure", nature="dynamic")
    mac_high_priority_window_size = Attribute(12, "unsigned", access="rw")
    mac_CSMA_fairness_limit = Attribute(13, "unsigned", access="rw")
    mac_beacon_randomization_window_length = Attribute(14, "unsigned", access="rw")
    mac_A = Attribute(15, "unsigned", access="rw")
    mac_K = Attribute(16, "unsigned", access="rw")
    mac_min_CW_attempts = Attribute(17, "unsigned", access="rw")
    mac_cenelec_legacy_mode = Attribute(18, "unsigned")
    mac_FCC_legacy_mode = Attribute(19, "unsigned")
    mac_max_BE = Attribute(20, "unsigned", access="rw")
    mac_max_CSMA_backoff = Attribute(21, "unsigned", access="rw")
    mac_min_BE = Attribute(22, "unsigned", access="rw")

    mac_get_neighbour_table_entry = Method(1, "long-unsigned", returns="array")


class G3PlcMacSetupVersion1(G3PlcMacSetupVersion0, version=1, title="G3-PLC MAC setup"):
    """G3-PLC MAC setup (class_id 91, version 1): see :class:`G3PlcMacSetupVersion0`.

    Compared with that one it has the same table.

    Listed without a table; these are the first 22 attributes of version 2, inferred.
    """


class G3PlcMacSetupVersion2(
    InterfaceClass,
    class_id=91,
    version=2,
    title="G3-PLC MAC setup",
    status="current",
    confidence="excerpt",
    logical_names=("0.b.29.1.0.255",),
):
    """G3-PLC MAC setup (class_id 91, version 2): see :class:`G3PlcMacSetup`.

    Compared with that one it has no ``mac_duplicate_detection_TTL``,
    ``mac_POS_recent_entry_threshold``, ``mac_POS_recent_entries``, ``mac_preamble_length``,
    ``mac_get_POS_table_entry``; it differs in ``mac_short_address``, ``mac_RC_coord``, ``mac_PAN_id``,
    ``mac_key_table``, ``mac_frame_counter``, ``mac_tone_mask`` and more.
    """

    mac_short_address = Attribute(
        2, "long-unsigned", nature="dynamic", minimum=0, maximum=65535, default=65535
    )
    mac_RC_coord = Attribute(3, "long-unsigned", nature="dynamic", minimum=0, maximum=65535, default=65535)
    mac_PAN_id = Attribute(4, "long-unsigned", nature="dynamic", minimum=0, maximum=65535, default=65535)
    mac_key_table = Attribute(5, array_of(MacKey), nature="dynamic", access="rw", remark='"default empty"')
    mac_frame_counter = Attribute(
        6, "double-long-unsigned", nature="dynamic", minimum=0, maximum=4294967295, default=0
    )
    mac_tone_mask = Attribute(
        7, "bit-string", access="rw", remark='"default FFFFFFFFF000000000 (CENELEC-A) or 18 times F (FCC)"'
    )
    mac_TMR_TTL = Attribute(8, "unsigned", access="rw", minimum=0, maximum=255, default=10)
    mac_max_frame_retries = Attribute(9, "unsigned", access="rw", minimum=0, maximum=10, default=5)
    mac_POS_table_entry_TTL = Attribute(10, "unsigned", access="rw", minimum=0, maximum=255, default=255)
    mac_neighbour_table = Attribute(11, "array of structure", nature="dynamic")
    mac_high_priority_window_size = Attribute(12, "unsigned", access="rw", minimum=1, maximum=7, default=7)
    mac_CSMA_fairness_limit = Attribute(
        13, "unsigned", access="rw", maximum=255, default=25, remark='"minimum depends on other parameters"'
    )
    mac_beacon_randomization_window_length = Attribute(
        14, "unsigned", access="rw", minimum=1, maximum=254, default=12
    )
    mac_A = Attribute(15, "unsigned", access="rw", minimum=3, maximum=20, default=8)
    mac_K = Attribute(
        16, "unsigned", access="rw", minimum=1, default=5, remark='"maximum depends on other parameters"'
    )
    mac_min_CW_attempts = Attribute(17, "unsigned", access="rw", minimum=0, maximum=255, default=10)
    mac_cenelec_legacy_mode = Attribute(18, "unsigned", minimum=0, maximum=255, default=1)
    mac_FCC_legacy_mode = Attribute(19, "unsigned", minimum=0, maximum=255, default=1)
    mac_max_BE = Attribute(20, "unsigned", access="rw", minimum=0, maximum=20, default=8)
    mac_max_CSMA_backoff = Attribute(21, "unsigned", access="rw", minimum=0, maximum=255, default=50)
    mac_min_BE = Attribute(22, "unsigned", access="rw", minimum=0, maximum=20, default=3)
    mac_broadcast_max_CW_enabled = Attribute(23, "boolean", access="rw", default=False)
    mac_transmit_atten = Attribute(24, "unsigned", access="rw", minimum=0, maximum=25, default=0)
    mac_POS_table = Attribute(25, array_of(PosTableEntry), nature="dynamic")

    mac_get_neighbour_table_entry = Method(
        1, "long-unsigned", returns="structure", short_name_offset=0xE0, remark="mac_short_address"
    )


class G3PlcMacSetupVersion3(G3PlcMacSetupVersion2, version=3, status="later", confidence="low"):
    """G3-PLC MAC setup (class_id 91, version 3): see :class:`G3PlcMacSetupVersion2`.

    Compared with that one it has ``mac_duplicate_detection_TTL``, ``mac_get_POS_table_entry``; it
    differs in ``mac_short_address``, ``mac_RC_coord``, ``mac_PAN_id``, ``mac_key_table``,
    ``mac_frame_counter``, ``mac_tone_mask`` and more.

    Count and order of the attributes are known; the offsets of the methods are not.
    """

    mac_short_address = Attribute(2, "long-unsigned", nature="dynamic")
    mac_RC_coord = Attribute(3, "long-unsigned", nature="dynamic")
    mac_PAN_id = Attribute(4, "long-unsigned", nature="dynamic")
    mac_key_table = Attribute(5, array_of(MacKey), nature="dynamic", access="rw")
    mac_frame_counter = Attribute(6, "double-long-unsigned", nature="dynamic")
    mac_tone_mask = Attribute(7, "bit-string", access="rw")
    mac_TMR_TTL = Attribute(8, "unsigned", access="rw")
    mac_max_frame_retries = Attribute(9, "unsigned", access="rw")
    mac_POS_table_entry_TTL = Attribute(10, "unsigned", access="rw")
    mac_high_priority_window_size = Attribute(12, "unsigned", access="rw")
    mac_CSMA_fairness_limit = Attribute(13, "unsigned", access="rw")
    mac_beacon_randomization_window_length = Attribute(14, "unsigned", access="rw")
    mac_A = Attribute(15, "unsigned", access="rw")
    mac_K = Attribute(16, "unsigned", access="rw")
    mac_min_CW_attempts = Attribute(17, "unsigned", access="rw")
    mac_cenelec_legacy_mode = Attribute(18, "unsigned")
    mac_FCC_legacy_mode = Attribute(19, "unsigned")
    mac_max_BE = Attribute(20, "unsigned", access="rw")
    mac_max_CSMA_backoff = Attribute(21, "unsigned", access="rw")
    mac_min_BE = Attribute(22, "unsigned", access="rw")
    mac_broadcast_max_CW_enabled = Attribute(23, "boolean", access="rw")
    mac_transmit_atten = Attribute(24, "unsigned", access="rw")
    mac_duplicate_detection_TTL = Attribute(26, "unsigned", access="rw")

    mac_get_neighbour_table_entry = Method(1, "long-unsigned", returns="array")
    mac_get_POS_table_entry = Method(2, "long-unsigned", returns="array")


class G3PlcMacSetup(G3PlcMacSetupVersion3, version=4, confidence="medium"):
    """G3-PLC MAC setup (class_id 91, version 4).

    Parameters of the MAC layer: addresses, keys, tone mask, contention and neighbour table.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    mac_POS_recent_entry_threshold = Attribute(27, "unsigned", access="rw")
    mac_POS_recent_entries = Attribute(28, "long-unsigned", access="rw")
    mac_preamble_length = Attribute(29, "unsigned", access="rw")

    mac_get_neighbour_table_entry = Method(1, "long-unsigned", returns="array", short_name_offset=0xE8)
    mac_get_POS_table_entry = Method(2, "long-unsigned", returns="array", short_name_offset=0xF0)
