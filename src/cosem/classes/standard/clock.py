"""Clock: the time of the meter, its zone and its daylight saving.

(Blue Book, class_id 8)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, member
from cosem.types.date_time import ClockStatus, DateTime
from cosem.types.enumerations import OpenEnumeration

__all__ = ["Clock", "ClockBase", "PresetAdjustingTime"]


class ClockBase(OpenEnumeration):
    """Where the clock takes its time from."""

    UNDEFINED = 0
    CRYSTAL = 1
    MAINS_50_HZ = 2
    MAINS_60_HZ = 3
    GPS = 4
    RADIO = 5


class PresetAdjustingTime(Structured):
    """A time to set later, and the interval in which adjust_to_preset_time may set it."""

    preset_time: DateTime = member("octet-string[12]")
    validity_interval_start: DateTime = member("octet-string[12]")
    validity_interval_end: DateTime = member("octet-string[12]")


class Clock(
    InterfaceClass,
    class_id=8,
    version=0,
    title="Clock",
    status="current",
    confidence="high",
    logical_names=("0.b.1.0.e.255",),
):
    """Clock (class_id 8, version 0): the time of the meter, local, with its deviation from UTC.

    ``time_zone`` and ``daylight_savings_deviation`` are minutes; UTC is local time plus deviation. The
    switching dates are patterns such as the last Sunday of March, in the local time before the switch.
    ``shift_time`` moves the clock by -900..900 seconds.
    """

    time = Attribute(2, "octet-string[12] or date-time", nature="dynamic", access="rw")
    time_zone = Attribute(3, "long", access="rw")
    status = Attribute(4, "unsigned", ClockStatus, nature="dynamic")
    daylight_savings_begin = Attribute(5, "octet-string[12] or date-time", access="rw")
    daylight_savings_end = Attribute(6, "octet-string[12] or date-time", access="rw")
    daylight_savings_deviation = Attribute(7, "integer", access="rw")
    daylight_savings_enabled = Attribute(8, "boolean", access="rw")
    clock_base = Attribute(9, "enum", ClockBase)

    adjust_to_quarter = Method(1, short_name_offset=0x60)
    adjust_to_measuring_period = Method(2, short_name_offset=0x68)
    adjust_to_minute = Method(3, short_name_offset=0x70)
    adjust_to_preset_time = Method(4, short_name_offset=0x78)
    preset_adjusting_time = Method(5, PresetAdjustingTime, short_name_offset=0x80)
    shift_time = Method(6, "long", short_name_offset=0x88, remark="-900..900")
