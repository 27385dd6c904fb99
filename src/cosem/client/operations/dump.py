"""Taking down a whole meter: every object with its rights, and every attribute that can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.classes.meter_record import MeterRecord, ObjectRights, RecordedAssociation, RecordedObject
from cosem.classes.standard.access_rights import AccessMode
from cosem.client.operations.attributes import get, get_many
from cosem.client.operations.objects import CURRENT_ASSOCIATION, objects
from cosem.client.session import Session
from cosem.errors import AccessError, ConversionError, CosemError, LinkError, ServiceError
from cosem.types.data import DoubleLongUnsigned
from cosem.types.date_time import DateTime
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.client.parameters import AssociationParameters, NegotiatedContext
    from cosem.client.results import ObjectEntry
    from cosem.types.data import DataValue

__all__ = ["dump"]

_ASSOCIATION_SN, _ASSOCIATION_LN, _PROFILE, _CLOCK = 12, 15, 7, 8
_BUFFER: Final = 2
_DATA: Final = 1
_PUBLIC_CLIENT: Final = 16
_COUNTER_SHOWN: Final = ObjectRights({1: AccessMode.READ, 2: AccessMode.READ})
_DEVICE_NAME: Final = LogicalName("0.0.42.0.0.255")
_BATCH: Final = 24
"""So many attributes are asked for in one go."""
_SHOWN_ELSEWHERE: Final = {_ASSOCIATION_LN: frozenset({2}), _ASSOCIATION_SN: frozenset({2, 3})}
"""Attributes of the current association that the objects and their rights say already."""
_SECRET: Final = {_ASSOCIATION_LN: frozenset({7})}
"""Attributes with secrets: they are not even asked for."""
_FOR_PASSWORD: Final = "env:COSEM_PASSWORD"  # noqa: S105 -- the name of a variable, not a password
_MODES: Final = {
    "read": AccessMode.READ,
    "call": AccessMode.READ,
    "write": AccessMode.WRITE,
    "authenticated": AccessMode.AUTHENTICATED_REQUEST,
    **{
        str(mode.name).lower().replace("_", "-"): mode
        for mode in AccessMode
        if mode > AccessMode.WRITE and mode.name is not None
    },
}


def dump(
    context: ServiceContext,
    session: Session,
    parameters: AssociationParameters,
    negotiated: NegotiatedContext,
    *,
    buffers: bool = True,
    only: Callable[[ObjectEntry], bool] = lambda _: True,
    progress: Progress = no_progress,
    step: Callable[[int, int], None] = lambda _done, _all: None,
) -> Conversation[MeterRecord]:
    """Take down the logical device of the association, as this client sees it.

    Args:
        context: The association.
        session: What is known of the meter.
        parameters: What was asked for when the association was opened.
        negotiated: What was agreed on.
        buffers: Whether the buffers of profiles are read, which takes by far the longest.
        only: Chooses objects.
        progress: Told of the octets of each long value.
        step: Told of how many attributes there are, and how many were read.

    Raises:
        AccessError: The meter refused its object list.
        LinkError: The connection was lost.
    """
    entries = yield from objects(context, session, progress=progress)
    chosen = [entry for entry in entries if only(entry)]
    wanted = [(entry, number) for entry in chosen for number in _readable(entry, buffers=buffers)]
    outcomes: dict[tuple[int, bytes, int], DataValue | DataAccessResult] = {}
    for part in _parts(wanted):
        values = yield from _read(context, session, part, progress)
        for (entry, number), value in zip(part, values, strict=True):
            outcomes[entry.class_id, entry.logical_name, number] = value
        step(len(outcomes), len(wanted))
    recorded = [_recorded(entry, outcomes, wanted=_readable(entry, buffers=buffers)) for entry in chosen]
    current = [each for each in recorded if _is_current(each)]
    name = outcomes.get((1, _DEVICE_NAME, 2))
    record = MeterRecord(
        bytes(name)[:16] if isinstance(name, bytes) and name else b"COS0000000000000",
        parameters.server_sap,
        tuple(each for each in recorded if not _is_current(each)),
        (_association(parameters, negotiated, context, current[0] if current else None),),
        behaves=False,
        time=_time(recorded),
    )
    ciphers = parameters.application_context.ciphered
    return _with_public_client(record) if ciphers and parameters.client_sap != _PUBLIC_CLIENT else record


def _with_public_client(record: MeterRecord) -> MeterRecord:
    """Return a meter that shows the public client the invocation counter that it has seen, and nothing else.

    Clients that cipher ask for it there before they open their association.
    """
    from cosem.client.security_base import INVOCATION_COUNTER

    (association,) = record.associations
    short = association.context.short_names
    client = association.client
    made: list[RecordedObject] = []
    shown = False
    for each in record.objects:
        rights: dict[int | None, ObjectRights] = {client: each.rights[None]} if each.rights else {}
        if each.class_id == _DATA and each.logical_name == INVOCATION_COUNTER:
            shown = True
            rights = {client: _COUNTER_SHOWN, **rights, _PUBLIC_CLIENT: _COUNTER_SHOWN}
            made.append(replace(_counted(each), rights=rights))
        else:
            made.append(replace(each, rights=rights))
    if not shown and not short:  # this client does not see it
        hidden = RecordedObject(_DATA, INVOCATION_COUNTER, rights={_PUBLIC_CLIENT: _COUNTER_SHOWN})
        made.append(_counted(hidden))
    public = RecordedAssociation(
        _PUBLIC_CLIENT,
        ApplicationContext.SN if short else ApplicationContext.LN,
        max_pdu_size=association.max_pdu_size,
        rights="nothing",
    )
    return replace(record, objects=tuple(made), associations=(association, public))


def _counted(each: RecordedObject) -> RecordedObject:
    """Return the object of the invocation counter, which goes on counting when the meter is served."""
    values = each.values if 2 in each.values else {**each.values, 2: DoubleLongUnsigned(0)}
    refusals = {number: why for number, why in each.refusals.items() if number != 2}
    return replace(each, values=values, refusals=refusals, sources={"value": "invocation-counter"})


def _is_current(each: RecordedObject) -> bool:
    return each.logical_name == CURRENT_ASSOCIATION and each.class_id in (_ASSOCIATION_SN, _ASSOCIATION_LN)


def _readable(entry: ObjectEntry, *, buffers: bool) -> list[int]:
    """Return the attributes to read: those with the right, or all that the class has where rights are not told."""
    numbers: Iterable[int]
    if entry.attribute_rights:
        numbers = [number for number in entry.attribute_rights if entry.readable(number)]
    else:
        from cosem.classes.registry import class_of

        declared = class_of(entry.class_id, entry.version)
        numbers = [2] if declared is None else [each.number for each in declared.attributes]
    left_out = _SECRET.get(entry.class_id, frozenset()) | {1}
    if entry.logical_name == CURRENT_ASSOCIATION:
        left_out |= _SHOWN_ELSEWHERE.get(entry.class_id, frozenset())
    if entry.class_id == _PROFILE and not buffers:
        left_out |= {_BUFFER}
    return [number for number in numbers if number not in left_out]


def _parts(wanted: list[tuple[ObjectEntry, int]]) -> Iterator[list[tuple[ObjectEntry, int]]]:
    """Return what is read in one go: a buffer alone, of the others several."""
    part: list[tuple[ObjectEntry, int]] = []
    for entry, number in wanted:
        if entry.class_id == _PROFILE and number == _BUFFER:
            yield [(entry, number)]
            continue
        part.append((entry, number))
        if len(part) == _BATCH:
            yield part
            part = []
    if part:
        yield part


def _read(
    context: ServiceContext, session: Session, part: list[tuple[ObjectEntry, int]], progress: Progress
) -> Conversation[list[DataValue | DataAccessResult]]:
    """Read attributes; one that is refused, or that cannot be understood, stops no other."""
    if len(part) > 1:
        try:
            results = yield from get_many(
                context, session, [(entry, number, entry.class_id) for entry, number in part]
            )
        except LinkError:
            raise
        except CosemError:
            results = []  # one by one, then
        if results and not any(isinstance(each.error, LinkError) for each in results):
            for each in results:
                if isinstance(each.error, ServiceError):
                    session.findings.append(
                        f"dump: {each.logical_name} attribute {each.number}: {each.error}"
                    )
            return [each.value if each.ok else _result(each.error) for each in results]
    values: list[Any] = []
    for entry, number in part:
        try:
            values.append(
                (yield from get(context, session, entry, number, entry.class_id, progress=progress))
            )
        except LinkError:
            raise
        except CosemError as error:
            session.findings.append(f"dump: {entry.logical_name} attribute {number}: {error}")
            values.append(_result(error))
    return values


def _result(error: CosemError | None) -> DataAccessResult:
    return (
        DataAccessResult(int(error.result))
        if isinstance(error, AccessError)
        else DataAccessResult.OTHER_REASON
    )


def _recorded(
    entry: ObjectEntry, outcomes: dict[tuple[int, bytes, int], Any], wanted: list[int]
) -> RecordedObject:
    found = {number: outcomes[entry.class_id, entry.logical_name, number] for number in wanted}
    rights = ObjectRights(
        {number: _mode(words) for number, words in entry.attribute_rights.items()},
        {number: _mode(words) for number, words in entry.method_rights.items()},
    )
    listed = entry.attribute_rights or entry.method_rights
    return RecordedObject(
        entry.class_id,
        entry.logical_name,
        entry.version,
        {n: value for n, value in found.items() if not isinstance(value, DataAccessResult)},
        {n: value for n, value in found.items() if isinstance(value, DataAccessResult)},
        {None: rights} if listed else {},
        entry.access_selectors,
        entry.base_name,
        comment=entry.name,
    )


def _mode(words: str) -> AccessMode:
    """Return the access mode that the words of the object list mean."""
    mode = AccessMode.NO_ACCESS
    for word in words.split():
        mode |= _MODES.get(word, AccessMode.NO_ACCESS)
    return mode


def _association(
    parameters: AssociationParameters,
    negotiated: NegotiatedContext,
    context: ServiceContext,
    current: RecordedObject | None,
) -> RecordedAssociation:
    """Return the association; where its secrets are to be found, but never the secrets."""
    uses_secret = parameters.mechanism in (
        AuthenticationMechanism.LLS,
        AuthenticationMechanism.HLS_MD5,
        AuthenticationMechanism.HLS_SHA1,
        AuthenticationMechanism.HLS_SHA256,
    )
    return RecordedAssociation(
        parameters.client_sap,
        parameters.application_context,
        parameters.mechanism,
        context.conformance,
        negotiated.server_max_receive_pdu_size,
        None if current is None else current.version,
        "nothing" if current is not None and current.rights else "read",
        _FOR_PASSWORD if uses_secret else None,
        values={} if current is None else current.values,
        own_rights=None if current is None else current.rights.get(None),
    )


def _time(recorded: list[RecordedObject]) -> datetime | None:
    """Return the moment that the clock of the meter showed."""
    for each in recorded:
        value = each.values.get(2) if each.class_id == _CLOCK else None
        try:
            moment = DateTime(bytes(value)).to_datetime() if isinstance(value, bytes) else None
            if isinstance(value, DateTime):
                moment = value.to_datetime()
        except (ConversionError, ValueError):
            continue
        if moment is not None and moment.tzinfo is not None:
            return moment
    return None
