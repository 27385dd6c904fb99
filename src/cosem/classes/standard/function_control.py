"""Function control: functions of the meter that can be switched off.

(Blue Book, class_id 122)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import ObjectReference
from cosem.classes.structured import Structured, array_of, member

__all__ = ["FunctionChange", "FunctionControl", "FunctionDefinition", "FunctionStatus"]


class FunctionStatus(Structured):
    """A function, and whether it is enabled."""

    function_name: bytes = member("octet-string")
    function_status: bool = member("boolean")


class FunctionDefinition(Structured):
    """A function and the objects that make it up."""

    function_name: bytes = member("octet-string")
    function_specification: tuple[ObjectReference, ...] = member(array_of(ObjectReference))


class FunctionChange(Structured):
    """A function to add or remove; the form of its specification is free here."""

    function_name: bytes = member("octet-string")
    function_specification: Any = member("array")


class FunctionControl(
    InterfaceClass,
    class_id=122,
    version=0,
    title="Function control",
    status="current",
    confidence="medium",
    logical_names=("0.0.44.1.e.255",),
):
    """Function control (class_id 122, version 0): functions with names.

    An object of a function that is disabled behaves as if it were not there.
    """

    activation_status = Attribute(2, array_of(FunctionStatus), nature="dynamic")
    function_list = Attribute(3, array_of(FunctionDefinition), access="rw")

    set_function_status = Method(1, array_of(FunctionStatus), mandatory=True, short_name_offset=0x20)
    add_function = Method(2, FunctionChange, short_name_offset=0x28)
    remove_function = Method(3, FunctionChange, short_name_offset=0x30)
