"""SCHC-LPWAN: header compression for low-power wide-area networks.

(Blue Book, class_id 126, 127)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method

__all__ = ["SchcLpwanDiagnostic", "SchcLpwanSetup"]


class SchcLpwanSetup(
    InterfaceClass, class_id=126, version=0, title="SCHC-LPWAN setup", status="later", confidence="medium"
):
    """SCHC-LPWAN setup (class_id 126, version 0): rules for compression and for fragments.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    lpwan_reference = Attribute(2, "octet-string", access="rw")
    schc_cd_rules = Attribute(3, "array", access="rw")
    schc_fr_param = Attribute(4, "structure", access="rw")


class SchcLpwanDiagnostic(
    InterfaceClass,
    class_id=127,
    version=0,
    title="SCHC-LPWAN diagnostic",
    status="later",
    confidence="medium",
):
    """SCHC-LPWAN diagnostic (class_id 127, version 0): counters of packets, fragments and acknowledgements.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    schc_packets_tx_counter = Attribute(2, "double-long-unsigned", nature="dynamic")
    schc_packets_rx_counter = Attribute(3, "double-long-unsigned", nature="dynamic")
    schc_fragments_tx_counter = Attribute(4, "double-long-unsigned", nature="dynamic")
    schc_fragments_rx_counter = Attribute(5, "double-long-unsigned", nature="dynamic")
    schc_ack_tx_counter = Attribute(6, "double-long-unsigned", nature="dynamic")
    schc_ack_rx_counter = Attribute(7, "double-long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x40)
