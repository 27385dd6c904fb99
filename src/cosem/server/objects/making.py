"""Objects of any class of the registry, by number: with behaviour where there is one, else values only."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

from cosem.classes.registry import class_of
from cosem.errors import ConfigurationError
from cosem.server.objects.base import CosemObject
from cosem.types.logical_name import LogicalName

__all__ = ["make_object", "object_class"]

_BEHAVIOURS: Final = {
    1: "data:DataObject",
    3: "data:RegisterObject",
    4: "data:ExtendedRegisterObject",
    5: "demand_register:DemandRegisterObject",
    6: "register_activation:RegisterActivationObject",
    7: "profile_generic:ProfileGenericObject",
    8: "clock:ClockObject",
    9: "script_table:ScriptTableObject",
    10: "schedule:ScheduleObject",
    11: "schedules:SpecialDaysTableObject",
    17: "sap_assignment:SapAssignmentObject",
    18: "image_transfer:ImageTransferObject",
    20: "schedules:ActivityCalendarObject",
    21: "monitors:RegisterMonitorObject",
    22: "schedules:SingleActionScheduleObject",
    40: "push_setup:PushSetupBehaviour",
    61: "register_table:RegisterTableObject",
    62: "compact_data:CompactDataObject",
    65: "parameter_monitor:ParameterMonitorObject",
    70: "disconnect_control:DisconnectControlObject",
    71: "monitors:LimiterObject",
    72: "mbus_client:MBusClientObject",
}
"""Where the behaviour of a class is, for the versions that have all of its methods."""


@cache
def object_class(class_id: int, version: int | None = None) -> type[CosemObject]:
    """Return the class of objects of an interface class.

    Args:
        class_id: Its number.
        version: Its version; the current one by default.

    Raises:
        ConfigurationError: The registry knows no such class.
    """
    declaration = class_of(class_id, version)
    if declaration is None:
        raise ConfigurationError(f"no interface class {class_id} version {version} is known")
    behaviour = _BEHAVIOURS.get(class_id)
    if behaviour is None:
        return type(
            f"{declaration.__name__}Object", (CosemObject, declaration), {"__doc__": declaration.__doc__}
        )
    module, _, name = behaviour.partition(":")
    found: type[CosemObject] = getattr(import_module(f"cosem.server.objects.{module}"), name)
    if issubclass(found, declaration) and found.version == declaration.version:
        return found
    # Versions are declared on top of each other: what the behaviour inherits from another one must give way.
    members: dict[str, Any] = {name: None for name in found.members if name not in declaration.members}
    members |= declaration.members
    made: type[CosemObject] = type(
        f"{declaration.__name__}Object", (found, declaration), {"__doc__": declaration.__doc__, **members}
    )
    made.version, made.title = declaration.version, declaration.title
    made.edition_status, made.confidence = declaration.edition_status, declaration.confidence
    return made


def make_object(
    class_id: int, logical_name: LogicalName | str, *, version: int | None = None, **values: Any
) -> CosemObject:
    """Return an object of an interface class with these values.

    Raises:
        ConfigurationError: The registry knows no such class, or the class no such attribute.
        EncodeError: A value cannot be of the type of its attribute.

    >>> make_object(21, "0-0:16.1.0", thresholds=[])
    <Register monitor 0.0.16.1.0.255>
    """
    return object_class(class_id, version)(logical_name, **values)
