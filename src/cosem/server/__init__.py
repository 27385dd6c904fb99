"""Meters that answer: logical devices, their objects, and a server for any number of clients.

::

    meter = LogicalDevice("ABC0000000000001", objects=[RegisterObject("1-0:1.8.0", ...)])
    meter.add_association(16)  # the public client may read
    meter.add_association(1, AccessRights.full(), secret="12345678")
    async with Server([meter]).listen("tcp://127.0.0.1:4059") as server:
        await server.wait_closed()

Each name is loaded when it is first used: importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cosem.association.server.profile import AssociationProfile, ServerLimits
    from cosem.server.access_rights import AccessMode, AccessRights
    from cosem.server.association_entries import AssociationEntry
    from cosem.server.demonstration import demonstration_meter
    from cosem.server.held_security import HeldSecurity
    from cosem.server.limits import ConnectionLimits, Statistics
    from cosem.server.logical_device import LogicalDevice
    from cosem.server.objects.association_ln import AssociationLnObject
    from cosem.server.objects.association_sn import AssociationSnObject
    from cosem.server.objects.base import CosemObject, blocking
    from cosem.server.objects.clock import ClockObject
    from cosem.server.objects.data import DataObject, ExtendedRegisterObject, RegisterObject
    from cosem.server.objects.data_protection import DataProtectionObject
    from cosem.server.objects.demand_register import DemandRegisterObject
    from cosem.server.objects.disconnect_control import DisconnectControlObject
    from cosem.server.objects.image_transfer import ImageTransferObject
    from cosem.server.objects.invocation_counter import InvocationCounterObject
    from cosem.server.objects.making import make_object, object_class
    from cosem.server.objects.monitors import LimiterObject, RegisterMonitorObject
    from cosem.server.objects.profile_generic import ProfileGenericObject
    from cosem.server.objects.profile_status import ProfileStatusObject
    from cosem.server.objects.push_setup import PushSetupObject
    from cosem.server.objects.sap_assignment import SapAssignmentObject
    from cosem.server.objects.schedules import (
        ActivityCalendarObject,
        SingleActionScheduleObject,
        SpecialDaysTableObject,
    )
    from cosem.server.objects.script_table import ScriptTableObject
    from cosem.server.objects.security_setup import SecuritySetupObject, security_setup_object
    from cosem.server.security import secured_profile
    from cosem.server.server import Server
    from cosem.server.threads import serve_in_thread

__all__ = [
    "AccessMode",
    "AccessRights",
    "ActivityCalendarObject",
    "AssociationEntry",
    "AssociationLnObject",
    "AssociationSnObject",
    "AssociationProfile",
    "ClockObject",
    "ConnectionLimits",
    "CosemObject",
    "DataObject",
    "DataProtectionObject",
    "DemandRegisterObject",
    "DisconnectControlObject",
    "ExtendedRegisterObject",
    "HeldSecurity",
    "ImageTransferObject",
    "InvocationCounterObject",
    "LimiterObject",
    "LogicalDevice",
    "ProfileGenericObject",
    "ProfileStatusObject",
    "PushSetupObject",
    "RegisterActivationObject",
    "RegisterMonitorObject",
    "RegisterObject",
    "SapAssignmentObject",
    "ScriptTableObject",
    "SecuritySetupObject",
    "Server",
    "ServerLimits",
    "SingleActionScheduleObject",
    "SpecialDaysTableObject",
    "Statistics",
    "blocking",
    "demonstration_meter",
    "make_object",
    "object_class",
    "secured_profile",
    "security_setup_object",
    "serve_in_thread",
]

_MODULES: Final = {
    "AccessMode": "server.access_rights",
    "AccessRights": "server.access_rights",
    "ActivityCalendarObject": "server.objects.schedules",
    "AssociationEntry": "server.association_entries",
    "AssociationLnObject": "server.objects.association_ln",
    "AssociationSnObject": "server.objects.association_sn",
    "AssociationProfile": "association.server.profile",
    "ClockObject": "server.objects.clock",
    "ConnectionLimits": "server.limits",
    "CosemObject": "server.objects.base",
    "DataObject": "server.objects.data",
    "DataProtectionObject": "server.objects.data_protection",
    "DemandRegisterObject": "server.objects.demand_register",
    "DisconnectControlObject": "server.objects.disconnect_control",
    "ExtendedRegisterObject": "server.objects.data",
    "HeldSecurity": "server.held_security",
    "InvocationCounterObject": "server.objects.invocation_counter",
    "ImageTransferObject": "server.objects.image_transfer",
    "LimiterObject": "server.objects.monitors",
    "LogicalDevice": "server.logical_device",
    "ProfileGenericObject": "server.objects.profile_generic",
    "ProfileStatusObject": "server.objects.profile_status",
    "PushSetupObject": "server.objects.push_setup",
    "RegisterActivationObject": "server.objects.register_activation",
    "RegisterMonitorObject": "server.objects.monitors",
    "RegisterObject": "server.objects.data",
    "SapAssignmentObject": "server.objects.sap_assignment",
    "ScriptTableObject": "server.objects.script_table",
    "SecuritySetupObject": "server.objects.security_setup",
    "Server": "server.server",
    "ServerLimits": "association.server.profile",
    "SingleActionScheduleObject": "server.objects.schedules",
    "SpecialDaysTableObject": "server.objects.schedules",
    "Statistics": "server.limits",
    "blocking": "server.objects.base",
    "demonstration_meter": "server.demonstration",
    "make_object": "server.objects.making",
    "object_class": "server.objects.making",
    "secured_profile": "server.security",
    "security_setup_object": "server.objects.security_setup",
    "serve_in_thread": "server.threads",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"cosem.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
