"""ISO/IEC 14908: identification, setup, status and diagnostic of the control network.

(Blue Book, class_id 130, 131, 132, 133)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method

__all__ = [
    "Iso14908Diagnostic",
    "Iso14908DiagnosticVersion0",
    "Iso14908Identification",
    "Iso14908ProtocolSetup",
    "Iso14908ProtocolStatus",
    "Iso14908ProtocolStatusVersion0",
]


class Iso14908Identification(
    InterfaceClass,
    class_id=130,
    version=0,
    title="ISO/IEC 14908 identification",
    status="later",
    confidence="medium",
):
    """ISO/IEC 14908 identification (class_id 130, version 0): the addresses of a node.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    node_ID = Attribute(2, "unsigned", access="rw")
    subnet_ID = Attribute(3, "unsigned", access="rw")
    domain_ID = Attribute(4, "octet-string", access="rw")
    program_ID = Attribute(5, "octet-string", access="rw")
    unique_node_ID = Attribute(6, "octet-string", access="rw")


class Iso14908ProtocolSetup(
    InterfaceClass,
    class_id=131,
    version=0,
    title="ISO/IEC 14908 protocol setup",
    status="later",
    confidence="medium",
):
    """ISO/IEC 14908 protocol setup (class_id 131, version 0): the time-out of the node.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    inactivity_timeout = Attribute(2, "long-unsigned", access="rw")


class Iso14908ProtocolStatusVersion0(
    InterfaceClass,
    class_id=132,
    version=0,
    title="ISO/IEC 14908 protocol status",
    status="later",
    confidence="low",
):
    """ISO/IEC 14908 protocol status (class_id 132, version 0): see :class:`Iso14908ProtocolStatus`.

    Compared with that one it has the same table.

    It is doubtful that a version 0 was issued.
    """

    transmission_errors = Attribute(2, "long-unsigned", nature="dynamic")
    transmit_tx_failure = Attribute(3, "long-unsigned", nature="dynamic")
    transmit_tx_retries = Attribute(4, "long-unsigned", nature="dynamic")
    receive_tx_full = Attribute(5, "long-unsigned", nature="dynamic")
    lost_messages = Attribute(6, "long-unsigned", nature="dynamic")
    missed_messages = Attribute(7, "long-unsigned", nature="dynamic")
    layer2_received = Attribute(8, "long-unsigned", nature="dynamic")
    layer3_received = Attribute(9, "long-unsigned", nature="dynamic")
    messages_received = Attribute(10, "double-long-unsigned", nature="dynamic")
    messages_validated = Attribute(11, "double-long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x70)


class Iso14908ProtocolStatus(Iso14908ProtocolStatusVersion0, version=1, confidence="medium"):
    """ISO/IEC 14908 protocol status (class_id 132, version 1): counters of the layers of the protocol.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """


class Iso14908DiagnosticVersion0(
    InterfaceClass,
    class_id=133,
    version=0,
    title="ISO/IEC 14908 diagnostic",
    status="later",
    confidence="low",
):
    """ISO/IEC 14908 diagnostic (class_id 133, version 0): see :class:`Iso14908Diagnostic`.

    Compared with that one it has the same table.

    It is doubtful that a version 0 was issued.
    """

    plc_signal_quality_status = Attribute(2, "enum", nature="dynamic")
    com_module_state = Attribute(3, "enum", nature="dynamic")
    received_message_status = Attribute(4, "unsigned", nature="dynamic")
    no_receive_buffer = Attribute(5, "long-unsigned", nature="dynamic")
    transmit_no_data = Attribute(6, "long-unsigned", nature="dynamic")
    backlog_overflows = Attribute(7, "long-unsigned", nature="dynamic")
    late_ack = Attribute(8, "long-unsigned", nature="dynamic")
    frequency_invalid = Attribute(9, "long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x60)


class Iso14908Diagnostic(Iso14908DiagnosticVersion0, version=1, confidence="medium"):
    """ISO/IEC 14908 diagnostic (class_id 133, version 1).

    The state of the communication module and its errors.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """
