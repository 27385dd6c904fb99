"""Parameter monitor: which parameter was changed last.

(Blue Book, class_id 65)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import AttributeReference
from cosem.classes.structured import Structured, array_of, member
from cosem.types.logical_name import LogicalName

__all__ = ["ChangedParameter", "ParameterMonitor", "ParameterMonitorVersion0"]


class ChangedParameter(Structured):
    """The parameter that was changed last, and its new value."""

    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    attribute_index: int = member("integer")
    attribute_value: Any = member("CHOICE")


class ParameterMonitorVersion0(
    InterfaceClass,
    class_id=65,
    version=0,
    title="Parameter monitor",
    status="current",
    confidence="high",
    logical_names=("0.b.16.2.e.255",),
):
    """Parameter monitor (class_id 65, version 0): see :class:`ParameterMonitor`.

    Compared with that one it has no ``parameter_list_name``, ``hash_algorithm_id``,
    ``parameter_value_digest``, ``parameter_values``; it differs in ``add_parameter``,
    ``delete_parameter``.
    """

    changed_parameter = Attribute(2, ChangedParameter, nature="dynamic")
    capture_time = Attribute(3, "octet-string[12] or date-time", nature="dynamic")
    parameter_list = Attribute(4, array_of(AttributeReference), access="rw")

    add_parameter = Method(1, AttributeReference, short_name_offset=0x20)
    delete_parameter = Method(2, AttributeReference, short_name_offset=0x28)


class ParameterMonitor(ParameterMonitorVersion0, version=1, status="later", confidence="medium"):
    """Parameter monitor (class_id 65, version 1).

    The last change of any of the listed parameters: which one, its new value, and when.
    """

    parameter_list_name = Attribute(5, "octet-string", access="rw")
    hash_algorithm_id = Attribute(6, "enum", access="rw")
    parameter_value_digest = Attribute(7, "octet-string", nature="dynamic")
    parameter_values = Attribute(8, "structure", nature="dynamic")

    add_parameter = Method(1, AttributeReference)
    delete_parameter = Method(2, AttributeReference)
