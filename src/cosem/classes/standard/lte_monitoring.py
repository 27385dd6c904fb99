"""LTE monitoring: how the meter sits in an LTE network.

(Blue Book, class_id 151)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.structured import Structured, member

__all__ = [
    "LteMonitoring",
    "LteMonitoringVersion0",
    "LteNetworkParameters",
    "LteQualityOfService",
    "LteQualityVersion0",
]


class LteQualityVersion0(Structured):
    """Timers of the network in seconds, reference signal quality and power, lowest level for a cell."""

    T3402: int = member("long-unsigned")
    T3412: int = member("long-unsigned")
    RSRQ: int = member("unsigned")
    RSRP: int = member("unsigned")
    qRxlevMin: int = member("integer")


class LteNetworkParameters(Structured):
    """Timers of the network, and the lowest levels for a cell."""

    T3402: int = member("long-unsigned")
    T3412: int = member("long-unsigned")
    T3412ext2: int = member("double-long-unsigned")
    T3324: int = member("long-unsigned")
    TeDRX: int = member("double-long-unsigned")
    TPTW: int = member("long-unsigned")
    qRxlevMin: int = member("integer")
    qRxlevMinCE_r13: int = member("integer")
    qRxLevMinCE1_r13: int = member("integer")


class LteQualityOfService(Structured):
    """Reference signal quality and power, signal to noise ratio, coverage enhancement level."""

    RSRQ: int = member("integer")
    RSRP: int = member("integer")
    SNR: int = member("integer")
    coverage_enhancement: int = member("enum")


class LteMonitoringVersion0(
    InterfaceClass,
    class_id=151,
    version=0,
    title="LTE monitoring",
    status="current",
    confidence="medium",
    logical_names=("0.b.25.11.0.255",),
):
    """LTE monitoring (class_id 151, version 0): see :class:`LteMonitoring`.

    Compared with that one it has ``LTE_QoS``; it has no ``LTE_network_parameters``,
    ``LTE_quality_of_service``.
    """

    LTE_QoS = Attribute(2, LteQualityVersion0, nature="dynamic")


class LteMonitoring(
    InterfaceClass,
    class_id=151,
    version=1,
    title="LTE monitoring",
    status="later",
    confidence="medium",
    logical_names=("0.b.25.11.0.255",),
):
    """LTE monitoring (class_id 151, version 1): timers and signal quality of an LTE network."""

    LTE_network_parameters = Attribute(2, LteNetworkParameters, nature="dynamic")
    LTE_quality_of_service = Attribute(3, LteQualityOfService, nature="dynamic")
