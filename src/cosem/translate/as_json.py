"""APDUs and Data as objects that JSON can hold, and back.

The object is the ASN.1 in another dress: an APDU is an object with one member,
its name; a SEQUENCE is an object, a SEQUENCE OF a list, a CHOICE an object with
one member, its alternative. What is OPTIONAL and absent is left out. Octets are
hexadecimal, codes have their names, logical names are dotted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from cosem.apdu.acse_fields import Acse, AuthenticationValue
from cosem.apdu.ciphered import CIPHERED_NAMES, CipheredApdu
from cosem.apdu.failure import ConfirmedServiceError
from cosem.codec.sequence import Nested
from cosem.codec.wires import Choice, Optional, OptionalData, SequenceOf, Wire, data_wire
from cosem.errors import ConversionError, EncodeError
from cosem.translate.acse_words import (
    CODES,
    NAMES,
    diagnostic_from_words,
    diagnostic_words,
    name_from_text,
    name_text,
)
from cosem.translate.data_json import data_from_json, data_to_json
from cosem.translate.fields import (
    apdu_classes,
    apdu_name,
    choice_name,
    choice_number,
    components_of,
    enumerated,
    group_number,
    kind_of,
    logical_name_of,
    octets_of,
    same_name,
)
from cosem.types.data import ABSENT, BitString
from cosem.types.enumerations import Conformance, DataAccessResult, service_error_name
from cosem.types.logical_name import LogicalName

__all__ = ["apdu_from_json", "apdu_to_json", "data_from_json", "data_to_json"]

_CIPHERED_TAGS = {name: tag for tag, name in CIPHERED_NAMES.items()}


def apdu_to_json(apdu: Any) -> dict[str, Any]:
    """Return an APDU as an object with one member, named after it.

    Raises:
        EncodeError: It is no APDU, or a value in it is of no COSEM type.

    >>> from cosem.apdu import decode
    >>> apdu_to_json(decode(bytes.fromhex("C501C103")))
    {'set-response-normal': {'invoke-id-and-priority': 193, 'result': 'read-write-denied'}}
    """
    if isinstance(apdu, CipheredApdu):
        return {apdu.name: apdu.content.hex().upper()}
    name = apdu_name(type(apdu))
    if isinstance(apdu, Acse):
        return {name: _acse_to_json(apdu)}
    if isinstance(apdu, ConfirmedServiceError):
        error = service_error_name(apdu.error_group, apdu.error)
        return {name: {choice_name(apdu.service): {str(apdu.error_group): error}}}
    return {name: _sequence_to_json(apdu)}


def _sequence_to_json(value: Any) -> dict[str, Any]:
    content = {}
    for component in components_of(value.__class__):
        member = getattr(value, component.attribute)
        if member is ABSENT or (member is None and component.default is None):
            continue
        content[component.name] = _to_json(component.wire, member)
    return content


def _to_json(wire: Wire, value: Any) -> Any:
    """Return a value of this layout."""
    if isinstance(wire, (Optional, OptionalData)):
        return _to_json(wire.inner, value)
    if wire is data_wire:
        return data_to_json(value)
    if isinstance(wire, SequenceOf):
        return [_to_json(wire.inner, element) for element in value]
    if isinstance(wire, Choice):
        chosen = wire.select(value)
        if chosen.name == "success":
            return {chosen.name: None}
        content = _to_json(chosen.wire, value)
        return content if same_name(chosen) else {chosen.name: content}
    if isinstance(wire, Nested):
        return _sequence_to_json(value)
    return _leaf_to_json(value)


def _leaf_to_json(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, Conformance):
        return list(value.names())
    if isinstance(value, IntEnum):
        return int(value) if value.name.startswith("UNKNOWN_") else str(value)
    if isinstance(value, LogicalName):
        return str(value)
    return value.hex().upper() if isinstance(value, bytes) else int(value)


def _acse_to_json(apdu: Acse) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for _, name, _, _ in apdu.layout:
        value = getattr(apdu, name)
        if value is None:
            continue
        if name in NAMES:
            said: Any = name_text(value)
        elif name == "result_source_diagnostic":
            source, word = diagnostic_words(value)
            said = {source: word if not word.startswith("unknown-") else int(value)}
        elif isinstance(value, AuthenticationValue):
            said = {"choice": f"{value.choice:02X}", "octets": value.octets.hex().upper()}
        else:
            said = str(value) if isinstance(value, BitString) else _leaf_to_json(value)
        content[name.replace("_", "-")] = said
    return content


def apdu_from_json(value: Any) -> Any:
    """Return the APDU that :func:`apdu_to_json` made this object of.

    Raises:
        EncodeError: It is no such object; the path says where.

    >>> apdu_from_json({"get-request-next": {"invoke-id-and-priority": 193, "block-number": 1}})
    GetRequestNext(invoke_id_and_priority=InvokeIdAndPriority(0xC1), block_number=1)
    """
    name, content = _only_member(value, "an APDU")
    try:
        if name in _CIPHERED_TAGS:
            return CipheredApdu(_CIPHERED_TAGS[name], octets_of(content))
        cls = apdu_classes().get(name)
        if cls is None:
            raise EncodeError("no APDU has this name")
        if issubclass(cls, Acse):
            return _acse_from_json(cls, content)
        if cls is ConfirmedServiceError:
            return _service_error_from_json(content)
        return _sequence_from_json(cls, content)
    except (EncodeError, ConversionError) as error:
        raise _at(name, error) from None


def _at(name: str, error: EncodeError | ConversionError) -> EncodeError:
    """Return the error with the place where it happened in front of its path."""
    problem = getattr(error, "problem", str(error))
    path = getattr(error, "path", "")
    separator = "" if not path or path.startswith("[") else "."
    return EncodeError(problem, f"{name}{separator}{path}")


def _only_member(value: Any, what: str) -> tuple[str, Any]:
    if not isinstance(value, dict) or len(value) != 1:
        raise EncodeError(f"{what} is an object with one member")
    ((name, content),) = value.items()
    return str(name), content


def _members(value: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EncodeError("an object is wanted")
    for name in value:
        if name not in known:
            raise EncodeError("there is no such component", str(name))
    return value


def _sequence_from_json(cls: Any, content: Any) -> Any:
    components = components_of(cls)
    members = _members(content, {component.name for component in components})
    values = []
    for component in components:
        if component.name not in members:
            if component.default is ...:
                raise EncodeError("is missing", component.name)
            values.append(component.default)
            continue
        try:
            values.append(_from_json(component.wire, members[component.name], component.kind))
        except (EncodeError, ConversionError) as error:
            raise _at(component.name, error) from None
    return cls(*values)


def _from_json(wire: Wire, content: Any, kind: type) -> Any:
    """Return the value of this layout."""
    if isinstance(wire, (Optional, OptionalData)):
        return _from_json(wire.inner, content, kind)
    if wire is data_wire:
        return data_from_json(content)
    if isinstance(wire, SequenceOf):
        return _list_from_json(wire.inner, content)
    if isinstance(wire, Choice):
        return _choice_from_json(wire, content)
    if isinstance(wire, Nested):
        return _sequence_from_json(wire.cls, content)
    return _leaf_from_json(kind, content)


def _list_from_json(wire: Wire, content: Any) -> tuple[Any, ...]:
    if not isinstance(content, list):
        raise EncodeError("a list is wanted")
    values = []
    for index, element in enumerate(content):
        try:
            values.append(_from_json(wire, element, kind_of(wire)))
        except (EncodeError, ConversionError) as error:
            raise _at(f"[{index}]", error) from None
    return tuple(values)


def _choice_from_json(wire: Choice, content: Any) -> Any:
    name, inner = _only_member(content, "a CHOICE")
    for each in wire.alternatives:
        if each.name != name:
            continue
        if name == "success":
            return DataAccessResult.SUCCESS
        try:
            return _from_json(each.wire, content if same_name(each) else inner, kind_of(each.wire))
        except (EncodeError, ConversionError) as error:
            raise _at(name, error) from None
    names = ", ".join(each.name for each in wire.alternatives)
    raise EncodeError(f"none of {names}", name)


def _leaf_from_json(kind: type[Any], content: Any) -> Any:
    if kind is bool:
        if not isinstance(content, bool):
            raise EncodeError(f"{content!r} is no boolean")
        return content
    if kind is bytes:
        return octets_of(content)
    if kind is LogicalName:
        return logical_name_of(content)
    if kind is Conformance:
        return _conformance(content)
    if issubclass(kind, IntEnum):
        if isinstance(content, bool) or not isinstance(content, (str, int)):
            raise EncodeError(f"{content!r} is no {kind.__name__}")
        return enumerated(kind, content)
    if isinstance(content, bool) or not isinstance(content, int):
        raise EncodeError(f"{content!r} is no integer")
    return kind(content)


def _conformance(content: Any) -> Conformance:
    if not isinstance(content, list):
        raise EncodeError("a list of names is wanted")
    names = {bit.names()[0]: bit for bit in Conformance}
    block = Conformance(0)
    for name in content:
        if name not in names:
            raise EncodeError(f"{name!r} is no conformance bit")
        block |= names[name]
    return block


def _service_error_from_json(content: Any) -> ConfirmedServiceError:
    service, inner = _only_member(content, "a confirmedServiceError")
    number = choice_number(service)
    if number is None:
        raise EncodeError("no service has this name", service)
    group, error = _only_member(inner, "a ServiceError")
    return ConfirmedServiceError(number, *group_number(group, str(error)))


def _acse_from_json(cls: Any, content: Any) -> Any:
    attributes = {name.replace("_", "-"): name for _, name, _, _ in cls.layout}
    values: dict[str, Any] = {}
    for said, inner in _members(content, set(attributes)).items():
        name = attributes[said]
        try:
            values[name] = _acse_field(cls, name, inner)
        except (EncodeError, ConversionError) as error:
            raise _at(said, error) from None
    for name in cls.mandatory:
        if name not in values:
            raise EncodeError("is missing", name.replace("_", "-"))
    return cls(**values)


def _acse_field(cls: type[Acse], name: str, content: Any) -> Any:
    if name in NAMES:
        return name_from_text(NAMES[name], content)
    if (cls, name) in CODES:
        return _leaf_from_json(CODES[cls, name], content)
    if name == "result_source_diagnostic":
        source, word = _only_member(content, "a diagnostic")
        return diagnostic_from_words(source, word)
    if name.endswith("_authentication_value") and isinstance(content, dict):
        members = _members(content, {"choice", "octets"})
        choice = octets_of(members.get("choice"))
        if len(choice) != 1:
            raise EncodeError("a choice is one octet")
        return AuthenticationValue(choice[0], octets_of(members.get("octets")))
    if name == "protocol_version" or name.endswith("_requirements"):
        if not isinstance(content, str) or not set(content) <= {"0", "1"}:
            raise EncodeError(f"{content!r} is not of 0 and 1")
        return BitString.from_text(content)
    return _leaf_from_json(int if name.endswith("_identifier") else bytes, content)
