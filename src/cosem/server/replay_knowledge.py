"""What a recording tells of a meter: the outcome of each read, write and call in it, whatever service carried them.

Lists, blocks, ACCESS and short names all come down to single subjects, so that a
client which asks in other portions gets what was recorded of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import access as _access
from cosem.apdu import action as _action
from cosem.apdu import decode, encode
from cosem.apdu import get as _get
from cosem.apdu import set as _set
from cosem.apdu import variable_access as _variables
from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.codec.data import encode_data
from cosem.errors import CosemError
from cosem.types.data import ABSENT, Absent
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.transport.recording import Entry

__all__ = ["SHORT_NAMES", "Knowledge", "Subject", "refused", "request_of", "subject_of"]

Subject: TypeAlias = "tuple[str, int, bytes, int, bytes, bytes | None]"
"""Which of read, write and call; class, name and member; selection; and what was sent along, ``None`` for anything."""

SHORT_NAMES: Final = 0xFFFF
"""The class that stands for variables with short names; the name of one is its number."""
_READ, _WRITE, _CALL = "read", "write", "call"
_BLOCK: Final = 0xE0
_MOST: Final = 1 << 24
"""Octets that are joined of blocks."""
_R = DataAccessResult


def subject_of(indication: ReadAttribute | WriteAttribute | InvokeMethod) -> Subject:
    """Return what an indication is about."""
    if isinstance(indication, InvokeMethod):
        place = indication.class_id, bytes(indication.instance_id), indication.method_id
        return (_CALL, *place, b"", _octets(indication.parameters))
    place = indication.class_id, bytes(indication.instance_id), indication.attribute_id
    selection = _selection(indication.selection)
    if isinstance(indication, WriteAttribute):
        return (_WRITE, *place, selection, _octets(indication.value))
    return (_READ, *place, selection, b"")


class Knowledge:
    """The outcomes of a recording, each in its order.

    Args:
        entries: The APDUs of one connection after the other.
        plain: What was in those that are ciphered, by their places among the entries.
    """

    __slots__ = ("_outcomes",)

    def __init__(self, entries: Iterable[tuple[int, Entry]], plain: Mapping[int, bytes]) -> None:
        self._outcomes: dict[Subject, list[Any]] = {}
        listeners: dict[int, _Listener] = {}
        for place, entry in entries:
            listener = listeners.setdefault(entry.connection, _Listener(self._outcomes))
            listener.take(entry.octets, plain.get(place), sent=entry.sent, masked=bool(entry.masked))

    def __len__(self) -> int:
        return len(self._outcomes)

    def outcomes(self, subject: Subject) -> list[Any]:
        """Return the outcomes of a subject; none for what was not recorded."""
        found = self._outcomes.get(subject)
        if found is None and subject[0] != _READ:
            # What a client wrote that nobody may know is not in the recording; what came of it is.
            found = self._outcomes.get((*subject[:5], None))
        return found or []


class _Listener:
    """Follows one conversation."""

    def __init__(self, outcomes: dict[Subject, list[Any]]) -> None:
        self._outcomes = outcomes
        self._subjects: tuple[Subject, ...] = ()
        self._listed = False
        self._request: Any = None
        self._parts = {True: bytearray(), False: bytearray()}
        self._general = {True: bytearray(), False: bytearray()}
        self._hidden = False

    def take(self, octets: bytes, plain: bytes | None, *, sent: bool, masked: bool) -> None:
        """Take the next APDU; what cannot be read tells nothing."""
        try:
            if plain is None and octets[0] == _BLOCK:
                plain = self._joined(octets, sent=sent)
                if plain is None:
                    return
            apdu: Any = decode(plain or octets, findings=[])
            handler = _HANDLERS.get(type(apdu))
            if handler is not None:
                self._hidden = masked if sent else self._hidden
                handler(self, apdu)
        except CosemError:
            self._subjects = ()

    def _joined(self, octets: bytes, *, sent: bool) -> bytes | None:
        block: Any = decode(octets, findings=[])
        if not isinstance(block, GeneralBlockTransfer) or not block.block_data:
            return None
        whole = self._general[sent]
        if block.block_number <= 1:
            whole.clear()
        _collect(whole, block.block_data)
        if not block.last_block:
            return None
        joined = bytes(whole)
        whole.clear()
        return joined

    # --- requests -------------------------------------------------------------------------------------

    def _ask(self, subjects: Iterable[Subject], *, listed: bool = False) -> None:
        asked = tuple(subjects)
        if self._hidden:
            asked = tuple(each if each[0] == _READ else (*each[:5], None) for each in asked)
        self._subjects, self._listed = asked, listed
        for part in self._parts.values():
            part.clear()

    def get_normal(self, apdu: Any) -> None:
        self._ask([_reading(apdu.cosem_attribute_descriptor, apdu.access_selection)])

    def get_list(self, apdu: Any) -> None:
        listed = apdu.attribute_descriptor_list
        self._ask([_reading(i.cosem_attribute_descriptor, i.access_selection) for i in listed], listed=True)

    def set_normal(self, apdu: Any) -> None:
        self._ask([_writing(apdu.cosem_attribute_descriptor, apdu.access_selection, apdu.value)])

    def set_list(self, apdu: Any) -> None:
        items = zip(apdu.attribute_descriptor_list, apdu.value_list, strict=False)
        self._ask(
            [_writing(i.cosem_attribute_descriptor, i.access_selection, value) for i, value in items],
            listed=True,
        )

    def action_normal(self, apdu: Any) -> None:
        self._ask([_calling(apdu.cosem_method_descriptor, apdu.method_invocation_parameters)])

    def action_list(self, apdu: Any) -> None:
        items = zip(apdu.cosem_method_descriptor_list, apdu.method_invocation_parameters, strict=False)
        self._ask([_calling(each, value) for each, value in items], listed=True)

    def first_block(self, apdu: Any) -> None:
        self._ask(())
        self._request = apdu
        self.next_block(apdu)

    def next_block(self, apdu: Any) -> None:
        """Take a block of a long SET or ACTION; with the last one the request is known."""
        block = apdu.datablock if hasattr(apdu, "datablock") else apdu.pblock
        whole = self._parts[True]
        _collect(whole, block.raw_data)
        if block.last_block and self._request is not None:
            request, raw = self._request, bytes(whole)
            self._request = None
            whole.clear()
            again = decode(_whole_request(request, raw), findings=[])
            _HANDLERS[type(again)](self, again)

    def access_request(self, apdu: Any) -> None:
        values = apdu.access_request_list_of_data
        self._ask(map(_accessing, apdu.access_request_specification, values), listed=True)

    def read_request(self, apdu: Any) -> None:
        variables = apdu.variable_access_specification
        first = variables[0] if variables else None
        if isinstance(first, _variables.ReadDataBlockAccess):
            self._blocks_of_variables(b"\x05", first.raw_data, first)
        elif not isinstance(first, _variables.BlockNumberAccess):
            self._ask([_variable(_READ, each, b"") for each in variables], listed=True)

    def write_request(self, apdu: Any) -> None:
        variables, values = apdu.variable_access_specification, apdu.list_of_data
        first = variables[0] if variables else None
        if isinstance(first, _variables.WriteDataBlockAccess):
            self._blocks_of_variables(b"\x06", bytes(values[0]), first)
        else:
            items = zip(variables, values, strict=False)
            self._ask([_variable(_WRITE, each, _octets(value)) for each, value in items], listed=True)

    def _blocks_of_variables(self, tag: bytes, raw: bytes, block: Any) -> None:
        whole = self._parts[True]
        if block.block_number == 1:
            whole.clear()
        _collect(whole, raw)
        if block.last_block:
            again = decode(tag + bytes(whole), findings=[])
            _HANDLERS[type(again)](self, again)

    # --- answers --------------------------------------------------------------------------------------

    def _learn(self, outcomes: Iterable[Any]) -> None:
        for subject, outcome in zip(self._subjects, outcomes, strict=False):
            self._outcomes.setdefault(subject, []).append(outcome)
        self._subjects = ()

    def result(self, apdu: Any) -> None:
        self._learn([apdu.result])

    def results(self, apdu: Any) -> None:
        self._learn(apdu.result)

    def get_block(self, apdu: Any) -> None:
        block = apdu.result
        if isinstance(block.result, DataAccessResult):
            self._learn([block.result])
            return
        raw = self._block_of_answer(block.result, last=block.last_block)
        if raw is not None:
            kind = _get.GetResponseWithList if self._listed else _get.GetResponseNormal
            # Of a single value the blocks hold the Data, of a list everything behind the invoke-id.
            head = b"\xc4\x03\x00" if self._listed else b"\xc4\x01\x00\x00"
            apdu = decode(head + raw, findings=[])
            if isinstance(apdu, kind):
                _HANDLERS[kind](self, apdu)

    def action_block(self, apdu: Any) -> None:
        raw = self._block_of_answer(apdu.pblock.raw_data, last=apdu.pblock.last_block)
        if raw is not None:
            again = decode((b"\xc7\x03\x00" if self._listed else b"\xc7\x01\x00") + raw, findings=[])
            _HANDLERS[type(again)](self, again)

    def _block_of_answer(self, raw: bytes, *, last: bool) -> bytes | None:
        whole = self._parts[False]
        _collect(whole, raw)
        if not last:
            return None
        joined = bytes(whole)
        whole.clear()
        return joined

    def action_result(self, apdu: Any) -> None:
        self._learn([_method_outcome(apdu.single_response)])

    def action_results(self, apdu: Any) -> None:
        self._learn(map(_method_outcome, apdu.list_of_responses))

    def access_response(self, apdu: Any) -> None:
        values, results = apdu.access_response_list_of_data, apdu.access_response_specification
        self._learn(map(_access_outcome, values, results))

    def read_response(self, apdu: Any) -> None:
        first = apdu.result[0] if apdu.result else None
        if isinstance(first, _variables.DataBlockResult):
            raw = self._block_of_answer(first.raw_data, last=first.last_block)
            if raw is not None:
                self.read_response(decode(b"\x0c" + raw, findings=[]))
        elif not isinstance(first, _variables.ReceivedBlock):
            self._learn(apdu.result)

    def write_response(self, apdu: Any) -> None:
        if apdu.result and not isinstance(apdu.result[0], _variables.ReceivedBlock):
            self._learn(apdu.result)


def _collect(whole: bytearray, part: bytes) -> None:
    if len(whole) < _MOST:
        whole += part


def _octets(value: Any) -> bytes:
    return b"" if isinstance(value, Absent) or value is None else encode_data(value)


def _selection(selection: SelectiveAccessDescriptor | None) -> bytes:
    if selection is None:
        return b""
    return bytes((selection.access_selector,)) + encode_data(selection.access_parameters)


def _reading(descriptor: Any, selection: SelectiveAccessDescriptor | None) -> Subject:
    name = bytes(descriptor.instance_id)
    return _READ, descriptor.class_id, name, descriptor.attribute_id, _selection(selection), b""


def _writing(descriptor: Any, selection: SelectiveAccessDescriptor | None, value: Any) -> Subject:
    name = bytes(descriptor.instance_id)
    return _WRITE, descriptor.class_id, name, descriptor.attribute_id, _selection(selection), _octets(value)


def _calling(descriptor: Any, parameters: Any) -> Subject:
    return (
        _CALL,
        descriptor.class_id,
        bytes(descriptor.instance_id),
        descriptor.method_id,
        b"",
        _octets(parameters),
    )


def _accessing(each: Any, value: Any) -> Subject:
    if isinstance(each, _access.AccessRequestAction):
        return _calling(each.cosem_method_descriptor, value)
    selection = getattr(each, "access_selection", None)
    if isinstance(each, (_access.AccessRequestSet, _access.AccessRequestSetWithSelection)):
        return _writing(each.cosem_attribute_descriptor, selection, value)
    return _reading(each.cosem_attribute_descriptor, selection)


def _variable(what: str, each: Any, value: bytes) -> Subject:
    selection = b""
    if isinstance(each, _variables.ParameterizedAccess):
        selection = bytes((each.selector,)) + encode_data(each.parameter)
    return what, SHORT_NAMES, each.variable_name.to_bytes(6, "big"), 1, selection, value


def _method_outcome(response: Any) -> MethodOutcome:
    return MethodOutcome(response.result, response.return_parameters)


def _access_outcome(value: Any, result: Any) -> Any:
    if isinstance(result, _access.AccessResponseAction):
        return MethodOutcome(result.result, ABSENT if value is None else value)
    if isinstance(result, _access.AccessResponseGet):
        return value if result.result == _R.SUCCESS else result.result
    return result.result


def _whole_request(first: Any, raw: bytes) -> bytes:
    """Return the SET or ACTION that a first block and everything after it mean, as if there were no blocks."""
    invoke_id = first.invoke_id_and_priority
    if isinstance(first, _set.SetRequestWithFirstDatablock):
        descriptor, selection = first.cosem_attribute_descriptor, first.access_selection
        return encode(_set.SetRequestNormal(invoke_id, descriptor, selection, None))[:-1] + raw
    if isinstance(first, _set.SetRequestWithListAndFirstDatablock):
        return encode(_set.SetRequestWithList(invoke_id, first.attribute_descriptor_list, ()))[:-1] + raw
    if isinstance(first, _action.ActionRequestWithFirstPblock):
        return (
            encode(_action.ActionRequestNormal(invoke_id, first.cosem_method_descriptor))[:-1] + b"\x01" + raw
        )
    return encode(_action.ActionRequestWithList(invoke_id, first.cosem_method_descriptor_list, ()))[:-1] + raw


def request_of(subject: Subject) -> bytes:
    """Return a request that asks for one subject, to tell of it; what would be sent along is left out."""
    what, class_id, name, member, selection, _ = subject
    invoke_id = InvokeIdAndPriority.build(0)
    if class_id == SHORT_NAMES:
        variable = _variables.VariableName(int.from_bytes(name, "big"))
        if what == _WRITE:
            return encode(_variables.WriteRequest((variable,), (None,)))
        return encode(_variables.ReadRequest((variable,)))
    if what == _CALL:
        return encode(
            _action.ActionRequestNormal(invoke_id, CosemMethodDescriptor(class_id, LogicalName(name), member))
        )
    descriptor = CosemAttributeDescriptor(class_id, LogicalName(name), member)
    if what == _WRITE:
        return encode(_set.SetRequestNormal(invoke_id, descriptor, None, None))
    request = encode(_get.GetRequestNormal(invoke_id, descriptor))
    return request if not selection else request[:-1] + b"\x01" + selection


def refused(what: str, result: DataAccessResult) -> Any:
    """Return the outcome of a refused subject."""
    return MethodOutcome(ActionResult(int(result))) if what == _CALL else result


_HANDLERS: Final[Mapping[type, Callable[[_Listener, Any], None]]] = {
    _get.GetRequestNormal: _Listener.get_normal,
    _get.GetRequestWithList: _Listener.get_list,
    _get.GetResponseNormal: _Listener.result,
    _get.GetResponseWithList: _Listener.results,
    _get.GetResponseWithDatablock: _Listener.get_block,
    _set.SetRequestNormal: _Listener.set_normal,
    _set.SetRequestWithList: _Listener.set_list,
    _set.SetRequestWithFirstDatablock: _Listener.first_block,
    _set.SetRequestWithListAndFirstDatablock: _Listener.first_block,
    _set.SetRequestWithDatablock: _Listener.next_block,
    _set.SetResponseNormal: _Listener.result,
    _set.SetResponseLastDatablock: _Listener.result,
    _set.SetResponseWithList: _Listener.results,
    _set.SetResponseLastDatablockWithList: _Listener.results,
    _action.ActionRequestNormal: _Listener.action_normal,
    _action.ActionRequestWithList: _Listener.action_list,
    _action.ActionRequestWithFirstPblock: _Listener.first_block,
    _action.ActionRequestWithListAndFirstPblock: _Listener.first_block,
    _action.ActionRequestWithPblock: _Listener.next_block,
    _action.ActionResponseNormal: _Listener.action_result,
    _action.ActionResponseWithList: _Listener.action_results,
    _action.ActionResponseWithPblock: _Listener.action_block,
    _access.AccessRequest: _Listener.access_request,
    _access.AccessResponse: _Listener.access_response,
    _variables.ReadRequest: _Listener.read_request,
    _variables.ReadResponse: _Listener.read_response,
    _variables.WriteRequest: _Listener.write_request,
    _variables.WriteResponse: _Listener.write_response,
}
"""What each APDU tells."""
