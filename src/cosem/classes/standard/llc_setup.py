"""LLC sublayers of IEC 61334-4-32 and ISO/IEC 8802-2.

(Blue Book, class_id 55, 57, 58, 59)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.structured import Structured, array_of, member

__all__ = [
    "Iec61334LlcSetup",
    "Iec61334LlcSetupVersion0",
    "Iso8802LlcType1Setup",
    "Iso8802LlcType2Setup",
    "Iso8802LlcType3Setup",
    "ReplyStatus",
]


class ReplyStatus(Structured):
    """A reply that waits: for which service access point, and how many octets."""

    L_SAP_selector: int = member("unsigned")
    length_of_waiting_L_SDU: int = member("unsigned")


class Iec61334LlcSetupVersion0(
    InterfaceClass,
    class_id=55,
    version=0,
    title="S-FSK IEC 61334-4-32 LLC setup",
    status="old",
    confidence="medium",
    logical_names=("0.b.26.5.0.255",),
):
    """S-FSK IEC 61334-4-32 LLC setup (class_id 55, version 0): see :class:`Iec61334LlcSetup`.

    Compared with that one it differs in ``max_frame_length``.
    """

    max_frame_length = Attribute(2, "unsigned")
    reply_status_list = Attribute(3, array_of(ReplyStatus), nature="dynamic")


class Iec61334LlcSetup(
    InterfaceClass,
    class_id=55,
    version=1,
    title="IEC 61334-4-32 LLC setup",
    status="current",
    confidence="high",
    logical_names=("0.b.26.5.0.255",),
):
    """IEC 61334-4-32 LLC setup (class_id 55, version 1).

    The LLC sublayer of IEC 61334-4-32: largest frame and replies that wait.
    """

    max_frame_length = Attribute(2, "long-unsigned", access="rw")
    reply_status_list = Attribute(3, array_of(ReplyStatus), nature="dynamic")


class Iso8802LlcType1Setup(
    InterfaceClass,
    class_id=57,
    version=0,
    title="ISO/IEC 8802-2 LLC Type 1 setup",
    status="current",
    confidence="high",
    logical_names=("0.b.27.0.0.255",),
):
    """ISO/IEC 8802-2 LLC Type 1 setup (class_id 57, version 0).

    LLC type 1 (unacknowledged): the largest PDU in octets.
    """

    max_octets_ui_pdu = Attribute(2, "long-unsigned", access="rw", default=128)


class Iso8802LlcType2Setup(
    InterfaceClass,
    class_id=58,
    version=0,
    title="ISO/IEC 8802-2 LLC Type 2 setup",
    status="current",
    confidence="high",
    logical_names=("0.b.27.1.0.255",),
):
    """ISO/IEC 8802-2 LLC Type 2 setup (class_id 58, version 0).

    LLC type 2 (connections): windows, sizes, repetitions and timers.
    """

    transmit_window_size_k = Attribute(2, "unsigned", access="rw")
    transmit_window_size_rw = Attribute(3, "unsigned", access="rw")
    max_octets_i_pdu_n1 = Attribute(4, "long-unsigned", access="rw")
    max_number_transmissions_n2 = Attribute(5, "unsigned", access="rw")
    acknowledgement_timer = Attribute(6, "long-unsigned", access="rw")
    p_bit_timer = Attribute(7, "long-unsigned", access="rw")
    reject_timer = Attribute(8, "long-unsigned", access="rw")
    busy_state_timer = Attribute(9, "long-unsigned", access="rw")


class Iso8802LlcType3Setup(
    InterfaceClass,
    class_id=59,
    version=0,
    title="ISO/IEC 8802-2 LLC Type 3 setup",
    status="current",
    confidence="high",
    logical_names=("0.b.27.2.0.255",),
):
    """ISO/IEC 8802-2 LLC Type 3 setup (class_id 59, version 0).

    LLC type 3 (acknowledged, without connection): sizes, repetitions and timers.
    """

    max_octets_acn_pdu_n3 = Attribute(2, "long-unsigned", access="rw")
    max_number_transmissions_n4 = Attribute(3, "unsigned", access="rw")
    acknowledgement_time_t1 = Attribute(4, "long-unsigned", access="rw")
    receive_lifetime_var_t2 = Attribute(5, "long-unsigned", access="rw")
    transmit_lifetime_var_t3 = Attribute(6, "long-unsigned", access="rw")
