"""Register monitor and Limiter at the server (Blue Book, class_id 21, 71).

Monitors are told of every stored value that changes. A value that a function
gives changes unseen; for those a monitor looks at it from time to time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cosem.classes.standard.limiter import EmergencyProfile, Limiter
from cosem.classes.standard.references import AttributeReference, ScriptReference
from cosem.classes.standard.register_monitor import RegisterMonitor
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.server.objects.schedules import run_script
from cosem.server.timetable import LATEST, next_multiple
from cosem.types.data import DataValue
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["LimiterObject", "RegisterMonitorObject"]

_INSTANT: Final = timedelta(microseconds=1)
_MOST_LOOKS: Final = 120


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

    @property
    def most_late(self) -> int:
        """What looks by itself does not look through all of the past."""
        return super().most_late if self._look_every is None else _MOST_LOOKS

    def watches(self, target: CosemObject, number: int) -> bool:
        """Return whether this is the attribute."""
        watched: AttributeReference = self.monitored_value
        return (
            watched.attribute_index == number
            and watched.logical_name == target.name
            and watched.class_id == target.class_id
        )

    def observe(self, value: DataValue, before: DataValue = None) -> None:
        """Take a value of the attribute, and the one that it replaced, if it is told; for subclasses."""

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

    def changed(self, number: int) -> None:
        """Forget the value of another attribute: nothing crosses a threshold between the two."""
        if number == type(self).monitored_value.number:
            self._last = None

    def observe(self, value: DataValue, before: DataValue = None) -> None:
        """Compare with the value before: the one that was seen last, or else the one that this one replaced."""
        old, self._last = before if self._last is None else self._last, value
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


_EMERGENCY: Final = frozenset({8, 9})
"""The attributes of a Limiter that say whether and when there is an emergency."""


class LimiterObject(_Monitor, Limiter):
    """Runs one script when a value was above its threshold for a time, and another when it was back for a time."""

    def __init__(self, logical_name: LogicalName | str, **values: Any) -> None:
        self._over: bool | None = None
        self._since: datetime | None = None
        self._acted: bool | None = None
        self._looked = False
        self._emergency_read: tuple[datetime, int] | tuple[()] | None = None
        self._planned_for: tuple[bool | None, bool | None] = None, None
        super().__init__(logical_name, **values)

    def changed(self, number: int) -> None:
        """Judge anew after a change of a threshold or a duration; begin anew with another attribute."""
        if number in _EMERGENCY:
            self._emergency_read = None
        if number == type(self).monitored_value.number:
            self._over = self._since = self._acted = None
        if self.device is not None and number in (2, 4, 5, 6, 7, 8, 9):
            self._show()
            self._look()
            self.device.reschedule(self)

    # --- thresholds -----------------------------------------------------------------------------------

    def _emergency(self) -> tuple[datetime, datetime] | None:
        """Return from when to when an emergency holds that concerns this meter."""
        if self._emergency_read is None:  # asked several times whenever it looks
            self._emergency_read = self._read_emergency()
        if self.device is None or not self._emergency_read:
            return None
        start, seconds = self._emergency_read
        begin = self.device.instant(start) if start.tzinfo is None else start
        try:
            return begin, begin + timedelta(seconds=seconds)
        except OverflowError:  # it holds for as long as there are days
            return begin, LATEST

    def _read_emergency(self) -> tuple[datetime, int] | tuple[()]:
        """Return when the emergency of this group begins, and its seconds; nothing where there is none."""
        profile: EmergencyProfile = self.emergency_profile
        if profile.emergency_profile_id not in {int(each) for each in self.emergency_profile_group_id_list}:
            return ()
        try:
            return profile.emergency_activation_time.to_datetime(), int(profile.emergency_duration)
        except ValueError:
            return ()

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

    def observe(self, value: DataValue, before: DataValue = None) -> None:
        """Take note of which side of the threshold the value is on, and since when."""
        del before
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
        if (state := (self._over, self._acted)) != self._planned_for:
            self._planned_for = state
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
        """Return when a duration ends, an emergency begins or ends, or the value is looked at: first, at once."""
        if not self._looked:
            return after + _INSTANT
        span = self._emergency() or ()
        times = [at for at in (self._next_look(after), *span) if at is not None and at > after]
        deadline = self._deadline()
        if deadline is not None:
            times.append(max(deadline, after + _INSTANT))  # one that has passed: at once
        return min(times, default=None)

    def on_time(self, at: datetime) -> None:
        """Look at the value, and judge: one that has dropped unseen meanwhile does not count on."""
        del at
        acted, first, self._looked = self._acted, not self._looked, True
        self._show()
        self._look()
        self._judge()
        if self.device is not None and (first or acted is not self._acted):
            self.device.reschedule(self)

    def on_shift(self, by: timedelta, *, jump: bool) -> None:
        """Go on with the duration, whatever the clock shows; an emergency may begin or end with it."""
        del jump
        if self._since is not None:
            self._since += by
        self._show()
        self._look()
