"""M-Bus client at the server: one slave that the meter reads, such as a gas meter (Blue Book, class_id 72).

The value of element k of the capture definition goes into the object 0-b:24.2.k of the same
channel, when it is captured and with the time of that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from cosem.classes.standard.mbus_client import EncryptionKeyStatus, MBusClient
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.server.objects.data import ExtendedRegisterObject
from cosem.server.timetable import next_multiple
from cosem.types.data import DataValue
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["KEY_TRANSITIONS", "MBusClientObject"]

_K = EncryptionKeyStatus
KEY_TRANSITIONS: Final[Mapping[tuple[str, EncryptionKeyStatus], EncryptionKeyStatus]] = MappingProxyType(
    {
        ("set", _K.NO_KEY): _K.KEY_SET,
        ("set", _K.KEY_SET): _K.KEY_SET,
        ("set", _K.KEY_TRANSFERRED): _K.KEY_SET_AND_TRANSFERRED,
        ("set", _K.KEY_SET_AND_TRANSFERRED): _K.KEY_SET,
        ("set", _K.KEY_IN_USE): _K.KEY_SET,
        ("transfer", _K.NO_KEY): _K.KEY_TRANSFERRED,
        ("transfer", _K.KEY_SET): _K.KEY_SET_AND_TRANSFERRED,
        ("transfer", _K.KEY_TRANSFERRED): _K.KEY_TRANSFERRED,
        ("transfer", _K.KEY_SET_AND_TRANSFERRED): _K.KEY_TRANSFERRED,
        ("transfer", _K.KEY_IN_USE): _K.KEY_TRANSFERRED,
        ("exchange", _K.KEY_SET_AND_TRANSFERRED): _K.KEY_IN_USE,
    }
)
"""How the encryption key gets into use: what happens, in which state, and the state after it."""
_LAST_ADDRESS: Final = 250
_MOST_ELEMENTS: Final = 255
"""The number of an element is one octet of the name of the object that keeps it."""
_FORGOTTEN: Final = ("primary_address", "identification_number", "manufacturer_id", "version_", "device_type")


class MBusClientObject(CosemObject, MBusClient):
    """One slave on the M-Bus.

    Args:
        logical_name: Its name, 0-b:24.1.0 of channel b.
        read: Returns the value of the k-th element of the capture definition, from 1 on, or ``None`` if the slave
            does not answer; may be a coroutine function.
        command: Takes what acts on the slave: the name of the method and its parameter; returns whether it did.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    timed = True

    def __init__(
        self,
        logical_name: LogicalName | str,
        *,
        read: Callable[[int], Outcome[DataValue]] = lambda _: None,
        command: Callable[[str, Any], bool] = lambda _name, _parameter: True,
        **values: Any,
    ) -> None:
        self._read = read
        self._command = command
        super().__init__(logical_name, **values)

    def changed(self, number: int) -> None:
        """Plan the next capture anew."""
        if number == 4 and self.device is not None:
            self.device.reschedule(self)

    def register(self, element: int) -> LogicalName:
        """Return the name of the object that an element of the capture definition is kept in, from 1 on."""
        channel = self.name[1]
        return LogicalName(bytes((0, channel, 24, 2, element, 255)))

    # --- capturing ----------------------------------------------------------------------------------------

    @property
    def most_late(self) -> int:
        """416 days of hours: what a profile captures of a slave keeps up with it, however long nobody has asked."""
        return 10_000

    def next_time(self, after: datetime) -> datetime | None:
        """Return when the slave is read next."""
        period = int(self.capture_period)
        if self.device is None or not period:
            return None
        return next_multiple(self.device, after, period)

    def on_time(self, at: datetime) -> Outcome[ActionResult]:
        """Read the slave."""
        del at
        return self.call_capture()

    def call_capture(self) -> Outcome[ActionResult]:
        """Read the slave now, every value of the capture definition."""
        if not int(self.primary_address):
            return ActionResult.OTHER_REASON  # no slave is installed
        elements = min(len(self.capture_definition), _MOST_ELEMENTS)
        values: list[Any] = [self._read(element) for element in range(1, elements + 1)]
        if any(map(is_awaitable, values)):
            return self._capture_later(values)
        return self._keep(values)

    async def _capture_later(self, values: list[Any]) -> ActionResult:
        return self._keep([await value if is_awaitable(value) else value for value in values])

    def _keep(self, values: list[DataValue]) -> ActionResult:
        if all(value is None for value in values):
            return ActionResult.TEMPORARY_FAILURE  # the slave does not answer
        for element, value in enumerate(values, 1):
            kept = None if self.device is None else self.device.find(self.register(element))
            if isinstance(kept, ExtendedRegisterObject):
                kept.capture(value, self.stored(11))
            elif kept is not None:
                kept.put(2, value)
        self.put("access_number", (int(self.access_number) + 1) % 256)
        if self.attribute("encryption_key_status") is not None:
            self._move_key("exchange")
        return ActionResult.SUCCESS

    # --- the slave ------------------------------------------------------------------------------------------

    def call_slave_install(self, address: int) -> ActionResult:
        """Give the slave an address; 0 takes the first that no other slave of the meter has."""
        if not 0 <= address <= _LAST_ADDRESS:
            return ActionResult.OTHER_REASON
        taken = self._taken()
        free = next((n for n in range(1, _LAST_ADDRESS + 1) if n not in taken), 0)
        wanted = int(address) or int(self.primary_address) or free
        if not wanted or wanted in taken or not self._command("slave_install", wanted):
            return ActionResult.OTHER_REASON
        self.put("primary_address", wanted)
        return ActionResult.SUCCESS

    def _taken(self) -> set[int]:
        """Return the addresses of the other slaves of the meter."""
        others = [
            each for each in self.device or () if isinstance(each, MBusClientObject) and each is not self
        ]
        return {int(each.primary_address) for each in others} - {0}

    def set_primary_address(self, address: int) -> DataAccessResult:
        """Set the address of the slave: one that no other slave of the meter has; 0 where there is no slave."""
        if not 0 <= address <= _LAST_ADDRESS or address in self._taken():
            return DataAccessResult.OTHER_REASON
        self.put("primary_address", address)
        return DataAccessResult.SUCCESS

    def set_capture_definition(self, elements: Any) -> DataAccessResult:
        """Set what is read of the slave: 255 values at most."""
        if len(elements) > _MOST_ELEMENTS:
            return DataAccessResult.OTHER_REASON
        self.put("capture_definition", elements)
        return DataAccessResult.SUCCESS

    def call_slave_deinstall(self) -> ActionResult:
        """Forget the slave: its address, what it is, and its key."""
        if not self._command("slave_deinstall", None):
            return ActionResult.OTHER_REASON
        for name in _FORGOTTEN:
            self.put(name, 0)
        if self.attribute("encryption_key_status") is not None:
            self.put("encryption_key_status", _K.NO_KEY)
        return ActionResult.SUCCESS

    def call_reset_alarm(self) -> ActionResult:
        """Reset the alarm of the slave."""
        if not self._acts("reset_alarm"):
            return ActionResult.OTHER_REASON
        self.put("alarm", 0)
        return ActionResult.SUCCESS

    def call_synchronize_clock(self) -> ActionResult:
        """Give the slave the time of the meter."""
        return ActionResult.SUCCESS if self._acts("synchronize_clock") else ActionResult.OTHER_REASON

    def call_data_send(self, elements: Any) -> ActionResult:
        """Send values to the slave."""
        return ActionResult.SUCCESS if self._acts("data_send", elements) else ActionResult.OTHER_REASON

    def _acts(self, name: str, parameter: Any = None) -> bool:
        return bool(int(self.primary_address)) and self._command(name, parameter)

    # --- its key --------------------------------------------------------------------------------------------

    def call_set_encryption_key(self, key: bytes) -> ActionResult:
        """Take the key for the slave; an empty one switches encryption off."""
        if not self._command("set_encryption_key", bytes(key)):
            return ActionResult.OTHER_REASON
        if self.attribute("encryption_key_status") is not None:
            if key:
                self._move_key("set")
            else:
                self.put("encryption_key_status", _K.NO_KEY)
        return ActionResult.SUCCESS

    def call_transfer_key(self, key: bytes) -> ActionResult:
        """Hand the encrypted key on to the slave."""
        if not self._acts("transfer_key", bytes(key)):
            return ActionResult.OTHER_REASON
        if self.attribute("encryption_key_status") is not None:
            self._move_key("transfer")
        return ActionResult.SUCCESS

    def _move_key(self, event: str) -> None:
        after = KEY_TRANSITIONS.get((event, self.encryption_key_status))
        if after is not None:
            self.put("encryption_key_status", after)
