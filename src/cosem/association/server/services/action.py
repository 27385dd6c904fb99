"""ACTION at the server: one method, a list, either direction in blocks (IEC 62056-5-3, 7.3.5, figures 20 and 21).

A method is called once, after the last block of its parameters. While the HLS
passes are pending, reply_to_HLS_authentication is the only method there is.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import encode
from cosem.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    ActionResponseWithPblock,
)
from cosem.apdu.common import CosemMethodDescriptor, DataBlockSA
from cosem.association.blocks import room_for
from cosem.association.server.association import ServerAssociation, Service
from cosem.association.server.indications import Fault, Indication, InvokeMethod, MethodOutcome
from cosem.association.server.opening import reply_to_hls
from cosem.association.server.refusals import NOT_ALLOWED, NOT_SUPPORTED, TOO_LONG
from cosem.association.server.room import has_room, longest_answer
from cosem.association.server.services.set import read_list
from cosem.association.server.transfers import Collection, Delivery
from cosem.codec.axdr import encoded_length_size
from cosem.codec.data import decode_data
from cosem.codec.sequence import codec_of
from cosem.errors import ConfigurationError, DecodeError, EncodeError, LimitError, ProtocolError
from cosem.types.data import OctetString
from cosem.types.enumerations import ActionResult, AuthenticationMechanism, Conformance, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.types.data import Absent, DataValue

__all__ = ["action", "invoke_method"]

_Response: TypeAlias = ActionResponseWithOptionalData
_R = ActionResult

_ASSOCIATION_LN: Final = 15
_CURRENT_ASSOCIATION: Final = LogicalName("0.0.40.0.0.255")
_REPLY_TO_HLS: Final = 1
_PBLOCK: Final = 8
"""Octets of action-response-with-pblock besides the raw data and its length."""
_HEAD: Final = 3
"""Octets of action-response-normal and -with-list before the response or the count."""
_LEAST: Final = _HEAD + 4
"""Octets of action-response-normal with a result, and with one in place of what is returned."""


def action(association: ServerAssociation, request: Any, now: float) -> Service:
    """Run an ACTION request of any type."""
    if association.pending_until is not None:
        return (yield from _authenticate(association, request))
    if not association.agreed(Conformance.ACTION):
        return NOT_SUPPORTED
    invoke_id: InvokeIdAndPriority = request.invoke_id_and_priority
    answers = association.answers(invoke_id)
    if isinstance(request, ActionRequestNextPblock):
        return _next(association, request, now) if answers else None
    if isinstance(request, ActionRequestWithPblock):
        return (yield from _further_block(association, request, now)) if answers else None
    association.transfers.drop(invoke_id.invoke_id)
    if not association.executes(invoke_id):
        return None
    if isinstance(request, ActionRequestNormal):
        if answers and not has_room(association, _LEAST):
            return TOO_LONG
        response = yield from invoke_method(
            association, request.cosem_method_descriptor, request.method_invocation_parameters
        )
        return _single_answer(association, invoke_id, response, now) if answers else None
    if isinstance(request, ActionRequestWithList):
        methods = request.cosem_method_descriptor_list
        if answers and not _room_for_results(association, len(methods)):
            return TOO_LONG
        responses = yield from _invoke_all(association, methods, request.method_invocation_parameters)
        return _list_answer(association, invoke_id, responses, now) if answers else None
    return (yield from _first_block(association, request, now)) if answers else None


def _authenticate(association: ServerAssociation, request: Any) -> Service:
    """Run HLS passes 3 and 4; nothing else is allowed before they are done."""
    if (
        not isinstance(request, ActionRequestNormal)
        or request.cosem_method_descriptor.class_id != _ASSOCIATION_LN
        or request.cosem_method_descriptor.instance_id != _CURRENT_ASSOCIATION
        or request.cosem_method_descriptor.method_id != _REPLY_TO_HLS
    ):
        return NOT_ALLOWED
    invoke_id = request.invoke_id_and_priority
    proof = yield from reply_to_hls(association, request.method_invocation_parameters)
    if proof is None:
        return encode(ActionResponseNormal(invoke_id, _Response(_R.READ_WRITE_DENIED)))
    return encode(ActionResponseNormal(invoke_id, _Response(_R.SUCCESS, OctetString(proof))))


def invoke_method(
    association: ServerAssociation, method: CosemMethodDescriptor, parameters: DataValue | Absent
) -> Generator[Indication, Any, _Response]:
    """Ask the application process to call one method."""
    if method.class_id == _ASSOCIATION_LN and method.method_id == _REPLY_TO_HLS:
        profile = association.profile
        if profile is not None and profile.mechanism > AuthenticationMechanism.LLS:
            return _Response(_R.READ_WRITE_DENIED)  # pass 3 a second time, or that of another association
    subject = InvokeMethod(method.class_id, method.instance_id, method.method_id, parameters)
    outcome: MethodOutcome = yield subject
    response = _Response(outcome.result, outcome.return_parameters)
    try:
        codec_of(_Response).write(bytearray(), response)
    except EncodeError as error:
        yield Fault(subject, error)
        return _Response(_R.OTHER_REASON)
    return response


def _invoke_all(
    association: ServerAssociation,
    methods: tuple[CosemMethodDescriptor, ...],
    parameters: tuple[DataValue, ...],
) -> Generator[Indication, Any, tuple[_Response, ...]]:
    if not association.agreed(Conformance.MULTIPLE_REFERENCES):
        return (_Response(_R.OTHER_REASON),) * len(methods)
    if len(methods) != len(parameters):
        return (_Response(_R.TYPE_UNMATCHED),) * len(methods)
    responses = []
    for method, each in zip(methods, parameters, strict=True):
        responses.append((yield from invoke_method(association, method, each)))
    return tuple(responses)


def _room_for_results(association: ServerAssociation, methods: int) -> bool:
    """Return whether at least the results of a list can be given, before any method is called."""
    least = _HEAD + encoded_length_size(methods) + 2 * methods
    blocks = association.agreed(Conformance.BLOCK_TRANSFER_WITH_ACTION)
    return has_room(association, min(least, _PBLOCK + 2) if blocks else least)


# --- answers -----------------------------------------------------------------------------------------


def _single_answer(
    association: ServerAssociation, invoke_id: InvokeIdAndPriority, response: _Response, now: float
) -> bytes:
    octets = encode(ActionResponseNormal(invoke_id, response))
    # The method was called, whatever becomes of what it returns.
    refused = encode(
        ActionResponseNormal(invoke_id, _Response(response.result, DataAccessResult.OTHER_REASON))
    )
    return _in_blocks_if_long(association, invoke_id, octets, refused, now)


def _list_answer(
    association: ServerAssociation,
    invoke_id: InvokeIdAndPriority,
    responses: tuple[_Response, ...],
    now: float,
) -> bytes:
    octets = encode(ActionResponseWithList(invoke_id, responses))
    results = tuple(_Response(response.result) for response in responses)
    refused = encode(ActionResponseWithList(invoke_id, results))
    return _in_blocks_if_long(association, invoke_id, octets, refused, now)


def _in_blocks_if_long(
    association: ServerAssociation, invoke_id: InvokeIdAndPriority, octets: bytes, refused: bytes, now: float
) -> bytes:
    """Return the answer, its first block, or, where blocks were not agreed on, one without what is too long."""
    limit = association.max_answer_size
    if not limit or len(octets) <= limit:
        return octets if len(octets) <= longest_answer(association) else refused
    if not association.agreed(Conformance.BLOCK_TRANSFER_WITH_ACTION):
        return (
            octets if len(octets) <= longest_answer(association) else refused
        )  # goes in general blocks, or not
    if len(octets) > association.limits.answer:
        return refused
    try:
        room = room_for(limit, _PBLOCK)
    except ConfigurationError:  # not one octet
        return refused
    delivery = Delivery(octets[_HEAD:], room, action=True)
    association.transfers.begin(invoke_id.invoke_id, delivery, now)
    return encode(ActionResponseWithPblock(invoke_id, DataBlockSA(*delivery.next_block())))


def _next(association: ServerAssociation, request: ActionRequestNextPblock, now: float) -> bytes:
    invoke_id = request.invoke_id_and_priority
    delivery = association.transfers.delivery(invoke_id.invoke_id, now, action=True)
    if delivery is None:
        return _failed(invoke_id, _R.NO_LONG_ACTION_IN_PROGRESS)
    repeats = association.profile is not None and association.profile.repeat_blocks
    if request.block_number == delivery.number:
        if delivery.ended:
            association.transfers.drop(invoke_id.invoke_id)
            return _failed(invoke_id, _R.NO_LONG_ACTION_IN_PROGRESS)
        block = delivery.next_block()
    elif repeats and request.block_number == delivery.number - 1:
        block = delivery.block()
    else:
        association.transfers.drop(invoke_id.invoke_id)
        return _failed(invoke_id, _R.LONG_ACTION_ABORTED)
    if block[0] and not repeats:
        association.transfers.drop(invoke_id.invoke_id)
    return encode(ActionResponseWithPblock(invoke_id, DataBlockSA(*block)))


def _failed(invoke_id: InvokeIdAndPriority, result: ActionResult) -> bytes:
    return encode(ActionResponseNormal(invoke_id, _Response(result)))


# --- parameters in blocks ----------------------------------------------------------------------------


def _first_block(
    association: ServerAssociation,
    request: ActionRequestWithFirstPblock | ActionRequestWithListAndFirstPblock,
    now: float,
) -> Service:
    invoke_id = request.invoke_id_and_priority
    if isinstance(request, ActionRequestWithFirstPblock):
        collection = Collection(association.limits, methods=(request.cosem_method_descriptor,))
    else:
        methods = request.cosem_method_descriptor_list
        collection = Collection(association.limits, methods=methods, listed=True)
    if not association.agreed(Conformance.BLOCK_TRANSFER_WITH_ACTION) or not collection.methods:
        return _failed(invoke_id, _R.OTHER_REASON)
    association.transfers.begin(invoke_id.invoke_id, collection, now)
    return (yield from _take(association, invoke_id, collection, request.pblock, now))


def _further_block(association: ServerAssociation, request: ActionRequestWithPblock, now: float) -> Service:
    invoke_id = request.invoke_id_and_priority
    collection = association.transfers.collection(invoke_id.invoke_id, now, action=True)
    if collection is None:
        return _failed(invoke_id, _R.NO_LONG_ACTION_IN_PROGRESS)
    return (yield from _take(association, invoke_id, collection, request.pblock, now))


def _take(
    association: ServerAssociation,
    invoke_id: InvokeIdAndPriority,
    collection: Collection,
    block: DataBlockSA,
    now: float,
) -> Service:
    """Take a block, and call the method when it was the last."""
    number = block.block_number
    try:
        association.transfers.check_room(len(block.raw_data))
        collection.add(number, block.raw_data)
    except (LimitError, ProtocolError):
        association.transfers.drop(invoke_id.invoke_id)
        return _failed(invoke_id, _R.LONG_ACTION_ABORTED)
    if not block.last_block:
        return encode(ActionResponseNextPblock(invoke_id, number))
    association.transfers.drop(invoke_id.invoke_id)
    octets = collection.joined()
    try:
        values = read_list(octets) if collection.listed else (decode_data(octets, findings=[]),)
    except DecodeError:
        return _failed(invoke_id, _R.TYPE_UNMATCHED)
    if collection.listed:
        if not _room_for_results(association, len(collection.methods)):
            return TOO_LONG
        responses = yield from _invoke_all(association, collection.methods, values)
        return _list_answer(association, invoke_id, responses, now)
    if not has_room(association, _LEAST):
        return TOO_LONG
    response = yield from invoke_method(association, collection.methods[0], values[0])
    return _single_answer(association, invoke_id, response, now)
