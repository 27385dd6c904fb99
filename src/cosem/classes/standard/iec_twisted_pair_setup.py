"""IEC twisted pair (1) setup: the Euridis bus.

(Blue Book, class_id 24)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass

__all__ = ["IecTwistedPairSetup", "IecTwistedPairSetupVersion0"]


class IecTwistedPairSetupVersion0(
    InterfaceClass,
    class_id=24,
    version=0,
    title="IEC twisted pair (1) setup",
    status="old",
    confidence="medium",
    logical_names=("0.b.23.0.0.255",),
):
    """IEC twisted pair (1) setup (class_id 24, version 0): see :class:`IecTwistedPairSetup`.

    Compared with that one it has ``secondary_address``, ``fatal_error``; it has no ``mode``, ``speed``;
    it differs in ``primary_address_list``, ``tabi_list``.
    """

    secondary_address = Attribute(2, "octet-string", access="rw")
    primary_address_list = Attribute(3, "array of unsigned", access="rw")
    tabi_list = Attribute(4, "array of integer", access="rw")
    fatal_error = Attribute(5, "enum", nature="dynamic")


class IecTwistedPairSetup(
    InterfaceClass,
    class_id=24,
    version=1,
    title="IEC twisted pair (1) setup",
    status="current",
    confidence="high",
    logical_names=("0.b.23.0.0.255",),
):
    """IEC twisted pair (1) setup (class_id 24, version 1).

    The twisted-pair bus of IEC 62056-31: addresses and, in the newest version, mode and speed.
    """

    mode = Attribute(2, "enum", access="rw")
    speed = Attribute(3, "enum", access="rw")
    primary_address_list = Attribute(4, "array of unsigned", access="rw")
    tabi_list = Attribute(5, "array of integer", access="rw")
