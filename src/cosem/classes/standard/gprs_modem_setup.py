"""GPRS modem setup: access point and quality of service.

(Blue Book, class_id 45)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.structured import Structured, member

__all__ = ["GprsModemSetup", "QualityOfService", "QualityOfServiceElement"]


class QualityOfServiceElement(Structured):
    """The classes of a GPRS quality of service."""

    precedence: int = member("unsigned")
    delay: int = member("unsigned")
    reliability: int = member("unsigned")
    peak_throughput: int = member("unsigned")
    mean_throughput: int = member("unsigned")


class QualityOfService(Structured):
    """The lowest quality that is acceptable, and the one asked for."""

    default: QualityOfServiceElement = member(QualityOfServiceElement)
    requested: QualityOfServiceElement = member(QualityOfServiceElement)


class GprsModemSetup(
    InterfaceClass,
    class_id=45,
    version=0,
    title="GPRS modem setup",
    status="current",
    confidence="high",
    logical_names=("0.b.25.4.0.255",),
):
    """GPRS modem setup (class_id 45, version 0).

    Mobile packet data: access point name, PIN and quality of service.
    """

    APN = Attribute(2, "octet-string", access="rw")
    PIN_code = Attribute(3, "long-unsigned", access="rw")
    quality_of_service = Attribute(4, QualityOfService, access="rw")
