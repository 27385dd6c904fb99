"""Measurement data monitoring: waveforms around a trigger.

(Blue Book, class_id 66)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import SCALER_UNIT
from cosem.types.units import ScalerUnit

__all__ = ["MeasurementDataMonitoring"]


class MeasurementDataMonitoring(
    InterfaceClass,
    class_id=66,
    version=0,
    title="Measurement data monitoring",
    status="later",
    confidence="medium",
):
    """Measurement data monitoring (class_id 66, version 0).

    Samples of a waveform before and after a trigger, with their rate and unit.

    The inner form of complex types is not established (known from a transcription of the 16th edition).
    """

    waveform_data = Attribute(2, "compact-array", nature="dynamic")
    trigger_time = Attribute(3, "long64-unsigned", nature="dynamic")
    trigger_source = Attribute(4, "structure", nature="dynamic")
    status = Attribute(5, "enum", nature="dynamic")
    sampling_rate = Attribute(6, "double-long-unsigned", access="rw")
    number_of_samples_before_trigger = Attribute(7, "double-long-unsigned", access="rw")
    number_of_samples_after_trigger = Attribute(8, "double-long-unsigned", access="rw")
    scaler_unit = Attribute(9, SCALER_UNIT, ScalerUnit.from_data, access="rw")

    reset = Method(1, short_name_offset=0x48)
    trigger = Method(2, short_name_offset=0x50)
