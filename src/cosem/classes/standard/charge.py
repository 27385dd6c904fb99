"""Charge: one way in which an account is charged.

(Blue Book, class_id 113)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import AttributeReference
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = ["Charge", "ChargePerUnitScaling", "ChargeTableElement", "ChargeType", "UnitCharge"]


class ChargeType(OpenEnumeration):
    """What is charged."""

    CONSUMPTION_BASED = 0
    TIME_BASED = 1
    PAYMENT_EVENT_BASED = 2


class ChargePerUnitScaling(Structured):
    """Powers of ten of the commodity and of the price."""

    commodity_scale: int = member("integer")
    price_scale: int = member("integer")


class ChargeTableElement(Structured):
    """The price of a unit under one tariff."""

    index: bytes = member("octet-string")  # type: ignore[assignment] # hides tuple.index, which a structure does not need
    charge_per_unit: int = member("long")


class UnitCharge(Structured):
    """Prices: their scaling, the register that is charged, and the price for each tariff."""

    charge_per_unit_scaling: ChargePerUnitScaling = member(ChargePerUnitScaling)
    commodity_reference: AttributeReference = member(AttributeReference)
    charge_table: tuple[ChargeTableElement, ...] = member(array_of(ChargeTableElement))


class Charge(
    InterfaceClass,
    class_id=113,
    version=0,
    title="Charge",
    status="current",
    confidence="high",
    logical_names=("0.b.19.20-29.e.255",),
):
    """Charge (class_id 113, version 0): one way to charge: by consumption, by time or by payment event.

    ``period`` is in seconds. New prices are written to the passive half and activated in one step.
    """

    total_amount_paid = Attribute(2, "double-long", nature="dynamic")
    charge_type = Attribute(3, "enum", ChargeType, access="rw")
    priority = Attribute(4, "unsigned", access="rw")
    unit_charge_active = Attribute(5, UnitCharge)
    unit_charge_passive = Attribute(6, UnitCharge, access="rw")
    unit_charge_activation_time = Attribute(7, "octet-string[12] or date-time", access="rw")
    period = Attribute(8, "double-long-unsigned", access="rw")
    charge_configuration = Attribute(9, "bit-string[2]", access="rw")
    last_collection_time = Attribute(10, "date-time", nature="dynamic")
    last_collection_amount = Attribute(11, "double-long", nature="dynamic")
    total_amount_remaining = Attribute(12, "double-long", nature="dynamic")
    proportion = Attribute(13, "long-unsigned", access="rw")

    update_unit_charge = Method(1, array_of(ChargeTableElement))
    activate_passive_unit_charge = Method(2)
    collect = Method(3)
    update_total_amount_remaining = Method(4, "double-long")
    set_total_amount_remaining = Method(5, "double-long")
