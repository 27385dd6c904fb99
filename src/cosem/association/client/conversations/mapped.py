"""GET, SET and ACTION where objects have short names: the SN_MAPPER (IEC 62056-5-3, 6.16, 6.17, tables 39 to 44).

Each function has the signature and the results of its namesake in
:mod:`~cosem.association.client.conversations.get`, ``set`` and ``action``, so that a caller
need not know which names the meter has. What the mapping table does not hold
is refused with object-undefined at its place and never asked for; before that,
``object_list`` is read once, unless the table is complete already.

=========================================  ==========================================================
service                                    becomes
=========================================  ==========================================================
GET of an attribute, of a list             Read, variable-name
GET with selective access                  Read, parameterized-access
GET of attribute 0                         Read, a variable-name for each attribute of the class
SET of an attribute, of a list             Write, variable-name
SET with selective access                  Write, parameterized-access
SET of attribute 0                         Write, a variable-name for each attribute given
ACTION of a method that returns something  Read, parameterized-access with selector 0
ACTION of a method that returns nothing    Write, variable-name; Read where Write was not agreed on, or is not taken
any of them, unconfirmed                   UnconfirmedWrite
=========================================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cosem.apdu import Apdu
from cosem.apdu.action import ActionResponseWithOptionalData
from cosem.apdu.variable_access import ParameterizedAccess, VariableName
from cosem.association.client.conversations.mapper_table import current_table, mapper_table
from cosem.association.client.conversations.read import Variable, read_encoded, read_list
from cosem.association.client.conversations.refused_list import RefusedList
from cosem.association.client.conversations.write import unconfirmed_write, write_list
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.association.short_names.table import ShortNameTable
from cosem.errors import ConfigurationError, UnsupportedError
from cosem.types.data import ABSENT, Absent, Structure
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
    from cosem.association.client.conversations.get import EncodedData
    from cosem.types.data import DataValue

__all__ = [
    "action",
    "action_result",
    "action_unconfirmed",
    "action_with_list",
    "get",
    "get_encoded",
    "get_with_list",
    "is_called_by_write",
    "set_attribute",
    "set_unconfirmed",
    "set_with_list",
]

_R = DataAccessResult
_Response = ActionResponseWithOptionalData
_ACTION_RESULTS = {
    _R.LONG_SET_ABORTED: ActionResult.LONG_ACTION_ABORTED,
    _R.NO_LONG_SET_IN_PROGRESS: ActionResult.NO_LONG_ACTION_IN_PROGRESS,
}


# --- GET ----------------------------------------------------------------------------------------------


def get(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataValue | DataAccessResult]:
    """Read one attribute; attribute 0 gives a structure of all, with null-data for what was refused."""
    (value,) = yield from get_with_list(context, ((descriptor, selection),), progress)
    return value


def get_with_list(
    context: ServiceContext,
    items: Sequence[tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None]],
    progress: Progress = no_progress,
) -> Conversation[tuple[DataValue | DataAccessResult, ...]]:
    """Read several attributes in one request; a request that is too long goes in blocks."""
    table = yield from mapper_table(context, ((each.class_id, each.instance_id) for each, _ in items))
    targets = [_target(table, *item) for item in items]
    variables = [variable for target in targets for variable in target.variables]
    values: tuple[Any, ...] = ()
    if variables:
        values = yield from read_list(context, variables, progress)
    remaining = iter(values)
    got = tuple(target.value([next(remaining) for _ in target.variables]) for target in targets)
    return RefusedList(got) if isinstance(values, RefusedList) else got


def get_encoded(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
    each_block: Callable[[bytes], object] | None = None,
) -> Conversation[DataValue | DataAccessResult | EncodedData]:
    """Read one attribute; what comes in blocks is not decoded, so that long profiles need no object for each value."""
    if descriptor.attribute_id == 0:
        return (yield from get(context, descriptor, selection, progress))
    table = yield from mapper_table(context, ((descriptor.class_id, descriptor.instance_id),))
    target = _target(table, descriptor, selection)
    if target.refusal is not None:
        return target.refusal
    return (yield from read_encoded(context, target.variables[0], progress, each_block))


# --- SET ----------------------------------------------------------------------------------------------


def set_attribute(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataAccessResult]:
    """Write one attribute; attribute 0 takes a structure of all, with null-data for what stays as it is."""
    (result,) = yield from set_with_list(context, ((descriptor, selection),), (value,), progress)
    return result


def set_with_list(
    context: ServiceContext,
    items: Sequence[tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None]],
    values: Sequence[DataValue],
    progress: Progress = no_progress,
) -> Conversation[tuple[DataAccessResult, ...]]:
    """Write several attributes in one request, in blocks if it is longer than the server takes."""
    table = yield from mapper_table(context, ((each.class_id, each.instance_id) for each, _ in items))
    if len(items) != len(values):
        raise ConfigurationError(f"{len(items)} attributes and {len(values)} values")
    given = [_target(table, *item).with_value(value) for item, value in zip(items, values, strict=True)]
    variables = [variable for target, _ in given for variable in target.variables]
    written = [value for _, target_values in given for value in target_values]
    results: tuple[DataAccessResult, ...] = ()
    if variables:
        results = yield from write_list(context, variables, written, progress)
    remaining = iter(results)
    done = tuple(target.result([next(remaining) for _ in target.variables]) for target, _ in given)
    return RefusedList(done) if isinstance(results, RefusedList) else done


def set_unconfirmed(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    selection: SelectiveAccessDescriptor | None = None,
) -> Apdu:
    """Return the request that writes one attribute and asks for no answer.

    Raises:
        UnsupportedError: UnconfirmedWrite was not agreed on, or the mapping table has no such attribute.
    """
    target, values = _target(current_table(context), descriptor, selection).with_value(value)
    if target.refusal is not None:
        raise UnsupportedError(
            f"{descriptor.instance_id} attribute {descriptor.attribute_id} cannot be written by short name:"
            f" {target.refusal}"
        )
    return unconfirmed_write(context, target.variables, values)


# --- ACTION -------------------------------------------------------------------------------------------


def action(
    context: ServiceContext,
    descriptor: CosemMethodDescriptor,
    parameters: DataValue | Absent = ABSENT,
    progress: Progress = no_progress,
    *,
    by_read: bool = False,
) -> Conversation[ActionResponseWithOptionalData]:
    """Call one method; null-data goes along where there are no parameters."""
    value = None if isinstance(parameters, Absent) else parameters
    (response,) = yield from action_with_list(context, (descriptor,), (value,), progress, by_read=by_read)
    return response


def action_with_list(
    context: ServiceContext,
    descriptors: Sequence[CosemMethodDescriptor],
    parameters: Sequence[DataValue],
    progress: Progress = no_progress,
    *,
    by_read: bool = False,
) -> Conversation[tuple[ActionResponseWithOptionalData, ...]]:
    """Call several methods in one request: a Read if any of them returns something, else a Write.

    Args:
        context: The association.
        descriptors: The methods.
        parameters: What they take.
        progress: Told of the octets transferred.
        by_read: Whether it is a Read all the same: there are servers that let no method be written.
    """
    table = yield from mapper_table(context, ((each.class_id, each.instance_id) for each in descriptors))
    if len(descriptors) != len(parameters):
        raise ConfigurationError(f"{len(descriptors)} methods and {len(parameters)} parameters")
    names = [table.method(each.class_id, each.instance_id, each.method_id) for each in descriptors]
    returning = [_returns(table, each) for each in descriptors]
    known = [(name, value) for name, value in zip(names, parameters, strict=True) if name is not None]
    results: tuple[Any, ...] = ()
    if known and (any(returning) or by_read or not context.conformance & Conformance.WRITE):
        methods = [ParameterizedAccess(name, 0, value) for name, value in known]
        results = yield from read_list(context, methods, progress)
    elif known:
        written = yield from write_list(
            context, [VariableName(name) for name, _ in known], [value for _, value in known], progress
        )
        results = tuple(None if result is _R.SUCCESS else result for result in written)
    remaining = iter(results)
    return tuple(
        _Response(ActionResult.OBJECT_UNDEFINED) if name is None else _response(next(remaining), returns)
        for name, returns in zip(names, returning, strict=True)
    )


def action_unconfirmed(
    context: ServiceContext, descriptor: CosemMethodDescriptor, parameters: DataValue | Absent = ABSENT
) -> Apdu:
    """Return the request that calls one method and asks for no answer.

    Raises:
        UnsupportedError: UnconfirmedWrite was not agreed on, or the mapping table has no such method.
    """
    name = current_table(context).method(descriptor.class_id, descriptor.instance_id, descriptor.method_id)
    if name is None:
        raise UnsupportedError(
            f"{descriptor.instance_id} method {descriptor.method_id} has no short name in the mapping table"
        )
    value = None if isinstance(parameters, Absent) else parameters
    return unconfirmed_write(context, (VariableName(name),), (value,))


def is_called_by_write(context: ServiceContext, descriptor: CosemMethodDescriptor) -> bool:
    """Return whether a method is called by Write, and could be called by Read as well."""
    table, services = (
        context.short_names,
        Conformance.WRITE | Conformance.READ | Conformance.PARAMETERIZED_ACCESS,
    )
    return (
        table is not None
        and context.conformance & services == services
        and table.method(descriptor.class_id, descriptor.instance_id, descriptor.method_id) is not None
        and not _returns(table, descriptor)
    )


def action_result(result: DataAccessResult) -> ActionResult:
    """Return the Action-Result that a Data-Access-Result means; a number that has none is kept.

    >>> (
    ...     action_result(DataAccessResult.LONG_GET_ABORTED).name,
    ...     action_result(DataAccessResult.LONG_SET_ABORTED).name,
    ... )
    ('LONG_ACTION_ABORTED', 'LONG_ACTION_ABORTED')
    """
    return _ACTION_RESULTS.get(result) or ActionResult(int(result))


def _response(value: DataValue | DataAccessResult, returns: bool) -> ActionResponseWithOptionalData:
    """Return what came of a method; null-data is nothing where the class declares nothing."""
    if isinstance(value, DataAccessResult):
        return _Response(action_result(value))
    return _Response(ActionResult.SUCCESS, ABSENT if value is None and not returns else value)


def _returns(table: ShortNameTable, descriptor: CosemMethodDescriptor) -> bool:
    found = table.find(descriptor.class_id, descriptor.instance_id)
    return found is not None and descriptor.method_id in table.layout(found.class_id, found.version).returning


# --- names --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Target:
    """The variables that one attribute means: none, one, or, for attribute 0, those of all attributes."""

    variables: tuple[Variable, ...] = ()
    refusal: DataAccessResult | None = None
    whole: bool = False

    def value(self, values: list[Any]) -> DataValue | DataAccessResult:
        """Return the value of the attribute from those of its variables."""
        if self.refusal is not None:
            return self.refusal
        if not self.whole or all(isinstance(value, DataAccessResult) for value in values):
            return values[0]  # type: ignore[no-any-return]
        return Structure(None if isinstance(value, DataAccessResult) else value for value in values)

    def with_value(self, value: DataValue) -> tuple[_Target, tuple[DataValue, ...]]:
        """Return what to write with which values; null-data leaves an attribute of a whole object as it is."""
        if self.refusal is not None:
            return self, ()
        if not self.whole:
            return self, (value,)
        if not isinstance(value, Structure) or len(value) != len(self.variables):
            return _Target(refusal=_R.TYPE_UNMATCHED), ()
        given = [pair for pair in zip(self.variables, value, strict=True) if pair[1] is not None]
        return _Target(tuple(each for each, _ in given), whole=True), tuple(each for _, each in given)

    def result(self, results: list[DataAccessResult]) -> DataAccessResult:
        """Return how writing went: the first refusal, if there is one."""
        if self.refusal is not None:
            return self.refusal
        return next((result for result in results if result is not _R.SUCCESS), _R.SUCCESS)


def _target(
    table: ShortNameTable,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None,
) -> _Target:
    found = table.find(descriptor.class_id, descriptor.instance_id)
    if descriptor.attribute_id == 0 and found is not None:
        layout = table.layout(found.class_id, found.version)
        if selection is not None or layout.open_ended:
            return _Target(refusal=_R.OTHER_REASON)
        names = (found.base_name + layout.attributes[number] for number in sorted(layout.attributes))
        return _Target(tuple(VariableName(name) for name in names), whole=True)
    name = table.attribute(descriptor.class_id, descriptor.instance_id, descriptor.attribute_id)
    if name is None:
        return _Target(refusal=_R.OBJECT_UNDEFINED)
    if selection is None:
        return _Target((VariableName(name),))
    return _Target((ParameterizedAccess(name, selection.access_selector, selection.access_parameters),))
