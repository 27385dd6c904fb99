"""Which values are configuration: told by what the classes declare, and by the names where these leave it open.

The standard calls an attribute static, dynamic, or either. What may be either is
configuration, except where the name of the object says that it is measured, counted
or a state. A value that is compared in vain is seen; one that is left out is not.

(Blue Book, 4.1.2, 6.2 and 7: value groups A, C and D)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.classes.meter_record import RecordedObject

__all__ = ["is_configuration"]

_DATA: Final = 1
_MEASURING: Final = frozenset({3, 4, 5})
_GENERAL, _SERVICE, _ERRORS, _COUNTERS, _MOMENTS = 0, 96, 97, 43, 1
"""Value groups C: constants and versions, service entries, errors and alarms, invocation counters, UNIX time."""
_PERIODS: Final = frozenset({1, 9})
"""D of general entries: counters and times of billing periods, and the time and date."""
_STATES: Final = frozenset({*range(5, 13), 14, 15, 20})
"""D of service entries: operating status, battery, power failures, operating time, temperature, status, event codes,
quality of communication, active tariff, counters of events and of attempts at fraud."""
_THRESHOLDS: Final = frozenset({31, 35, 39, 43, 44, 45})
"""D of limits, and of how long they must be passed."""
_ALARMS: Final = 98
_FILTERS: Final = range(10, 20)
"""E of filters of alarms, which are configured; registers and descriptors of alarms are not."""


def is_configuration(owner: RecordedObject, number: int) -> bool:
    """Return whether a meter leaves the value of an attribute as it is until somebody changes it.

    >>> from cosem.classes.meter_record import RecordedObject
    >>> names = "0-0:96.1.0", "0-0:96.7.21", "0-0:43.1.0", "0-0:94.91.0", "1-0:0.4.2"
    >>> [is_configuration(RecordedObject(1, LogicalName(name)), 2) for name in names]
    [True, False, False, True, True]
    """
    attribute = owner.attribute(number)
    if attribute is None or attribute.static:
        return True
    if attribute.nature == "dynamic":
        return False
    if owner.class_id in _MEASURING:
        return _is_set(owner.logical_name)
    return owner.class_id != _DATA or not _is_state(owner.logical_name)


def _is_set(name: LogicalName) -> bool:
    """Return whether a register holds a constant, or a limit."""
    _, _, c, d, _, _ = name
    return (c == _GENERAL and d not in _PERIODS) or (0 < c < _SERVICE and d in _THRESHOLDS)


def _is_state(name: LogicalName) -> bool:
    """Return whether Data hold what is measured or counted, or a state."""
    a, _, c, d, e, _ = name
    if c == _GENERAL:
        return d in _PERIODS
    if c == _SERVICE:
        return d in _STATES
    if c == _ERRORS:
        return d != _ALARMS or e not in _FILTERS
    if a == 0:
        return c in (_COUNTERS, _MOMENTS)
    return 0 < c < _SERVICE - 3 and d not in _THRESHOLDS
