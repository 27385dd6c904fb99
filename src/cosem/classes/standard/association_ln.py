"""Association LN: what a client sees when objects have logical names.

(Blue Book, class_id 15)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.access_rights import (
    AccessRight,
    AccessRightVersion0,
    AccessRightVersion1,
    UserListEntry,
)
from cosem.classes.structured import Structured, array_of, member
from cosem.types.data import BitString
from cosem.types.enumerations import AssociationStatus, Conformance
from cosem.types.logical_name import LogicalName

__all__ = [
    "AssociatedPartners",
    "AssociationLn",
    "AssociationLnVersion0",
    "AssociationLnVersion1",
    "AssociationLnVersion2",
    "ObjectListElement",
    "ObjectListElementVersion0",
    "ObjectListElementVersion1",
    "XDlmsContext",
]


def _conformance(bits: BitString) -> Conformance:
    """Return the services that a conformance block names; bit 0 is the first one."""
    return Conformance(int(bits))


class ObjectListElementVersion0(Structured):
    """One object that the client sees, and its rights to it; methods are allowed or not."""

    class_id: int = member("long-unsigned")
    version: int = member("unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    access_rights: AccessRightVersion0 = member(AccessRightVersion0)


class AssociatedPartners(Structured):
    """The two sides of the association: addresses of the client and of the logical device."""

    client_SAP: int = member("integer")
    server_SAP: int = member("long-unsigned")


class XDlmsContext(Structured):
    """What the association negotiated; sizes in octets, 0 for no limit.

    ``cyphering_info`` is the dedicated key.
    """

    conformance: Conformance = member("bit-string[24]", _conformance)
    max_receive_pdu_size: int = member("long-unsigned")
    max_send_pdu_size: int = member("long-unsigned")
    dlms_version_number: int = member("unsigned")
    quality_of_service: int = member("integer")
    cyphering_info: bytes = member("octet-string")


class ObjectListElementVersion1(Structured):
    """One object that the client sees, and its rights to it."""

    class_id: int = member("long-unsigned")
    version: int = member("unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    access_rights: AccessRightVersion1 = member(AccessRightVersion1)


class ObjectListElement(Structured):
    """One object that the client sees, and its rights to it."""

    class_id: int = member("long-unsigned")
    version: int = member("unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    access_rights: AccessRight = member(AccessRight)


class AssociationLnVersion0(
    InterfaceClass,
    class_id=15,
    version=0,
    title="Association LN",
    status="old",
    confidence="high",
    logical_names=("0.0.40.0.e.255",),
):
    """Association LN (class_id 15, version 0): see :class:`AssociationLn`.

    Compared with that one it has ``LLS_secret``; it has no ``secret``, ``security_setup_reference``,
    ``user_list``, ``current_user``, ``add_user``, ``remove_user``; it differs in ``object_list``.
    """

    object_list = Attribute(2, array_of(ObjectListElementVersion0))
    associated_partners_id = Attribute(3, AssociatedPartners, nature="either")
    application_context_name = Attribute(
        4, "octet-string or structure", nature="either", remark='"structure form: seven numbers of the OID"'
    )
    xDLMS_context_info = Attribute(5, XDlmsContext, nature="either")
    authentication_mechanism_name = Attribute(
        6, "octet-string or structure", nature="either", remark='"structure form: seven numbers of the OID"'
    )
    LLS_secret = Attribute(7, "octet-string", access="w")
    association_status = Attribute(8, "enum", AssociationStatus, nature="dynamic")

    reply_to_HLS_authentication = Method(1, "octet-string", returns="octet-string", short_name_offset=0x60)
    change_HLS_secret = Method(2, "octet-string", short_name_offset=0x68)
    add_object = Method(3, "structure", short_name_offset=0x70, remark="one element as in object_list")
    remove_object = Method(4, "structure", short_name_offset=0x78, remark="one element as in object_list")


class AssociationLnVersion1(
    InterfaceClass,
    class_id=15,
    version=1,
    title="Association LN",
    status="old",
    confidence="high",
    logical_names=("0.0.40.0.e.255",),
):
    """Association LN (class_id 15, version 1): see :class:`AssociationLn`.

    Compared with that one it has no ``user_list``, ``current_user``, ``add_user``, ``remove_user``.
    """

    object_list = Attribute(2, array_of(ObjectListElementVersion1))
    associated_partners_id = Attribute(3, AssociatedPartners, nature="either")
    application_context_name = Attribute(
        4, "octet-string or structure", nature="either", remark='"structure form: seven numbers of the OID"'
    )
    xDLMS_context_info = Attribute(5, XDlmsContext, nature="either")
    authentication_mechanism_name = Attribute(
        6, "octet-string or structure", nature="either", remark='"structure form: seven numbers of the OID"'
    )
    secret = Attribute(7, "octet-string", access="w")
    association_status = Attribute(8, "enum", AssociationStatus, nature="dynamic")
    security_setup_reference = Attribute(9, "octet-string[6]")

    reply_to_HLS_authentication = Method(1, "octet-string", returns="octet-string", short_name_offset=0x60)
    change_HLS_secret = Method(2, "octet-string", short_name_offset=0x68)
    add_object = Method(3, "structure", short_name_offset=0x70, remark="one element as in object_list")
    remove_object = Method(4, "structure", short_name_offset=0x78, remark="one element as in object_list")


class AssociationLnVersion2(AssociationLnVersion1, version=2):
    """Association LN (class_id 15, version 2): see :class:`AssociationLnVersion1`.

    Compared with that one it has ``user_list``, ``current_user``, ``add_user``, ``remove_user``.
    """

    user_list = Attribute(10, array_of(UserListEntry), access="rw")
    current_user = Attribute(11, UserListEntry, nature="dynamic")

    add_user = Method(5, UserListEntry, short_name_offset=0x80)
    remove_user = Method(6, UserListEntry, short_name_offset=0x88)


class AssociationLn(AssociationLnVersion2, version=3, status="current"):
    """Association LN (class_id 15, version 3): the association object where objects have logical names.

    0-0:40.0.0 is always the current association. ``object_list`` names the objects that the client sees
    and its rights to them. The second and later pass of high level security is a call of
    ``reply_to_HLS_authentication``. The access modes of the newest version are bit masks.
    """

    object_list = Attribute(2, array_of(ObjectListElement))  # type: ignore[assignment]
