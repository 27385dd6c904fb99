"""Filling the mapping table from the meter, and reading without one (IEC 62056-5-3, 6.16; Blue Book, class_id 12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cosem.apdu.variable_access import ParameterizedAccess, VariableName
from cosem.association.client.conversations.read import read
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.association.short_names.layout import CURRENT_ASSOCIATION, OBJECT_LIST, READ_BY_LOGICALNAME
from cosem.association.short_names.table import ShortNameTable
from cosem.errors import AccessError, ConfigurationError, ProtocolError
from cosem.types.data import Array, Integer, LongUnsigned, OctetString, Structure
from cosem.types.enumerations import DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.common import CosemAttributeDescriptor
    from cosem.types.data import DataValue
    from cosem.types.logical_name import LogicalName

__all__ = ["current_table", "mapper_table", "read_by_logicalname", "read_object_list"]

_ASSOCIATION_SN_CLASS = 12


def current_table(context: ServiceContext) -> ShortNameTable:
    """Return the mapping table as it is.

    Raises:
        ConfigurationError: Objects have logical names in this association.
    """
    if context.short_names is None:
        raise ConfigurationError("objects have logical names in this association")
    return context.short_names


def mapper_table(
    context: ServiceContext, objects: Iterable[tuple[int, LogicalName]] = ()
) -> Conversation[ShortNameTable]:
    """Return the mapping table; ``object_list`` is read before if an incomplete one lacks one of ``objects``.

    Args:
        context: The association.
        objects: class_id and logical name of what is wanted.

    Raises:
        AccessError: ``object_list`` would be needed, and the server refused it.
    """
    table = current_table(context)
    if not table.complete and any(table.find(*each) is None for each in objects):
        table = yield from read_object_list(context)
    return table


def read_object_list(
    context: ServiceContext, progress: Progress = no_progress
) -> Conversation[ShortNameTable]:
    """Read ``object_list`` of the current Association SN and take it as the mapping table.

    Objects that were known before and are not listed stay known.

    Raises:
        AccessError: The server refused it: fill the table by hand, or read by logical name.
        DecodeError: It is no object list.
    """
    table = current_table(context)
    value = yield from read(context, VariableName(_association(table) + OBJECT_LIST), progress)
    if isinstance(value, DataAccessResult):
        raise AccessError(
            "object_list of the current Association SN",
            value,
            "the meter does not tell base names: give them in a mapping table, or read by logical name",
        )
    finding = context.reader(b"").finding  # an error where the association is strict
    found = table.extended(ShortNameTable.from_object_list(value, finding), complete=True)
    context.set_mapper_table(found)
    return found


def read_by_logicalname(
    context: ServiceContext, attributes: Sequence[CosemAttributeDescriptor], progress: Progress = no_progress
) -> Conversation[tuple[DataValue, ...] | DataAccessResult]:
    """Read attributes without knowing any base name: a method of the current Association SN.

    Returns:
        A value for each attribute, in order; or the result with which the server refused.

    Raises:
        UnsupportedError: Read or parameterized access was not agreed on.
        ProtocolError: The answer is no array of as many values.
    """
    wanted = Array(
        Structure((LongUnsigned(each.class_id), OctetString(each.instance_id), Integer(each.attribute_id)))
        for each in attributes
    )
    name = _association(current_table(context)) + READ_BY_LOGICALNAME
    value = yield from read(context, ParameterizedAccess(name, 0, wanted), progress)
    if isinstance(value, DataAccessResult):
        return value
    if not isinstance(value, tuple) or len(value) != len(attributes):
        raise ProtocolError(f"read_by_logicalname: an array of {len(attributes)} values expected")
    return tuple(value)


def _association(table: ShortNameTable) -> int:
    """Return the base name of the current Association SN."""
    found = table.find(_ASSOCIATION_SN_CLASS, CURRENT_ASSOCIATION)
    if found is None:
        raise ConfigurationError("the mapping table does not hold the current Association SN")
    return found.base_name
