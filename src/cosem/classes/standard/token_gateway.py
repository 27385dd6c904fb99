"""Token gateway and IEC 62055-41 attributes: tokens that carry credit.

(Blue Book, class_id 115, 116)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, member
from cosem.types.data import BitString
from cosem.types.enumerations import OpenEnumeration

__all__ = ["Iec62055Attributes", "MeterPan", "TokenGateway", "TokenStatus", "TokenStatusCode"]


class TokenStatusCode(OpenEnumeration):
    """The last step that a token passed, or at which it failed."""

    FORMAT_OK = 0
    AUTHENTICATION_OK = 1
    VALIDATION_OK = 2
    EXECUTION_OK = 3
    FORMAT_FAILED = 4
    AUTHENTICATION_FAILED = 5
    VALIDATION_FAILED = 6
    EXECUTION_FAILED = 7
    RECEIVED = 8


class TokenStatus(Structured):
    """How far the last token got, and bits that say more."""

    status_code: TokenStatusCode = member("enum", TokenStatusCode)
    data_value: BitString = member("bit-string")


class MeterPan(Structured):
    """The primary account number of the meter, in its three parts."""

    issuer_identification_number: int = member("double-long-unsigned")
    decoder_reference_number: int = member("long64-unsigned")
    PAN_check_digit: int = member("unsigned")


class TokenGateway(
    InterfaceClass,
    class_id=115,
    version=0,
    title="Token gateway",
    status="current",
    confidence="high",
    logical_names=("0.b.19.40-49.e.255",),
):
    """Token gateway (class_id 115, version 0): where credit tokens enter, and what became of the last one."""

    token = Attribute(2, "octet-string", nature="dynamic")
    token_time = Attribute(3, "octet-string[12] or date-time", nature="dynamic")
    token_description = Attribute(4, "array of octet-string", nature="dynamic")
    token_delivery_method = Attribute(5, "enum", nature="dynamic")
    token_status = Attribute(6, TokenStatus, nature="dynamic")

    enter = Method(1, "octet-string", returns=TokenStatus, remark="token")


class Iec62055Attributes(
    InterfaceClass,
    class_id=116,
    version=0,
    title="IEC 62055-41 attributes",
    status="later",
    confidence="medium",
):
    """IEC 62055-41 attributes (class_id 116, version 0).

    The attributes of a meter that takes standard transfer specification tokens.
    """

    meter_PAN = Attribute(2, MeterPan)
    commodity = Attribute(3, "visible-string")
    token_carrier_types = Attribute(4, "array of unsigned")
    encryption_algorithm = Attribute(5, "unsigned")
    supply_group_code = Attribute(6, "double-long-unsigned", nature="dynamic")
    tariff_index = Attribute(7, "unsigned", nature="dynamic")
    key_revision_number = Attribute(8, "unsigned", nature="dynamic")
    key_type = Attribute(9, "unsigned", nature="dynamic")
    key_expiry_number = Attribute(10, "unsigned", nature="dynamic")
    no_of_KCT_supported = Attribute(11, "unsigned")
    STS_certificate_no = Attribute(12, "visible-string")
