"""G3-PLC hybrid: the radio side of a power line and radio network.

(Blue Book, class_id 160, 161, 162)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method

__all__ = [
    "G3PlcHybridAdaptationLayerSetup",
    "G3PlcHybridAdaptationLayerSetupVersion0",
    "G3PlcHybridMacLayerCounters",
    "G3PlcHybridMacSetup",
    "G3PlcHybridMacSetupVersion0",
]


class G3PlcHybridMacLayerCounters(
    InterfaceClass,
    class_id=160,
    version=0,
    title="G3-PLC Hybrid RF MAC layer counters",
    status="later",
    confidence="medium",
):
    """G3-PLC Hybrid RF MAC layer counters (class_id 160, version 0).

    Counters of the MAC layer on the radio side.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    mac_retry_count_RF = Attribute(2, "double-long-unsigned", nature="dynamic")
    mac_multiple_retry_count_RF = Attribute(3, "double-long-unsigned", nature="dynamic")
    mac_Tx_fail_count_RF = Attribute(4, "double-long-unsigned", nature="dynamic")
    mac_Tx_success_count_RF = Attribute(5, "double-long-unsigned", nature="dynamic")
    mac_fcs_error_count_RF = Attribute(6, "double-long-unsigned", nature="dynamic")
    mac_security_failure_count_RF = Attribute(7, "double-long-unsigned", nature="dynamic")
    mac_duplicate_frame_count_RF = Attribute(8, "double-long-unsigned", nature="dynamic")
    mac_Rx_success_count_RF = Attribute(9, "double-long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x50)


class G3PlcHybridMacSetupVersion0(
    InterfaceClass,
    class_id=161,
    version=0,
    title="G3-PLC Hybrid RF MAC setup",
    status="later",
    confidence="low",
):
    """G3-PLC Hybrid RF MAC setup (class_id 161, version 0): see :class:`G3PlcHybridMacSetup`.

    Compared with that one it has no ``mac_max_BE_RF``, ``mac_max_CSMA_backoffs_RF``,
    ``mac_max_frame_retries_RF``, ``mac_min_BE_RF``, ``mac_frame_counter_RF``,
    ``mac_duplicate_detection_TTL_RF`` and more.

    Its table is not established: attributes beyond the logical name are opaque.
    """


class G3PlcHybridMacSetup(
    InterfaceClass,
    class_id=161,
    version=1,
    title="G3-PLC Hybrid RF MAC setup",
    status="later",
    confidence="medium",
):
    """G3-PLC Hybrid RF MAC setup (class_id 161, version 1): parameters of the MAC layer on the radio side.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    mac_max_BE_RF = Attribute(2, "unsigned", access="rw")
    mac_max_CSMA_backoffs_RF = Attribute(3, "unsigned", access="rw")
    mac_max_frame_retries_RF = Attribute(4, "unsigned", access="rw")
    mac_min_BE_RF = Attribute(5, "unsigned", access="rw")
    mac_frame_counter_RF = Attribute(6, "double-long-unsigned", nature="dynamic")
    mac_duplicate_detection_TTL_RF = Attribute(7, "unsigned", access="rw")
    mac_POS_table_RF = Attribute(8, "array", nature="dynamic")
    mac_operating_mode_RF = Attribute(9, "unsigned", access="rw")
    mac_channel_number_RF = Attribute(10, "long-unsigned", access="rw")
    mac_duty_cycle_usage_RF = Attribute(11, "unsigned", nature="dynamic")
    mac_duty_cycle_period_RF = Attribute(12, "long-unsigned", access="rw")
    mac_duty_cycle_limit_RF = Attribute(13, "long-unsigned", access="rw")
    mac_duty_cycle_threshold_RF = Attribute(14, "unsigned", access="rw")
    mac_disable_PHY_RF = Attribute(15, "boolean", access="rw")
    mac_frequency_band_RF = Attribute(16, "enum", access="rw")
    mac_transmit_atten_RF = Attribute(17, "unsigned", access="rw")
    mac_adaptive_power_step_RF = Attribute(18, "unsigned", access="rw")
    mac_adaptive_power_high_bound_RF = Attribute(19, "unsigned", access="rw")
    mac_adaptive_power_low_bound_RF = Attribute(20, "unsigned", access="rw")
    mac_POS_recent_entries_RF = Attribute(21, "long-unsigned", nature="dynamic")
    mac_hopping_enabled_RF = Attribute(22, "boolean", access="rw")
    mac_broadcast_interval_duration_RF = Attribute(23, "long-unsigned", access="rw")
    mac_broadcast_slot_duration_RF = Attribute(24, "unsigned", access="rw")
    mac_unicast_slot_duration_RF = Attribute(25, "unsigned", access="rw")
    mac_extended_bitmap_RF = Attribute(26, "bit-string", access="rw")
    mac_beacon_randomization_window_length_RF = Attribute(27, "long-unsigned", access="rw")
    mac_additional_channel_scan_time_RF = Attribute(28, "unsigned", access="rw")
    mac_max_cca_attempts_retries_RF = Attribute(29, "unsigned", access="rw")
    mac_min_inter_Tx_interval_RF = Attribute(30, "long-unsigned", access="rw")
    mac_initial_retry_time_RF = Attribute(31, "long-unsigned", access="rw")
    mac_maximum_retry_time_RF = Attribute(32, "long-unsigned", access="rw")
    mac_max_clock_drift_RF = Attribute(33, "unsigned", access="rw")
    mac_FH_unicast_schedule_address_RF = Attribute(34, "long-unsigned", access="rw")
    mac_FH_unicast_slot_number_RF = Attribute(35, "long-unsigned", access="rw")
    mac_FH_unicast_offset_RF = Attribute(36, "unsigned", access="rw")
    mac_min_guard_time_RF = Attribute(37, "unsigned", access="rw")
    mac_max_bcast_resync_wait_unit_RF = Attribute(38, "unsigned", access="rw")

    mac_get_POS_table_entry_RF = Method(1, "long-unsigned", short_name_offset=0x130)


class G3PlcHybridAdaptationLayerSetupVersion0(
    InterfaceClass,
    class_id=162,
    version=0,
    title="G3-PLC Hybrid 6LoWPAN adaptation layer setup",
    status="later",
    confidence="low",
):
    """G3-PLC Hybrid 6LoWPAN adaptation layer setup (class_id 162, version 0).

    See :class:`G3PlcHybridAdaptationLayerSetup`. Compared with that one it has no
    ``adp_routing_table``, ``adp_blacklist_table``, ``adp_low_LQI_value_RF``, ``adp_high_LQI_value_RF``,
    ``adp_routing_configuration_RF``, ``adp_use_backup_media`` and more.

    Its table is not established: attributes beyond the logical name are opaque.
    """


class G3PlcHybridAdaptationLayerSetup(
    InterfaceClass,
    class_id=162,
    version=1,
    title="G3-PLC Hybrid 6LoWPAN adaptation layer setup",
    status="later",
    confidence="medium",
):
    """G3-PLC Hybrid 6LoWPAN adaptation layer setup (class_id 162, version 1).

    Parameters of the adaptation layer that concern the radio side.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    adp_routing_table = Attribute(2, "array", nature="dynamic")
    adp_blacklist_table = Attribute(3, "array", nature="dynamic")
    adp_low_LQI_value_RF = Attribute(4, "unsigned", access="rw")
    adp_high_LQI_value_RF = Attribute(5, "unsigned", access="rw")
    adp_routing_configuration_RF = Attribute(6, "array", access="rw")
    adp_use_backup_media = Attribute(7, "boolean", access="rw")
    adp_weak_LQI_value_RF = Attribute(8, "unsigned", access="rw")
    adp_trickle_LQI_threshold_low_RF = Attribute(9, "unsigned", access="rw")
    adp_delay_low_LQI_RF = Attribute(10, "long-unsigned", access="rw")
    adp_delay_high_LQI_RF = Attribute(11, "long-unsigned", access="rw")
    adp_RREQ_jitter_low_LQI_RF = Attribute(12, "unsigned", access="rw")
    adp_RREQ_jitter_high_LQI_RF = Attribute(13, "unsigned", access="rw")
    adp_cluster_trickle_I_RF = Attribute(14, "long-unsigned", access="rw")
    adp_cluster_trickle_K_RF = Attribute(15, "unsigned", access="rw")
    adp_cluster_min_LQI_RF = Attribute(16, "unsigned", access="rw")
    adp_last_gasp = Attribute(17, "boolean", access="rw")
    adp_probing_interval = Attribute(18, "unsigned", access="rw")
    adp_trickle_LQI_threshold_high_RF = Attribute(19, "unsigned", access="rw")
