"""PPP setup: the point-to-point link under IP.

(Blue Book, class_id 44)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.structured import Structured, array_of, member

__all__ = ["IpcpOption", "LcpOption", "PppSetup"]


class LcpOption(Structured):
    """An option of the link control protocol."""

    LCP_option_type: int = member("unsigned")
    LCP_option_length: int = member("unsigned")
    LCP_option_data: Any = member("CHOICE")


class IpcpOption(Structured):
    """An option of the IP control protocol."""

    IPCP_option_type: int = member("unsigned")
    IPCP_option_length: int = member("unsigned")
    IPCP_option_data: Any = member("CHOICE")


class PppSetup(
    InterfaceClass,
    class_id=44,
    version=0,
    title="PPP setup",
    status="current",
    confidence="high",
    logical_names=("0.b.25.3.0.255",),
):
    """PPP setup (class_id 44, version 0).

    The point-to-point protocol: options of its layers, and how the meter proves who it is.
    """

    PHY_reference = Attribute(2, "octet-string[6]", access="rw")
    LCP_options = Attribute(3, array_of(LcpOption), access="rw")
    IPCP_options = Attribute(4, array_of(IpcpOption), access="rw")
    PPP_authentication = Attribute(
        5,
        "null-data or structure{user_name octet-string, PAP_password octet-string} or CHOICE",
        access="rw",
        remark='"other forms by the authentication protocol"',
    )
