"""What short names mean at the server: variables become attributes and methods (IEC 62056-5-3, 6.17).

The Read, Write and UnconfirmedWrite services ask here for one variable each; the
application process sees the same indications as with logical names.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import encode
from cosem.apdu.common import SelectiveAccessDescriptor
from cosem.apdu.failure import ConfirmedServiceError
from cosem.apdu.variable_access import ParameterizedAccess, VariableName
from cosem.association.server.indications import (
    Indication,
    InvokeMethod,
    MethodOutcome,
    ReadAttribute,
    WriteAttribute,
)
from cosem.association.short_names.layout import ASSOCIATION_SN, REPLY_TO_HLS, MemberKind
from cosem.types.data import ABSENT, Absent
from cosem.types.enumerations import (
    AuthenticationMechanism,
    ConfirmedServiceErrorChoice,
    Conformance,
    DataAccessResult,
    ServiceErrorGroup,
)

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.association.short_names.table import ShortNameMember
    from cosem.types.data import DataValue

__all__ = [
    "LONG_READ",
    "LONG_WRITE",
    "REPLY_TO_HLS_NAME",
    "Variable",
    "drop_transfers",
    "error_of_service",
    "listed",
    "read_variable",
    "write_variable",
]

_R = DataAccessResult
Variable: TypeAlias = VariableName | ParameterizedAccess
"""What may be listed."""
_Subject: TypeAlias = ReadAttribute | InvokeMethod
_Read: TypeAlias = "tuple[DataValue | DataAccessResult, _Subject | None]"

LONG_READ: Final = 0
"""Where the transfers of an association hold a long Read: short names have no invoke-ids."""
LONG_WRITE: Final = 1
"""Where they hold a long Write."""
_SELECTORS_OF_METHODS: Final = frozenset({0, 1})
"""A method has no selections: 0, and what some clients send in its place."""
REPLY_TO_HLS_NAME: Final = ASSOCIATION_SN + REPLY_TO_HLS
"""Short name of the method that carries HLS passes 3 and 4."""


def error_of_service(service: ConfirmedServiceErrorChoice, error: int) -> bytes:
    """Return a confirmedServiceError of the group service: 0 other, 1 pdu-size, 2 service-unsupported."""
    return encode(ConfirmedServiceError(service, ServiceErrorGroup.SERVICE, error))


def drop_transfers(association: ServerAssociation) -> None:
    """End what is under way: with short names there is one request at a time."""
    association.transfers.drop(LONG_READ)
    association.transfers.drop(LONG_WRITE)


def listed(variables: Sequence[object]) -> tuple[Variable, ...] | None:
    """Return the variables of a request, or ``None`` if there is a block among them: blocks stand alone."""
    found = tuple(each for each in variables if isinstance(each, (VariableName, ParameterizedAccess)))
    return found if len(found) == len(variables) else None


def read_variable(association: ServerAssociation, variable: Variable) -> Generator[Indication, Any, _Read]:
    """Ask the application process for what one variable of a Read means.

    Returns:
        The value or why there is none, and what was asked of the application process.
    """
    parameterized = isinstance(variable, ParameterizedAccess)
    if parameterized and not association.agreed(Conformance.PARAMETERIZED_ACCESS):
        return _R.OTHER_REASON, None
    member = association.short_names.member(variable.variable_name)
    if member is None:
        return _R.OBJECT_UNDEFINED, None
    if member.kind is MemberKind.ATTRIBUTE:
        selection = None
        if isinstance(variable, ParameterizedAccess):
            selection = SelectiveAccessDescriptor(variable.selector, variable.parameter)
        subject = ReadAttribute(member.class_id, member.logical_name, member.number, selection)
        value: DataValue | DataAccessResult = yield subject
        return (_R.OTHER_REASON if value is _R.SUCCESS else value), subject
    if not isinstance(variable, ParameterizedAccess):
        return _R.READ_WRITE_DENIED, None  # a method must be called, it cannot be looked at
    if variable.selector not in _SELECTORS_OF_METHODS:
        return _R.TYPE_UNMATCHED, None
    return (yield from _invoke(association, variable.variable_name, member, variable.parameter))


def write_variable(
    association: ServerAssociation, variable: Variable, value: DataValue
) -> Generator[Indication, Any, DataAccessResult]:
    """Ask the application process to write, or to call, what one variable of a Write means."""
    selection = None
    if isinstance(variable, ParameterizedAccess):
        if not association.agreed(Conformance.PARAMETERIZED_ACCESS):
            return _R.OTHER_REASON
        selection = SelectiveAccessDescriptor(variable.selector, variable.parameter)
    member = association.short_names.member(variable.variable_name)
    if member is None:
        return _R.OBJECT_UNDEFINED
    if member.kind is MemberKind.ATTRIBUTE:
        result: DataAccessResult = yield WriteAttribute(
            member.class_id, member.logical_name, member.number, value, selection
        )
        return result
    if selection is not None:
        return _R.TYPE_UNMATCHED  # the parameter of a method is the value
    returned, _ = yield from _invoke(association, variable.variable_name, member, value)
    return returned if isinstance(returned, DataAccessResult) else _R.SUCCESS


def _invoke(
    association: ServerAssociation, short_name: int, member: ShortNameMember, parameter: DataValue
) -> Generator[Indication, Any, _Read]:
    """Ask the application process to call one method; null-data is no parameter."""
    profile = association.profile
    hls = profile is not None and profile.mechanism > AuthenticationMechanism.LLS
    if hls and short_name == REPLY_TO_HLS_NAME:
        return _R.READ_WRITE_DENIED, None  # pass 3 a second time
    subject = InvokeMethod(
        member.class_id, member.logical_name, member.number, ABSENT if parameter is None else parameter
    )
    outcome: MethodOutcome = yield subject
    if outcome.result:
        return DataAccessResult(int(outcome.result)), subject
    returned = outcome.return_parameters
    if isinstance(returned, Absent) or returned is _R.SUCCESS:
        return None, subject
    return returned, subject
