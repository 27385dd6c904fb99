"""Register monitor, Limiter and Register activation at the server (Blue Book, class_id 21, 71, 6).

Monitors are told of every stored value that changes. A value that a function
gives changes unseen; for those a monitor looks at it from time to time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cosem.classes.standard.limiter import EmergencyProfile, Limiter
from cosem.classes.standard.references import AttributeReference, ObjectReference, ScriptReference
from cosem.classes.standard.register_activation import RegisterActivation, RegisterActMask
from cosem.classes.standard.register_monitor import RegisterMonitor
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.server.objects.schedules import run_script
from cosem.server.timetable import next_multiple
from cosem.types.data import DataValue
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["LimiterObject", "RegisterActivationObject", "RegisterMonitorObject"]

_INSTANT: Final = timedelta(microseconds=1)


class _Monitor(CosemObject):
    """What watches an attribute.

    Args:
        logical_name: Its name.
        look_every: Seconds after which it looks at the value by itself; ``None`` where changes are told.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    timed = True
    watching = True
    if TYPE_CHECKING:
        monitored_value: Any

    def __init__(
        self, logical_name: LogicalName | str, *, look_every: int | None = None, **values: Any
    ) -> None:
        self._look_every = look_every
        super().__init__(logical_name, **values)

    def watches(self, target: CosemObject, number: int) -> bool:
        """Return whether this is the attribute."""
        watched: AttributeReference = self.monitored_value
        return (
            watched.attribute_index == number
            and watched.logical_name == target.name
            and watched.class_id == target.class_id
        )

    def observe(self, value: DataValue) -> None:
        """Take a value of the attribute; for subclasses."""

    def _look(self) -> None:
        """Look at the attribute; a value that must be awaited is left for when it is told."""
        watched: AttributeReference = self.monitored_value
        if self.device is not None:
            value = self.device.value_of(watched.class_id, watched.logical_name, watched.attribute_index)
            if is_awaitable(value):
                getattr(value, "close", lambda: None)()
            elif not isinstance(value, DataAccessResult):
                self.observe(value)  # type: ignore[arg-type] # an outcome that is there

    def _next_look(self, after: datetime) -> datetime | None:
        if self._look_every is None or self.device is None:
            return None
        return next_multiple(self.device, after, self._look_every)

    def _run(self, script: ScriptReference) -> None:
        outcome: Outcome[Any] = run_script(self, script.script_logical_name, script.script_selector)
        if is_awaitable(outcome):
            import asyncio

            task = asyncio.ensure_future(outcome)
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    @property
    def _running(self) -> set[Any]:
        tasks: set[Any] = self.__dict__.setdefault("_tasks", set())
        return tasks


class RegisterMonitorObject(_Monitor, RegisterMonitor):
    """Runs scripts when a value crosses thresholds: the old value on one side of it, the new one not."""

    def __init__(self, logical_name: LogicalName | str, **values: Any) -> None:
        self._last: Any = None
        super().__init__(logical_name, **values)

    def observe(self, value: DataValue) -> None:
        """Compare with the value before."""
        old, self._last = self._last, value
        if not isinstance(value, (int, float)) or not isinstance(old, (int, float)):
            return
        for threshold, actions in zip(self.thresholds, self.actions, strict=False):
            if old <= threshold < value:
                self._run(actions.action_up)
            elif old >= threshold > value:
                self._run(actions.action_down)

    def next_time(self, after: datetime) -> datetime | None:
        """Return when to look at the value."""
        return self._next_look(after)

    def on_time(self, at: datetime) -> None:
        """Look at the value."""
        del at
        self._look()


