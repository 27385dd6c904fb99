"""Register monitor: scripts that run when a value crosses a threshold.

(Blue Book, class_id 21)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.standard.references import AttributeReference, ScriptReference
from cosem.classes.structured import Structured, array_of, member

__all__ = ["ActionSet", "RegisterMonitor"]


class ActionSet(Structured):
    """What runs when the value crosses a threshold upwards, and when downwards."""

    action_up: ScriptReference = member(ScriptReference)
    action_down: ScriptReference = member(ScriptReference)


class RegisterMonitor(
    InterfaceClass,
    class_id=21,
    version=0,
    title="Register monitor",
    status="current",
    confidence="high",
    logical_names=(
        "0.b.16.0.e.255",
        "0.b.16.1.0-9.255",
        "1.b.c.31.0.255 .. (monitors of electricity quantities, clause 6.3.10)",
    ),
):
    """Register monitor (class_id 21, version 0): thresholds on a value.

    Crossing one upwards or downwards runs a script.

    There are as many actions as thresholds; thresholds have the type of the monitored value.
    """

    thresholds = Attribute(2, "array of CHOICE(simple)", access="rw")
    monitored_value = Attribute(3, AttributeReference, access="rw")
    actions = Attribute(4, array_of(ActionSet), access="rw")
