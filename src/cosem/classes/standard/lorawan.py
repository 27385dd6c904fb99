"""LoRaWAN: setup and diagnostic.

(Blue Book, class_id 128, 129)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method

__all__ = ["LoRaWanDiagnostic", "LoRaWanSetup"]


class LoRaWanSetup(
    InterfaceClass, class_id=128, version=0, title="LoRaWAN setup", status="later", confidence="medium"
):
    """LoRaWAN setup (class_id 128, version 0).

    The device in its network: class, region, keys, joining and multicast.

    A transcription skips one offset at attribute 7; the regular ones are kept, methods stand as
    printed.
    """

    class_ = Attribute(2, "enum", name="class", nature="dynamic")
    state = Attribute(3, "enum", nature="dynamic")
    max_transmit_EIRP_setting = Attribute(4, "integer", access="rw")
    ADR_mode = Attribute(5, "boolean", nature="dynamic")
    regional_parameters = Attribute(6, "enum", nature="dynamic")
    device_operation = Attribute(7, "structure", nature="dynamic")
    modem_versions = Attribute(8, "structure", access="rw")
    devAddr = Attribute(9, "double-long-unsigned", nature="dynamic")
    join_strategy = Attribute(10, "enum", nature="dynamic")
    multicasts_parameters = Attribute(11, "array", nature="dynamic")

    disconnect_from_network = Method(1, short_name_offset=0x60)
    change_class = Method(2, short_name_offset=0x68)
    change_region = Method(3, short_name_offset=0x70)


class LoRaWanDiagnostic(
    InterfaceClass, class_id=129, version=0, title="LoRaWAN diagnostic", status="later", confidence="medium"
):
    """LoRaWAN diagnostic (class_id 129, version 0).

    Counters of frames and commands, and the quality of the radio link.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    internal_error_code = Attribute(2, "enum", nature="dynamic")
    out_frames_u_counter = Attribute(3, "double-long-unsigned", nature="dynamic")
    out_frames_c_counter = Attribute(4, "double-long-unsigned", nature="dynamic")
    in_frames_u_counter = Attribute(5, "double-long-unsigned", nature="dynamic")
    in_frames_c_counter = Attribute(6, "double-long-unsigned", nature="dynamic")
    in_mac_command_counter = Attribute(7, "double-long-unsigned", nature="dynamic")
    in_mac_ans_error_counter = Attribute(8, "double-long-unsigned", nature="dynamic")
    in_mac_ignored_counter = Attribute(9, "double-long-unsigned", nature="dynamic")
    in_per = Attribute(10, "integer", nature="dynamic")
    in_mean_rssi_rx1 = Attribute(11, "integer", nature="dynamic")
    in_mean_snr_rx1 = Attribute(12, "integer", nature="dynamic")
    in_mean_rssi_rx2 = Attribute(13, "integer", nature="dynamic")
    in_mean_snr_rx2 = Attribute(14, "integer", nature="dynamic")

    reset = Method(1, short_name_offset=0x70)
