"""Data protection: attributes and methods under end-to-end protection.

(Blue Book, class_id 30)
"""

from __future__ import annotations

from enum import IntFlag
from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.protection import ProtectionParameters
from cosem.classes.standard.references import RestrictedObjectDefinition
from cosem.classes.structured import Structured, array_of, member

__all__ = [
    "DataProtection",
    "GetProtectedAttributes",
    "InvokeProtectedMethod",
    "ProtectedAttributes",
    "ProtectedMethodReturn",
    "RequiredProtection",
    "SetProtectedAttributes",
]


class RequiredProtection(IntFlag):
    """What protection a call must have, and what the answer gets."""

    AUTHENTICATED_REQUEST = 0x4
    ENCRYPTED_REQUEST = 0x8
    SIGNED_REQUEST = 0x10
    AUTHENTICATED_RESPONSE = 0x20
    ENCRYPTED_RESPONSE = 0x40
    SIGNED_RESPONSE = 0x80


class GetProtectedAttributes(Structured):
    """Which attributes are asked for, and how their values are to be protected."""

    object_list: Any = member("array")
    get_protection_parameters: Any = member("array")


class ProtectedAttributes(Structured):
    """Values under protection, with the parameters completed by the server."""

    protection_parameters: Any = member("array")
    protected_attributes: bytes = member("octet-string")


class SetProtectedAttributes(Structured):
    """Values under protection, to be written to the attributes listed."""

    object_list: Any = member("array")
    set_protection_parameters: Any = member("array")
    protected_attributes: bytes = member("octet-string")


class InvokeProtectedMethod(Structured):
    """A method, and its invocation parameter under protection."""

    object_method: Any = member("structure")
    protection_parameters: Any = member("array")
    protected_method_invocation_parameters: bytes = member("octet-string")


class ProtectedMethodReturn(Structured):
    """What a method returned, under protection."""

    protection_parameters: Any = member("array")
    protected_method_return_parameters: bytes = member("octet-string")


class DataProtection(
    InterfaceClass,
    class_id=30,
    version=0,
    title="Data protection",
    status="current",
    confidence="excerpt",
    logical_names=("0.0.43.2.e.255",),
):
    """Data protection (class_id 30, version 0).

    Values that are protected end to end, whatever the association does.

    Reading ``protection_buffer`` captures and protects the listed attributes; writing it removes the
    protection and writes them.
    """

    protection_buffer = Attribute(2, "octet-string", nature="dynamic", access="rw")
    protection_object_list = Attribute(3, array_of(RestrictedObjectDefinition), access="rw")
    protection_parameters_get = Attribute(4, array_of(ProtectionParameters), access="rw")
    protection_parameters_set = Attribute(5, array_of(ProtectionParameters), access="rw")
    required_protection = Attribute(
        6, "enum", RequiredProtection, access="rw", remark='"bit mask, see section 2"'
    )

    get_protected_attributes = Method(
        1, GetProtectedAttributes, returns=ProtectedAttributes, mandatory=True, short_name_offset=0x30
    )
    set_protected_attributes = Method(2, SetProtectedAttributes, mandatory=True, short_name_offset=0x38)
    invoke_protected_method = Method(
        3, InvokeProtectedMethod, returns=ProtectedMethodReturn, mandatory=True, short_name_offset=0x40
    )
