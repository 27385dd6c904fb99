"""Arbitrator: which of several actors decides.

(Blue Book, class_id 68)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import ScriptReference
from cosem.classes.structured import Structured, array_of, member
from cosem.types.data import BitString

__all__ = ["ActionRequest", "Arbitrator"]


class ActionRequest(Structured):
    """Who asks, and a bit for each action that is asked for; a bit not set withdraws an earlier request."""

    request_actor: int = member("unsigned")
    request_action_list: BitString = member("bit-string")


class Arbitrator(
    InterfaceClass,
    class_id=68,
    version=0,
    title="Arbitrator",
    status="current",
    confidence="high",
    logical_names=("0.b.96.3.20-29.255",),
):
    """Arbitrator (class_id 68, version 0): decides between actors that ask for contradicting actions.

    Weights of the actors that ask for an action are added; the action with the single highest sum wins
    and its script runs.
    """

    actions = Attribute(2, array_of(ScriptReference), access="rw")
    permissions_table = Attribute(3, "array of bit-string", access="rw")
    weightings_table = Attribute(4, "array of array of long-unsigned", access="rw")
    most_recent_requests_table = Attribute(5, "array of bit-string", nature="dynamic")
    last_outcome = Attribute(6, "unsigned", nature="dynamic")

    request_action = Method(1, ActionRequest, mandatory=True, short_name_offset=0x30)
    reset = Method(2, short_name_offset=0x38)
