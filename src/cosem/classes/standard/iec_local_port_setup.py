"""IEC local port setup: the optical port of IEC 62056-21.

(Blue Book, class_id 19)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.standard.references import Baud
from cosem.types.enumerations import OpenEnumeration

__all__ = ["DefaultMode", "IecLocalPortSetup", "IecLocalPortSetupVersion0", "ResponseTime"]


class DefaultMode(OpenEnumeration):
    """The protocol with which the port begins."""

    IEC_62056_21 = 0
    HDLC = 1
    UNSPECIFIED = 2


class ResponseTime(OpenEnumeration):
    """The shortest time between a request and the answer."""

    MILLISECONDS_20 = 0
    MILLISECONDS_200 = 1


class IecLocalPortSetupVersion0(
    InterfaceClass,
    class_id=19,
    version=0,
    title="IEC local port setup",
    status="old",
    confidence="medium",
    logical_names=("0.b.20.0.0-1.255",),
):
    """IEC local port setup (class_id 19, version 0): see :class:`IecLocalPortSetup`.

    Compared with that one it has the same table.
    """

    default_mode = Attribute(2, "enum", DefaultMode, access="rw")
    default_baud = Attribute(3, "enum", Baud, access="rw")
    prop_baud = Attribute(4, "enum", Baud, access="rw")
    response_time = Attribute(5, "enum", ResponseTime, access="rw")
    device_addr = Attribute(6, "octet-string", access="rw")
    pass_p1 = Attribute(7, "octet-string", access="rw")
    pass_p2 = Attribute(8, "octet-string", access="rw")
    pass_w5 = Attribute(9, "octet-string", access="rw")


class IecLocalPortSetup(IecLocalPortSetupVersion0, version=1, status="current", confidence="high"):
    """IEC local port setup (class_id 19, version 1).

    The optical or other local port of IEC 62056-21: protocol, speeds, address and passwords.
    """
