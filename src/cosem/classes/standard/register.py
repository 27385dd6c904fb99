"""Register, Extended register and Demand register: measured values with their unit.

(Blue Book, class_id 3, 4, 5)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import SCALER_UNIT
from cosem.types.units import ScalerUnit

__all__ = ["DemandRegister", "ExtendedRegister", "Register"]


class Register(
    InterfaceClass,
    class_id=3,
    version=0,
    title="Register",
    status="current",
    confidence="excerpt",
    logical_names=("any (see obis.json)",),
):
    """Register (class_id 3, version 0): a measured value, or a value to be measured against, and its unit.

    The physical value is ``value`` times ten to the power of the scaler, in the unit. ``reset`` sets
    the value to the default of the object.
    """

    value = Attribute(2, "CHOICE(simple)", nature="either")
    scaler_unit = Attribute(3, SCALER_UNIT, ScalerUnit.from_data)

    reset = Method(1, short_name_offset=0x28)


class ExtendedRegister(
    InterfaceClass,
    class_id=4,
    version=0,
    title="Extended register",
    status="current",
    confidence="high",
    logical_names=("any (see obis.json)", "0.b.24.2.e.255"),
):
    """Extended register (class_id 4, version 0): a value, its unit, a status and when it was captured.

    ``capture_time`` moves when the meter captures a value, for example a new maximum, not when it is
    read.
    """

    value = Attribute(2, "CHOICE(simple)", nature="dynamic")
    scaler_unit = Attribute(3, SCALER_UNIT, ScalerUnit.from_data)
    status = Attribute(4, "CHOICE(simple)", nature="dynamic")
    capture_time = Attribute(5, "octet-string[12] or date-time", nature="dynamic")

    reset = Method(1, short_name_offset=0x38)


class DemandRegister(
    InterfaceClass,
    class_id=5,
    version=0,
    title="Demand register",
    status="current",
    confidence="high",
    logical_names=("any (see obis.json)",),
):
    """Demand register (class_id 5, version 0): the average of a value over a time, such as a demand.

    The average is formed over ``number_of_periods`` times ``period`` seconds: one period is block
    demand, more are sliding demand. ``next_period`` ends a period as the clock would, ``reset`` without
    a result.
    """

    current_average_value = Attribute(2, "CHOICE(simple)", nature="dynamic")
    last_average_value = Attribute(3, "CHOICE(simple)", nature="dynamic")
    scaler_unit = Attribute(4, SCALER_UNIT, ScalerUnit.from_data)
    status = Attribute(5, "CHOICE(simple)", nature="dynamic")
    capture_time = Attribute(6, "octet-string[12] or date-time", nature="dynamic")
    start_time_current = Attribute(7, "octet-string[12] or date-time", nature="dynamic")
    period = Attribute(8, "double-long-unsigned", access="rw")
    number_of_periods = Attribute(9, "long-unsigned", access="rw")

    reset = Method(1, short_name_offset=0x48)
    next_period = Method(2, short_name_offset=0x50)
