"""Association SN: what a client sees when objects have short names.

(Blue Book, class_id 12)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.access_rights import (
    AttributeAccessItem,
    AttributeAccessItemVersion0,
    MethodAccessItem,
    MethodAccessItemVersion0,
    MethodAccessItemVersion1,
    UserListEntry,
)
from cosem.classes.standard.references import AttributeReference, ObjectReference
from cosem.classes.structured import Structured, array_of, member
from cosem.types.logical_name import LogicalName

__all__ = [
    "AccessRightsElement",
    "AccessRightsElementVersion1",
    "AccessRightsElementVersion2",
    "AssociationSn",
    "AssociationSnVersion0",
    "AssociationSnVersion1",
    "AssociationSnVersion2",
    "AssociationSnVersion3",
    "ObjectListElementSn",
]


class ObjectListElementSn(Structured):
    """One object that the client sees: its base name, class and logical name."""

    base_name: int = member("long")
    class_id: int = member("long-unsigned")
    version: int = member("unsigned")
    logical_name: LogicalName = member("octet-string[6]")


class AccessRightsElementVersion1(Structured):
    """The rights to one object; methods are allowed or not."""

    base_name: int = member("long")
    attribute_access: tuple[AttributeAccessItemVersion0, ...] = member(array_of(AttributeAccessItemVersion0))
    method_access: tuple[MethodAccessItemVersion0, ...] = member(array_of(MethodAccessItemVersion0))


class AccessRightsElementVersion2(Structured):
    """The rights to one object."""

    base_name: int = member("long")
    attribute_access: tuple[AttributeAccessItemVersion0, ...] = member(array_of(AttributeAccessItemVersion0))
    method_access: tuple[MethodAccessItemVersion1, ...] = member(array_of(MethodAccessItemVersion1))


class AccessRightsElement(Structured):
    """The rights to one object."""

    base_name: int = member("long")
    attribute_access: tuple[AttributeAccessItem, ...] = member(array_of(AttributeAccessItem))
    method_access: tuple[MethodAccessItem, ...] = member(array_of(MethodAccessItem))


class AssociationSnVersion0(
    InterfaceClass,
    class_id=12,
    version=0,
    title="Association SN",
    status="old",
    confidence="medium",
    logical_names=("0.0.40.0.e.255",),
):
    """Association SN (class_id 12, version 0): see :class:`AssociationSn`.

    Compared with that one it has ``getlist_by_classid``, ``getobj_by_logicalname``,
    ``get_attributes_and_methods``, ``change_LLS_secret``, ``change_HLS_secret``, ``get_HLS_challenge``
    and more; it has no ``access_rights_list``, ``security_setup_reference``, ``user_list``,
    ``current_user``, ``change_secret``, ``reply_to_HLS_authentication`` and more.
    """

    object_list = Attribute(2, array_of(ObjectListElementSn))

    getlist_by_classid = Method(
        1, "long-unsigned", returns="array", short_name_offset=0x20, remark="class_id"
    )
    getobj_by_logicalname = Method(
        2,
        ObjectReference,
        returns="structure",
        short_name_offset=0x28,
        remark="one element as in object_list",
    )
    read_by_logicalname = Method(
        3, array_of(AttributeReference), returns="array of CHOICE(any)", short_name_offset=0x30
    )
    get_attributes_and_methods = Method(
        4, array_of(ObjectReference), returns="array", short_name_offset=0x38, remark="access descriptions"
    )
    change_LLS_secret = Method(5, "octet-string", short_name_offset=0x40)
    change_HLS_secret = Method(6, "octet-string", short_name_offset=0x48)
    get_HLS_challenge = Method(7, returns="octet-string", short_name_offset=0x50)
    reply_to_HLS_challenge = Method(8, "octet-string", returns="octet-string", short_name_offset=0x58)


class AssociationSnVersion1(
    InterfaceClass,
    class_id=12,
    version=1,
    title="Association SN",
    status="old",
    confidence="medium",
    logical_names=("0.0.40.0.e.255",),
):
    """Association SN (class_id 12, version 1): see :class:`AssociationSn`.

    Compared with that one it has no ``security_setup_reference``, ``user_list``, ``current_user``,
    ``add_user``, ``remove_user``; it differs in ``access_rights_list``.
    """

    object_list = Attribute(2, array_of(ObjectListElementSn))
    access_rights_list = Attribute(3, array_of(AccessRightsElementVersion1))

    read_by_logicalname = Method(
        3, array_of(AttributeReference), returns="array of CHOICE(any)", short_name_offset=0x30
    )
    change_secret = Method(5, "octet-string", short_name_offset=0x40)
    reply_to_HLS_authentication = Method(8, "octet-string", returns="octet-string", short_name_offset=0x58)


class AssociationSnVersion2(AssociationSnVersion1, version=2):
    """Association SN (class_id 12, version 2): see :class:`AssociationSnVersion1`.

    Compared with that one it has ``security_setup_reference``; it differs in ``access_rights_list``.
    """

    access_rights_list = Attribute(3, array_of(AccessRightsElementVersion2))  # type: ignore[assignment]
    security_setup_reference = Attribute(4, "octet-string[6]")


class AssociationSnVersion3(AssociationSnVersion2, version=3):
    """Association SN (class_id 12, version 3): see :class:`AssociationSnVersion2`.

    Compared with that one it has ``user_list``, ``current_user``, ``add_user``, ``remove_user``.

    By the regular rule the short names of attributes 5 and 6 would collide with those of methods of
    version 0; the offsets of methods 9 and 10 are not established.
    """

    user_list = Attribute(5, array_of(UserListEntry), access="rw")
    current_user = Attribute(6, UserListEntry, nature="dynamic")

    add_user = Method(9, UserListEntry)
    remove_user = Method(10, UserListEntry)


class AssociationSn(AssociationSnVersion3, version=4, status="current"):
    """Association SN (class_id 12, version 4).

    The association object where objects have short names, at base name FA00.

    ``object_list`` gives base name, class and logical name of every object that the client sees;
    ``read_by_logicalname`` reads without knowing base names.
    """

    object_list = Attribute(2, array_of(ObjectListElementSn))
    access_rights_list = Attribute(3, array_of(AccessRightsElement))  # type: ignore[assignment]
