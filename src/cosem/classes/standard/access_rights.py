"""Access rights and users, as the association objects show them.

The modes are an enumeration up to Association LN version 2 and Association SN
version 3, and a bit mask in the versions after those.

(Blue Book, class_id 12 and 15)
"""

from __future__ import annotations

from enum import IntFlag

from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = [
    "AccessMode",
    "AccessRight",
    "AccessRightVersion0",
    "AccessRightVersion1",
    "AttributeAccessItem",
    "AttributeAccessItemVersion0",
    "AttributeAccessMode",
    "MethodAccessItem",
    "MethodAccessItemVersion0",
    "MethodAccessItemVersion1",
    "MethodAccessMode",
    "UserListEntry",
]


class AttributeAccessMode(OpenEnumeration):
    """What may be done with an attribute; the oldest versions know only the first four."""

    NO_ACCESS = 0
    READ_ONLY = 1
    WRITE_ONLY = 2
    READ_AND_WRITE = 3
    AUTHENTICATED_READ_ONLY = 4
    AUTHENTICATED_WRITE_ONLY = 5
    AUTHENTICATED_READ_AND_WRITE = 6


class MethodAccessMode(OpenEnumeration):
    """Whether a method may be called."""

    NO_ACCESS = 0
    ACCESS = 1
    AUTHENTICATED_ACCESS = 2


class AccessMode(IntFlag):
    """What may be done, and how request and answer must be protected.

    Of a method, ``READ`` means that it may be called.
    """

    NO_ACCESS = 0
    READ = 0x01
    WRITE = 0x02
    AUTHENTICATED_REQUEST = 0x04
    ENCRYPTED_REQUEST = 0x08
    SIGNED_REQUEST = 0x10
    AUTHENTICATED_RESPONSE = 0x20
    ENCRYPTED_RESPONSE = 0x40
    SIGNED_RESPONSE = 0x80


class AttributeAccessItemVersion0(Structured):
    """The right to one attribute, and the access selectors that may be used."""

    attribute_id: int = member("integer")
    access_mode: AttributeAccessMode = member("enum", AttributeAccessMode)
    access_selectors: tuple[int, ...] | None = member("null-data or array of integer")


class AttributeAccessItem(Structured):
    """The right to one attribute, and the access selectors that may be used."""

    attribute_id: int = member("integer")
    access_mode: AccessMode = member("enum", AccessMode)
    access_selectors: tuple[int, ...] | None = member("null-data or array of integer")


class MethodAccessItemVersion0(Structured):
    """Whether one method may be called."""

    method_id: int = member("integer")
    access_mode: bool = member("boolean")


class MethodAccessItemVersion1(Structured):
    """The right to call one method."""

    method_id: int = member("integer")
    access_mode: MethodAccessMode = member("enum", MethodAccessMode)


class MethodAccessItem(Structured):
    """The right to call one method."""

    method_id: int = member("integer")
    access_mode: AccessMode = member("enum", AccessMode)


class AccessRightVersion0(Structured):
    """The rights to one object; methods are allowed or not."""

    attribute_access: tuple[AttributeAccessItemVersion0, ...] = member(array_of(AttributeAccessItemVersion0))
    method_access: tuple[MethodAccessItemVersion0, ...] = member(array_of(MethodAccessItemVersion0))


class AccessRightVersion1(Structured):
    """The rights to one object, as enumerations."""

    attribute_access: tuple[AttributeAccessItemVersion0, ...] = member(array_of(AttributeAccessItemVersion0))
    method_access: tuple[MethodAccessItemVersion1, ...] = member(array_of(MethodAccessItemVersion1))


class AccessRight(Structured):
    """The rights to one object, as bit masks."""

    attribute_access: tuple[AttributeAccessItem, ...] = member(array_of(AttributeAccessItem))
    method_access: tuple[MethodAccessItem, ...] = member(array_of(MethodAccessItem))


class UserListEntry(Structured):
    """A user of an association: the number that its AARQ names, and a name."""

    user_id: int = member("unsigned")
    user_name: str = member("visible-string")
