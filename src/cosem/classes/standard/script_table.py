"""Script table: named lists of writes and method calls that run inside the meter.

(Blue Book, class_id 9)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration
from cosem.types.logical_name import LogicalName

__all__ = ["Script", "ScriptAction", "ScriptService", "ScriptTable"]


class ScriptService(OpenEnumeration):
    """What an action does."""

    NONE = 0
    WRITE_ATTRIBUTE = 1
    EXECUTE_METHOD = 2


class ScriptAction(Structured):
    """One action of a script: a write of an attribute, or the call of a method, with its parameter."""

    service_id: ScriptService = member("enum", ScriptService)
    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    index: int = member("integer")  # type: ignore[assignment] # hides tuple.index, which a structure does not need
    parameter: Any = member("CHOICE(any)")


class Script(Structured):
    """A script: its identifier, from 1, and its actions in the order in which they run."""

    script_identifier: int = member("long-unsigned")
    actions: tuple[ScriptAction, ...] = member(array_of(ScriptAction))


class ScriptTable(
    InterfaceClass,
    class_id=9,
    version=0,
    title="Script table",
    status="current",
    confidence="high",
    logical_names=("0.b.10.0.{0,1,100-111,125}.255", "other D for own scripts"),
):
    """Script table (class_id 9, version 0).

    Lists of actions: writes of attributes and calls of methods inside the same logical device.

    ``execute`` runs the script with an identifier. Many tables are predefined by their logical name:
    0-0:10.0.106 is disconnect control, 0-0:10.0.100 the tariff switch.
    """

    scripts = Attribute(2, array_of(Script), access="rw")

    execute = Method(1, "long-unsigned", mandatory=True, short_name_offset=0x20, remark="script_identifier")
