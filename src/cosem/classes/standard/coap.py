"""CoAP: setup and diagnostic.

(Blue Book, class_id 152, 153)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import CaptureTime
from cosem.classes.structured import Structured, member

__all__ = [
    "BlockWiseTransferCounter",
    "CoapDiagnostic",
    "CoapSetup",
    "MessagesCounter",
    "RequestResponseCounter",
]


class MessagesCounter(Structured):
    """CoAP messages sent and received, by kind."""

    tx: int = member("double-long-unsigned")
    rx: int = member("double-long-unsigned")
    tx_resend: int = member("double-long-unsigned")
    tx_reset: int = member("double-long-unsigned")
    rx_reset: int = member("double-long-unsigned")
    tx_ack: int = member("double-long-unsigned")
    rx_ack: int = member("double-long-unsigned")
    rx_drop: int = member("double-long-unsigned")
    tx_non_piggybacked: int = member("double-long-unsigned")
    max_rtx_exceeded: int = member("double-long-unsigned")


class RequestResponseCounter(Structured):
    """CoAP requests, responses and errors, both ways."""

    rx_requests: int = member("double-long-unsigned")
    tx_requests: int = member("double-long-unsigned")
    rx_responses: int = member("double-long-unsigned")
    tx_responses: int = member("double-long-unsigned")
    tx_client_errors: int = member("double-long-unsigned")
    rx_client_errors: int = member("double-long-unsigned")
    tx_server_errors: int = member("double-long-unsigned")
    rx_server_errors: int = member("double-long-unsigned")


class BlockWiseTransferCounter(Structured):
    """Block-wise transfers begun, completed and given up."""

    block_wise_transfer_started: int = member("double-long-unsigned")
    block_wise_transfer_completed: int = member("double-long-unsigned")
    block_wise_transfer_timeout: int = member("double-long-unsigned")


class CoapSetup(
    InterfaceClass, class_id=152, version=0, title="CoAP setup", status="later", confidence="medium"
):
    """CoAP setup (class_id 152, version 0): timers, repetitions and transport of CoAP."""

    UDP_reference = Attribute(2, "octet-string[6]", access="rw")
    ACK_TIMEOUT = Attribute(3, "long-unsigned", access="rw")
    ACK_RANDOM_FACTOR = Attribute(4, "long-unsigned", access="rw")
    MAX_RETRANSMIT = Attribute(5, "long-unsigned", access="rw")
    NSTART = Attribute(6, "long-unsigned", access="rw")
    delay_ack_timeout = Attribute(7, "long-unsigned", access="rw")
    exponential_back_off = Attribute(8, "long-unsigned", access="rw")
    probing_rate = Attribute(9, "long-unsigned", access="rw")
    CoAP_uri_path = Attribute(10, "octet-string", access="rw")
    transport_mode = Attribute(11, "enum", access="rw")
    wrapper_version = Attribute(
        12, "CHOICE", nature="dynamic", access="rw", remark='"null-data or the wrapper version"'
    )
    token_length = Attribute(13, "unsigned", access="rw")


class CoapDiagnostic(
    InterfaceClass, class_id=153, version=0, title="CoAP diagnostic", status="later", confidence="medium"
):
    """CoAP diagnostic (class_id 153, version 0): counters of CoAP messages, requests and block transfers.

    A transcription prints the attributes one short name later; the regular offsets are kept.
    """

    messages_counter = Attribute(2, MessagesCounter, nature="dynamic")
    request_response_counter = Attribute(3, RequestResponseCounter, nature="dynamic")
    bt_counter = Attribute(4, BlockWiseTransferCounter, nature="dynamic")
    capture_time = Attribute(5, CaptureTime, nature="dynamic")

    reset = Method(1, short_name_offset=0x30)
