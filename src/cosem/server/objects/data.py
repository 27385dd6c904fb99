"""Data, Register and Extended register at the server (Blue Book, class_id 1, 3, 4)."""

from __future__ import annotations

from typing import Any

from cosem.classes.standard.data import Data
from cosem.classes.standard.register import ExtendedRegister, Register
from cosem.server.objects.base import CosemObject
from cosem.types.data import DataValue
from cosem.types.logical_name import LogicalName

__all__ = ["DataObject", "ExtendedRegisterObject", "RegisterObject"]


class DataObject(CosemObject, Data):
    """One value of any type; its type is fixed by the first value."""


class RegisterObject(CosemObject, Register):
    """A value with its unit.

    Args:
        logical_name: Its name.
        initial: What ``reset`` sets the value to; by default the number 0 in the type of the value.
        values: See :class:`CosemObject`.
    """

    def __init__(self, logical_name: LogicalName | str, *, initial: Any = 0, **values: Any) -> None:
        self._initial = initial
        super().__init__(logical_name, **values)

    def call_reset(self) -> None:
        """Set the value to its default."""
        self.put("value", _like(self.stored(2), self._initial))


class ExtendedRegisterObject(CosemObject, ExtendedRegister):
    """A value with its unit, a status, and when it was captured; see :class:`RegisterObject`."""

    def __init__(self, logical_name: LogicalName | str, *, initial: Any = 0, **values: Any) -> None:
        self._initial = initial
        super().__init__(logical_name, **values)

    def call_reset(self) -> None:
        """Set the value to its default, captured now."""
        self.capture(_like(self.stored(2), self._initial))

    def capture(self, value: Any, status: DataValue = None) -> None:
        """Take a new value: capture_time is when the meter captures, not when somebody reads."""
        self.put("value", value)
        if status is not None:
            self.put("status", status)
        if self.device is not None:
            self.put("capture_time", self.device.timestamp())


def _like(current: DataValue, value: Any) -> Any:
    """Return ``value`` in the type of the value so far, where that is a number."""
    return type(current)(value) if isinstance(current, (int, float)) else value
