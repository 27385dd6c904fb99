"""Parameter monitor at the server: which of the listed parameters changed last, and when (Blue Book, class_id 65)."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from cosem.classes.standard.parameter_monitor import ParameterMonitor
from cosem.classes.standard.references import AttributeReference
from cosem.codec.data import encode_data
from cosem.server.objects.base import CosemObject, is_awaitable
from cosem.types.data import DataValue, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["ParameterMonitorObject"]

_HASHES: Final = ("sha1", "sha256", "sha384", "sha512")
"""The hash algorithms by their numbers."""


class ParameterMonitorObject(CosemObject, ParameterMonitor):
    """Notes each change of the attributes in its list, at once.

    The digest of version 1 is taken over the encoded values in the order of the list.
    """

    watching = True

    def __init__(self, logical_name: LogicalName | str, **values: Any) -> None:
        self._noted: tuple[CosemObject, int] | None = None
        self._busy = False
        super().__init__(logical_name, **values)

    def watches(self, target: CosemObject, number: int) -> bool:
        """Return whether an attribute is in the list."""
        watched = target is not self and any(
            (each.class_id, each.logical_name, each.attribute_index) == (target.class_id, target.name, number)
            for each in self.parameter_list
        )
        if watched:
            self._noted = target, number
        return watched

    def observe(self, value: DataValue, before: DataValue = None) -> None:
        """Note the change."""
        del before
        if self._noted is None or self.device is None or self._busy:
            return  # what another monitor notes because this one has noted something is no news
        target, number = self._noted
        self._busy = True
        try:
            self.put("changed_parameter", (target.class_id, target.name, number, value))
            self.put("capture_time", self.device.timestamp())
        finally:
            self._busy = False

    def get_parameter_values(self) -> Structure:
        """Return the values in the order of the list; null-data for what cannot be read."""
        if self._busy:
            return Structure()  # it is among its own parameters
        self._busy = True
        try:
            return Structure(map(self._value, self.parameter_list))
        finally:
            self._busy = False

    def get_parameter_value_digest(self) -> OctetString | DataAccessResult:
        """Return the digest of the values."""
        number = int(self.stored(6))  # type: ignore[arg-type] # an enum, by its declaration
        if number >= len(_HASHES):
            return DataAccessResult.OTHER_REASON
        octets = b"".join(encode_data(value) for value in self.get_parameter_values())
        return OctetString(hashlib.new(_HASHES[number], octets, usedforsecurity=False).digest())

    def _value(self, parameter: AttributeReference) -> DataValue:
        if self.device is None:
            return None
        where = parameter.class_id, parameter.logical_name, parameter.attribute_index
        value = self.device.value_of(*where)
        if is_awaitable(value):
            getattr(value, "close", lambda: None)()
            return None
        return None if isinstance(value, DataAccessResult) else value  # type: ignore[return-value] # a value that is there

    def call_add_parameter(self, parameter: AttributeReference) -> ActionResult:
        """Add an attribute to the list, once."""
        device = self.device
        target = None if device is None else device.find(parameter.logical_name)
        if target is None or target.class_id != parameter.class_id:
            return ActionResult.OBJECT_UNDEFINED
        if parameter not in self.parameter_list:
            self.put("parameter_list", [*self.parameter_list, parameter])
        return ActionResult.SUCCESS

    def call_delete_parameter(self, parameter: AttributeReference) -> ActionResult:
        """Take an attribute out of the list."""
        left = [each for each in self.parameter_list if each != parameter]
        if len(left) == len(self.parameter_list):
            return ActionResult.OBJECT_UNDEFINED
        self.put("parameter_list", left)
        return ActionResult.SUCCESS
