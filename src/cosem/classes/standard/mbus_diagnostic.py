"""M-Bus diagnostic: how the M-Bus channel fares.

(Blue Book, class_id 77)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import CaptureTime
from cosem.classes.structured import Structured, array_of, member
from cosem.types.date_time import DateTime

__all__ = ["BroadcastFramesCounter", "MBusDiagnostic"]


class BroadcastFramesCounter(Structured):
    """How many broadcast frames came from a client, and when the last one came."""

    client_id: int = member("unsigned")
    counter: int = member("double-long-unsigned")
    time_stamp: DateTime = member("date-time")


class MBusDiagnostic(
    InterfaceClass,
    class_id=77,
    version=0,
    title="M-Bus diagnostic",
    status="current",
    confidence="medium",
    logical_names=("0.b.24.9.e.255",),
):
    """M-Bus diagnostic (class_id 77, version 0): link quality and counters of frames on an M-Bus channel."""

    received_signal_strength = Attribute(2, "unsigned", nature="dynamic")
    channel_id = Attribute(3, "unsigned", nature="dynamic")
    link_status = Attribute(4, "enum", nature="dynamic")
    broadcast_frames_counter = Attribute(5, array_of(BroadcastFramesCounter), nature="dynamic")
    transmissions_counter = Attribute(6, "double-long-unsigned", nature="dynamic")
    FCS_OK_frames_counter = Attribute(7, "double-long-unsigned", nature="dynamic")
    FCS_NOK_frames_counter = Attribute(8, "double-long-unsigned", nature="dynamic")
    capture_time = Attribute(9, CaptureTime, nature="dynamic")

    reset = Method(1)