class LimiterObject(_Monitor, Limiter):
    """Runs one script when a value was above its threshold for a time, and another when it was back for a time."""

    def __init__(self, logical_name: LogicalName | str, **values: Any) -> None:
        self._over: bool | None = None
        self._since: datetime | None = None
        self._acted: bool | None = None
        self._emergency_ended: bytes | None = None
        super().__init__(logical_name, **values)

    def changed(self, number: int) -> None:
        """Judge anew after a change of a threshold or a duration."""
        if self.device is not None and number in (2, 4, 5, 6, 7, 8, 9):
            self._show()
            self._look()
            self.device.reschedule(self)

    # --- thresholds -----------------------------------------------------------------------------------

    def _emergency(self) -> tuple[datetime, datetime] | None:
        """Return from when to when an emergency holds that concerns this meter."""
        profile: EmergencyProfile = self.emergency_profile
        group = {int(each) for each in self.emergency_profile_group_id_list}
        if self.device is None or profile.emergency_profile_id not in group:
            return None
        try:
            start = profile.emergency_activation_time.to_datetime()
        except ValueError:
            return None
        begin = self.device.instant(start) if start.tzinfo is None else start
        return begin, begin + timedelta(seconds=int(profile.emergency_duration))

    def _active(self) -> bool:
        span = self._emergency()
        return span is not None and self.device is not None and span[0] <= self.device.now() < span[1]

    def get_emergency_profile_active(self) -> bool:
        """Return whether an emergency holds."""
        return self._active()

    def get_threshold_active(self) -> DataValue:
        """Return the threshold in force."""
        return self.stored(5) if self._active() else self.stored(4)

    def _show(self) -> None:
        self._values[3] = self.get_threshold_active()

    # --- judging ----------------------------------------------------------------------------------------

    def observe(self, value: DataValue) -> None:
        """Take note of which side of the threshold the value is on, and since when."""
        threshold = self.get_threshold_active()
        if (
            self.device is None
            or not isinstance(value, (int, float))
            or not isinstance(threshold, (int, float))
        ):
            return
        over = value > threshold
        if over is not self._over:
            self._over, self._since = over, self.device.now()
            if self._acted is None and not over:
                self._acted = False  # below from the beginning: nothing happened yet
        self._judge()
        self.device.reschedule(self)

    def _deadline(self) -> datetime | None:
        if self._since is None or self._over is self._acted:
            return None
        seconds = self.min_over_threshold_duration if self._over else self.min_under_threshold_duration
        return self._since + timedelta(seconds=int(seconds))

    def _judge(self) -> None:
        deadline = self._deadline()
        if deadline is None or self.device is None or self.device.now() < deadline:
            return
        self._acted = self._over
        actions = self.actions
        self._run(actions.action_over_threshold if self._over else actions.action_under_threshold)

    def next_time(self, after: datetime) -> datetime | None:
        """Return when a duration ends, an emergency begins or ends, or the value is looked at."""
        span = self._emergency() or ()
        times = [at for at in (self._next_look(after), *span) if at is not None and at > after]
        deadline = self._deadline()
        if deadline is not None:
            times.append(max(deadline, after + _INSTANT))  # one that has passed: at once
        return min(times, default=None)

    def on_time(self, at: datetime) -> None:
        """Look at the value, and judge: one that has dropped unseen meanwhile does not count on."""
        del at
        self._show()
        self._look()
        self._judge()
        if self.device is not None:
            self.device.reschedule(self)

    def on_shift(self, by: timedelta, *, jump: bool) -> None:
        """Go on with the duration, whatever the clock shows; an emergency may begin or end with it."""
        del jump
        if self._since is not None:
            self._since += by
        self._show()
        self._look()


class RegisterActivationObject(CosemObject, RegisterActivation):
    """Says which of the assigned registers count at present; the application asks :meth:`counts`."""

    def counts(self, class_id: int, name: LogicalName | str) -> bool:
        """Return whether a register counts: it is in the active mask, or was never assigned."""
        wanted = class_id, LogicalName(name)
        assigned = [(each.class_id, each.logical_name) for each in self.register_assignment]
        if wanted not in assigned:
            return True
        masks: tuple[RegisterActMask, ...] = self.mask_list
        mask = next((each for each in masks if each.mask_name == self.active_mask), None)
        return mask is not None and assigned.index(wanted) + 1 in mask.index_list

    def set_active_mask(self, name: bytes) -> DataAccessResult:
        """Put another mask in force."""
        if name not in [each.mask_name for each in self.mask_list]:
            return DataAccessResult.OTHER_REASON
        self.put("active_mask", name)
        return DataAccessResult.SUCCESS

    def call_add_register(self, register: ObjectReference) -> None:
        """Assign a register, once."""
        if register not in self.register_assignment:
            self.put("register_assignment", [*self.register_assignment, register])

    def call_add_mask(self, mask: RegisterActMask) -> ActionResult:
        """Add a mask, in place of one of the same name."""
        if not all(1 <= index <= len(self.register_assignment) for index in mask.index_list):
            return ActionResult.OTHER_REASON
        others = [each for each in self.mask_list if each.mask_name != mask.mask_name]
        self.put("mask_list", [*others, mask])
        return ActionResult.SUCCESS

    def call_delete_mask(self, name: bytes) -> None:
        """Delete a mask; if it was in force, all assigned registers stand still."""
        self.put("mask_list", [each for each in self.mask_list if each.mask_name != name])
