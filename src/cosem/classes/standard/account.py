"""Account: the centre of payment metering.

(Blue Book, class_id 111)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.data import BitString
from cosem.types.enumerations import OpenEnumeration
from cosem.types.logical_name import LogicalName

__all__ = [
    "Account",
    "AccountModeAndStatus",
    "AccountStatus",
    "CreditChargeConfiguration",
    "Currency",
    "PaymentMode",
    "TokenGatewayConfiguration",
]


class PaymentMode(OpenEnumeration):
    """Whether it is paid afterwards or beforehand."""

    CREDIT = 1
    PREPAYMENT = 2


class AccountStatus(OpenEnumeration):
    """Whether the account is in force."""

    NEW = 1
    ACTIVE = 2
    CLOSED = 3


class AccountModeAndStatus(Structured):
    """Credit or prepayment; and whether the account is new, active or closed."""

    payment_mode: PaymentMode = member("enum", PaymentMode)
    account_status: AccountStatus = member("enum", AccountStatus)


class CreditChargeConfiguration(Structured):
    """Which charge is collected from which credit, and when.

    The cases are: while disconnected, in load limiting, in friendly periods.
    """

    credit_reference: LogicalName = member("octet-string[6]")
    charge_reference: LogicalName = member("octet-string[6]")
    collection_configuration: BitString = member("bit-string[3]")


class TokenGatewayConfiguration(Structured):
    """The share of each token, in percent, that goes to a credit."""

    credit_reference: LogicalName = member("octet-string[6]")
    token_proportion: int = member("unsigned")


class Currency(Structured):
    """The currency: name, scale as a power of ten, and unit."""

    currency_name: str = member("utf8-string")
    currency_scale: int = member("integer")
    currency_unit: int = member("enum")


class Account(
    InterfaceClass,
    class_id=111,
    version=0,
    title="Account",
    status="current",
    confidence="high",
    logical_names=("0.b.19.0-9.0.255",),
):
    """Account (class_id 111, version 0).

    The account of a consumer: which credits and charges it has, and where it stands.

    Amounts are in the currency of the account, scaled by its ``currency_scale``.
    """

    account_mode_and_status = Attribute(2, AccountModeAndStatus, nature="either")
    current_credit_in_use = Attribute(3, "unsigned", nature="dynamic")
    current_credit_status = Attribute(4, "bit-string[8]", nature="dynamic")
    available_credit = Attribute(5, "double-long", nature="dynamic")
    amount_to_clear = Attribute(6, "double-long", nature="dynamic")
    clearance_threshold = Attribute(7, "double-long", access="rw")
    aggregated_debt = Attribute(8, "double-long", nature="dynamic")
    credit_reference_list = Attribute(9, "array of octet-string[6]", access="rw")
    charge_reference_list = Attribute(10, "array of octet-string[6]", access="rw")
    credit_charge_configuration = Attribute(11, array_of(CreditChargeConfiguration), access="rw")
    token_gateway_configuration = Attribute(12, array_of(TokenGatewayConfiguration), access="rw")
    account_activation_time = Attribute(13, "octet-string[12] or date-time", access="rw")
    account_closure_time = Attribute(14, "octet-string[12] or date-time", access="rw")
    currency = Attribute(15, Currency, access="rw")
    low_credit_threshold = Attribute(16, "double-long", access="rw")
    next_credit_available_threshold = Attribute(17, "double-long", access="rw")
    max_provision = Attribute(18, "long-unsigned", access="rw")
    max_provision_period = Attribute(19, "double-long", access="rw")

    activate_account = Method(1)
    close_account = Method(2)
    reset_account = Method(3)
