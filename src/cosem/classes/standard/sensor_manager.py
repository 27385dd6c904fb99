"""Sensor manager: nameplate, raw value and monitors of a sensor.

(Blue Book, class_id 67)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import SCALER_UNIT, AttributeReference
from cosem.classes.structured import Structured, array_of, member
from cosem.types.units import ScalerUnit

__all__ = ["MonitorActions", "SensorManager"]


class MonitorActions(Structured):
    """What runs when the value crosses a threshold upwards, and when downwards.

    The inner form is not established.
    """

    action_up: Any = member("structure")
    action_down: Any = member("structure")


class SensorManager(
    InterfaceClass, class_id=67, version=0, title="Sensor manager", status="current", confidence="medium"
):
    """Sensor manager (class_id 67, version 0).

    A sensor: its nameplate, its raw value with unit, status and time, and monitors of raw and processed
    value.
    """

    serial_number = Attribute(2, "octet-string")
    metrological_identification = Attribute(3, "octet-string")
    output_type = Attribute(4, "enum")
    adjustment_method = Attribute(5, "octet-string")
    sealing_method = Attribute(6, "enum")
    raw_value = Attribute(7, "CHOICE(simple)", nature="dynamic")
    scaler_unit = Attribute(8, SCALER_UNIT, ScalerUnit.from_data)
    status = Attribute(9, "CHOICE(simple)", nature="dynamic")
    capture_time = Attribute(10, "octet-string[12] or date-time", nature="dynamic")
    raw_value_thresholds = Attribute(11, "array", access="rw")
    raw_value_actions = Attribute(12, array_of(MonitorActions), access="rw")
    processed_value = Attribute(13, AttributeReference, access="rw")
    processed_value_thresholds = Attribute(14, "array", access="rw")
    processed_value_actions = Attribute(15, array_of(MonitorActions), access="rw")

    reset = Method(1)
