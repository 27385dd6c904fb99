"""Register table at the server: one attribute of many like objects (Blue Book, class_id 61)."""

from __future__ import annotations

from typing import Any

from cosem.classes.standard.references import AttributeReference
from cosem.classes.standard.register_table import RegisterTable, TableCellDefinition
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.server.objects.capture_cycles import captures_itself
from cosem.types.data import Array
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["RegisterTableObject"]


class RegisterTableObject(CosemObject, RegisterTable):
    """Cells that are captured on demand; what cannot be read is null-data."""

    def changed(self, number: int) -> None:
        """Empty the table when other cells are wanted."""
        if number == 3:
            self.put("table_cell_values", ())

    def set_table_cell_definition(self, definition: TableCellDefinition) -> DataAccessResult:
        """Change what is captured, and empty the table; a table in which it would find itself is none."""
        if captures_itself(self, self.references(definition)):
            return DataAccessResult.OTHER_REASON
        self.put("table_cell_definition", definition)
        return DataAccessResult.SUCCESS

    def references(self, definition: TableCellDefinition | None = None) -> list[AttributeReference]:
        """Return what the cells hold, of this definition or of another."""
        what = self.table_cell_definition if definition is None else definition
        return [
            AttributeReference(what.class_id, LogicalName(name), what.attribute_index)
            for name in self.cells(what)
        ]

    def cells(self, definition: TableCellDefinition | None = None) -> list[bytes]:
        """Return the names of the objects, in the order of the cells."""
        if definition is None:
            definition = self.table_cell_definition
        name = bytes(definition.logical_name)
        return [name[:4] + bytes((int(e),)) + name[5:] for e in definition.group_E_values]

    def call_capture(self) -> Outcome[ActionResult]:
        """Take the present values."""
        device = self.device
        if device is None:
            return ActionResult.TEMPORARY_FAILURE
        values: list[Any] = [
            None if captures_itself(self, [each]) else device.value_of(*each) for each in self.references()
        ]
        if any(map(is_awaitable, values)):
            return self._capture_later(values)
        return self._keep(values)

    async def _capture_later(self, values: list[Any]) -> ActionResult:
        return self._keep([await value if is_awaitable(value) else value for value in values])

    def _keep(self, values: list[Any]) -> ActionResult:
        kept = Array(None if isinstance(value, DataAccessResult) else value for value in values)
        self.put("table_cell_values", kept)
        return ActionResult.SUCCESS

    def call_reset(self) -> None:
        """Empty the table."""
        self.put("table_cell_values", ())
