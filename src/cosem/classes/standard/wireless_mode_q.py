"""Wireless Mode Q channel: the radio mesh of EN 13757-5.

(Blue Book, class_id 73)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass

__all__ = ["WirelessModeQChannel", "WirelessModeQChannelVersion0"]


class WirelessModeQChannelVersion0(
    InterfaceClass,
    class_id=73,
    version=0,
    title="Wireless Mode Q channel",
    status="old",
    confidence="medium",
    logical_names=("0.b.31.0.0.255",),
):
    """Wireless Mode Q channel (class_id 73, version 0): see :class:`WirelessModeQChannel`.

    Compared with that one it has the same table.
    """

    addr_state = Attribute(2, "enum", access="rw")
    device_address = Attribute(3, "octet-string", access="rw")
    address_mask = Attribute(4, "octet-string", access="rw")


class WirelessModeQChannel(WirelessModeQChannelVersion0, version=1, status="current", confidence="high"):
    """Wireless Mode Q channel (class_id 73, version 1).

    The channel of the radio mesh: addresses and frequencies.

    The heading of the 13th edition says version 1, its list of classes version 0.
    """
