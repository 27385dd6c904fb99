"""Register table: many like registers in one object.

(Blue Book, class_id 61)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import SCALER_UNIT
from cosem.classes.structured import Structured, member
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit

__all__ = ["RegisterTable", "TableCellDefinition"]


class TableCellDefinition(Structured):
    """The cells: a class and attribute, a logical name with group E open, and the values of group E."""

    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    group_E_values: tuple[int, ...] = member("array of unsigned")
    attribute_index: int = member("integer")


class RegisterTable(
    InterfaceClass,
    class_id=61,
    version=0,
    title="Register table",
    status="current",
    confidence="medium",
    logical_names=("common part of the rows with E=255, e.g. 0.b.96.1.255.255",),
):
    """Register table (class_id 61, version 0).

    One attribute of many objects that differ in group E of their name, as one array.
    """

    table_cell_values = Attribute(2, "array of CHOICE", nature="dynamic")
    table_cell_definition = Attribute(3, TableCellDefinition, access="rw")
    scaler_unit = Attribute(4, SCALER_UNIT, ScalerUnit.from_data)

    reset = Method(1, short_name_offset=0x28)
    capture = Method(2, short_name_offset=0x30)
