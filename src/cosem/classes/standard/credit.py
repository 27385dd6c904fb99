"""Credit: one source of credit of an account.

(Blue Book, class_id 112)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.types.enumerations import OpenEnumeration

__all__ = ["Credit", "CreditStatus", "CreditType"]


class CreditType(OpenEnumeration):
    """Where the credit comes from."""

    TOKEN = 0
    RESERVED = 1
    EMERGENCY = 2
    TIME_BASED = 3
    CONSUMPTION_BASED = 4


class CreditStatus(OpenEnumeration):
    """Where the credit stands."""

    ENABLED = 0
    SELECTABLE = 1
    SELECTED = 2
    IN_USE = 3
    EXHAUSTED = 4


class Credit(
    InterfaceClass,
    class_id=112,
    version=0,
    title="Credit",
    status="current",
    confidence="high",
    logical_names=("0.b.19.10-19.e.255",),
):
    """Credit (class_id 112, version 0): one source of credit: its amount, priority, limits and state.

    Priority 1 is used first; priority 0 is not used.
    """

    current_credit_amount = Attribute(2, "double-long", nature="dynamic")
    credit_type = Attribute(3, "enum", CreditType, access="rw")
    priority = Attribute(4, "unsigned", access="rw")
    warning_threshold = Attribute(5, "double-long", access="rw")
    limit = Attribute(6, "double-long", access="rw")
    credit_configuration = Attribute(7, "bit-string[5]", access="rw")
    credit_status = Attribute(8, "enum", CreditStatus, nature="dynamic")
    preset_credit_amount = Attribute(9, "double-long", access="rw")
    credit_available_threshold = Attribute(10, "double-long", access="rw")
    period = Attribute(11, "octet-string[12] or date-time", access="rw")

    update_amount = Method(1, "double-long")
    set_amount_to_value = Method(2, "double-long")
    invoke_credit = Method(3)
