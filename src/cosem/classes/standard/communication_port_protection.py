"""Communication port protection: locking a port after failed attempts.

(Blue Book, class_id 124)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.types.enumerations import OpenEnumeration

__all__ = ["CommunicationPortProtection", "ProtectionMode", "ProtectionStatus"]


class ProtectionMode(OpenEnumeration):
    """Whether the port may be locked."""

    LOCKED = 0
    LOCKED_ON_FAILED_ATTEMPTS = 1
    UNLOCKED = 2


class ProtectionStatus(OpenEnumeration):
    """Whether the port is locked now."""

    UNLOCKED = 0
    TEMPORARILY_LOCKED = 1
    LOCKED = 2


class CommunicationPortProtection(
    InterfaceClass,
    class_id=124,
    version=0,
    title="Communication port protection",
    status="current",
    confidence="excerpt",
    logical_names=("0.b.44.2.e.255",),
):
    """Communication port protection (class_id 124, version 0).

    Locks a port after failed attempts, each time for longer.

    Lock-out times are seconds, from ``initial_lockout_time``, growing by ``steepness_factor``, up to
    ``max_lockout_time``.
    """

    protection_mode = Attribute(2, "enum", ProtectionMode, access="rw", default=1)
    allowed_failed_attempts = Attribute(3, "long-unsigned", access="rw")
    initial_lockout_time = Attribute(4, "double-long-unsigned", access="rw")
    steepness_factor = Attribute(5, "unsigned", access="rw", default=1)
    max_lockout_time = Attribute(6, "double-long-unsigned", access="rw")
    port_reference = Attribute(7, "octet-string[6]", access="rw")
    protection_status = Attribute(8, "enum", ProtectionStatus, nature="dynamic")
    failed_attempts = Attribute(9, "double-long-unsigned", nature="dynamic")
    cumulative_failed_attempts = Attribute(10, "double-long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x50)
