"""Limiter: supervision of a demand, with a normal and an emergency threshold.

(Blue Book, class_id 71)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.standard.references import AttributeReference, ScriptReference
from cosem.classes.structured import Structured, member
from cosem.types.date_time import DateTime

__all__ = ["EmergencyProfile", "Limiter", "LimiterActions"]


class EmergencyProfile(Structured):
    """An emergency: its number, when it begins, and for how many seconds."""

    emergency_profile_id: int = member("long-unsigned")
    emergency_activation_time: DateTime = member("octet-string[12]")
    emergency_duration: int = member("double-long-unsigned")


class LimiterActions(Structured):
    """What runs when the value stays above the threshold, and when it stays below."""

    action_over_threshold: ScriptReference = member(ScriptReference)
    action_under_threshold: ScriptReference = member(ScriptReference)


class Limiter(
    InterfaceClass,
    class_id=71,
    version=0,
    title="Limiter",
    status="current",
    confidence="high",
    logical_names=("0.b.17.0.e.255",),
):
    """Limiter (class_id 71, version 0).

    Runs an action when a value stays above a threshold for a time, and another when it is back.

    An emergency profile that is active replaces the normal threshold; durations are seconds.
    """

    monitored_value = Attribute(2, AttributeReference, access="rw")
    threshold_active = Attribute(3, "CHOICE(simple)", nature="dynamic")
    threshold_normal = Attribute(4, "CHOICE(simple)", access="rw")
    threshold_emergency = Attribute(5, "CHOICE(simple)", access="rw")
    min_over_threshold_duration = Attribute(6, "double-long-unsigned", access="rw")
    min_under_threshold_duration = Attribute(7, "double-long-unsigned", access="rw")
    emergency_profile = Attribute(8, EmergencyProfile, access="rw")
    emergency_profile_group_id_list = Attribute(9, "array of long-unsigned", access="rw")
    emergency_profile_active = Attribute(10, "boolean", nature="dynamic")
    actions = Attribute(11, LimiterActions, access="rw")
