"""A whole meter as a TOML file, and back.

The file has one table ``meter``, a list ``association`` and a list ``object``; the how-to
"Simulate" shows it. What is left out has its usual value, values are as in
:mod:`cosem.translate.meter_values`, rights as in :mod:`cosem.translate.access_text`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from cosem.classes.meter_record import (
    DEMONSTRATION_KEYS,
    MeterRecord,
    ObjectRights,
    RecordedAssociation,
    RecordedObject,
)
from cosem.errors import ConfigurationError, ConversionError, CosemError, EncodeError
from cosem.translate.access_text import rights_from_text, rights_to_text
from cosem.translate.meter_values import toml_text, value_from_toml, value_to_toml
from cosem.types.data import DataValue, OctetString
from cosem.types.enumerations import (
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
    DataAccessResult,
)
from cosem.types.logical_name import LogicalName

__all__ = ["FORMAT", "meter_from_toml", "meter_to_toml"]

FORMAT: Final = 1
"""The number that a file says of its own form."""
_RULES: Final = ("read", "full", "nothing")
_METER: Final = frozenset({"name", "sap", "title", "behaves", "time", "seed"})
_ASSOCIATION: Final = frozenset(
    {"client", "context", "mechanism", "conformance", "max_pdu_size", "version", "rights", "secret", "keys"}
    | {"policy", "values", "access"}
)
_OBJECT: Final = frozenset(
    {"class", "version", "name", "comment", "access", "selectors", "base_name", "behaves", "sources"}
    | {"history", "values", "refused"}
)
_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST_HISTORY: Final = 36_525 * 86_400
"""Seconds of a hundred years."""
_OCTET: Final = range(0x100)
_ADDRESSES: Final = range(1, 0x10000)
"""Of clients and of logical devices: 0 is the address of nobody."""
_WORDS: Final = range(0x10000)
_PDU_SIZES: Final = range(64, 0x10000)
_PROFILE: Final = 7


# --- writing --------------------------------------------------------------------------------------------


def meter_to_toml(meter: MeterRecord) -> str:
    """Return a meter as the text of a TOML file.

    Raises:
        EncodeError: A value is of no COSEM type.
    """
    return "\n".join(_lines(meter)) + "\n"


def _lines(meter: MeterRecord) -> Iterator[str]:
    yield f"cosem-meter = {FORMAT}"
    yield ""
    yield "[meter]"
    try:
        name = meter.name.decode("ascii")
    except UnicodeDecodeError:
        name = f"hex:{meter.name.hex()}"
    yield from _entries(
        {
            "name": name,
            "title": meter.title or None,
            "sap": meter.sap,
            "behaves": meter.behaves,
            "time": meter.time,
            "seed": meter.seed if meter.seed != 1 else None,
        }
    )
    for association in meter.associations:
        yield ""
        yield "[[association]]"
        yield from _entries(_association_facts(association))
        if association.values:
            yield "[association.values]"
            yield from _values(association.values, _association_class(association))
    for each in meter.objects:
        yield ""
        yield "[[object]]"
        yield from _entries(_object_facts(each))
        if each.values:
            yield "[object.values]"
            yield from _values(each.values, each)


def _entries(facts: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name} = {toml_text(value)}" for name, value in facts.items() if value is not None)


def _values(values: Mapping[int, DataValue], owner: RecordedObject) -> Iterator[str]:
    for number, value in values.items():
        yield f"{_attribute_key(owner, number)} = {toml_text(value_to_toml(value))}{_note(value)}"


def _note(value: DataValue) -> str:
    """Return the text that octets are, as a comment."""
    text = OctetString(value).text if isinstance(value, bytes) and len(value) > 1 else None
    return f"  # {text}" if text is not None and text.isprintable() else ""


def _attribute_key(owner: RecordedObject, number: int) -> str:
    attribute = owner.attribute(number)
    return toml_text(str(number)) if attribute is None else attribute.name


def _association_class(association: RecordedAssociation) -> RecordedObject:
    """Return an object of the class of an association, for the names of its attributes."""
    short = association.context.short_names
    version = association.version if association.version is not None else 3 if short else 2
    return RecordedObject(12 if short else 15, LogicalName("0-0:40.0.0"), version)


def _association_facts(association: RecordedAssociation) -> dict[str, Any]:
    return {
        "client": association.client,
        "context": association.context.name,
        "mechanism": association.mechanism.name,
        "version": association.version,
        "rights": association.rights,
        "access": None if association.own_rights is None else rights_to_text(association.own_rights),
        "max_pdu_size": association.max_pdu_size or None,
        "conformance": None if association.conformance is None else list(association.conformance.names()),
        "secret": association.secret,
        "policy": association.policy,
        "keys": DEMONSTRATION_KEYS
        if DEMONSTRATION_KEYS in association.keys
        else dict(association.keys) or None,
    }


def _object_facts(each: RecordedObject) -> dict[str, Any]:
    access: Any = {
        "others" if client is None else str(client): rights_to_text(r) for client, r in each.rights.items()
    }
    if access.keys() == {"others"}:
        access = access["others"]
    return {
        "class": each.class_id,
        "version": each.version,
        "name": str(each.logical_name),
        "comment": each.comment or None,
        "base_name": each.base_name,
        "behaves": each.behaves,
        "access": access or None,
        "selectors": {str(number): list(kinds) for number, kinds in each.selectors.items()} or None,
        "sources": dict(each.sources) or None,
        "history": f"{each.history:g}s" if each.history else None,
        "refused": {
            str(number): result.name.lower().replace("_", "-") for number, result in each.refusals.items()
        }
        or None,
    }


# --- reading --------------------------------------------------------------------------------------------


def meter_from_toml(text: str) -> MeterRecord:
    """Return the meter that the text of a TOML file describes.

    Raises:
        ConfigurationError: It describes none; says where.
    """
    try:
        file = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"no TOML: {error}") from None
    except RecursionError:
        raise ConfigurationError("no TOML of a meter: it is nested too deeply") from None
    if file.get("cosem-meter") != FORMAT:
        raise ConfigurationError(f"a file of a meter begins with: cosem-meter = {FORMAT}")
    _known(file, frozenset({"cosem-meter", "meter", "association", "object"}), "the file")
    facts = _of(file, "meter", dict, {})
    _known(facts, _METER, "[meter]")
    time = facts.get("time")
    if time is not None and (not isinstance(time, datetime) or time.tzinfo is None):
        raise ConfigurationError("[meter] time: a date and time with its distance from UTC is wanted")
    name = _of(facts, "name", str, "COS0000000000001")
    return MeterRecord(
        _octets(name),
        _within(facts, "sap", _ADDRESSES, 1),
        tuple(_each(file, "object", _object)),
        tuple(_each(file, "association", _association)),
        behaves=_of(facts, "behaves", bool, True),
        time=time,
        seed=_of(facts, "seed", int, 1),
        title=_of(facts, "title", str, ""),
    )


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode("ascii")
    except ValueError:
        raise ConfigurationError(f"{text!r} is no name: ASCII or hex:... is wanted") from None


def _each(file: Mapping[str, Any], key: str, make: Callable[[dict[str, Any]], Any]) -> Iterator[Any]:
    for number, facts in enumerate(_of(file, key, list, []), 1):
        where = f"{key} {number}"
        if not isinstance(facts, dict):
            raise ConfigurationError(f"{where}: a table is wanted")
        where += f" ({facts['name']})" if "name" in facts else ""
        try:
            yield make(facts)
        except (CosemError, ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{where}: {error}") from None
        except RecursionError:
            raise ConfigurationError(f"{where}: a value is nested too deeply") from None


def _association(facts: dict[str, Any]) -> RecordedAssociation:
    _known(facts, _ASSOCIATION)
    rights = _of(facts, "rights", str, "read")
    if rights not in _RULES:
        raise ConfigurationError(f"rights {rights!r} are none of {', '.join(_RULES)}")
    names = _of(facts, "conformance", list, None)
    made = RecordedAssociation(
        _within(facts, "client", _ADDRESSES, 16),
        _named(ApplicationContext, _of(facts, "context", str, "LN")),
        _named(AuthenticationMechanism, _of(facts, "mechanism", str, "LOWEST")),
        None if names is None else _conformance(names),
        _within(facts, "max_pdu_size", _PDU_SIZES, 0),
        _within(facts, "version", _OCTET, None),
        rights,
        _of(facts, "secret", str, None),
        _keys(facts),
        _within(facts, "policy", _OCTET, None),
    )
    values = _read_values(_of(facts, "values", dict, {}), _association_class(made))
    own = _of(facts, "access", str, None)
    return replace(made, values=values, own_rights=None if own is None else rights_from_text(own))


def _keys(facts: dict[str, Any]) -> dict[str, str]:
    """Return where the keys of an association are; a word for those that everybody knows."""
    if facts.get("keys") == DEMONSTRATION_KEYS:
        return {DEMONSTRATION_KEYS: ""}
    return _of(facts, "keys", dict, {})  # type: ignore[no-any-return] # a table


def _object(facts: dict[str, Any]) -> RecordedObject:
    _known(facts, _OBJECT)
    if "class" not in facts or "name" not in facts:
        raise ConfigurationError("class and name are wanted")
    class_id = _within(facts, "class", _WORDS, 0)
    owner = RecordedObject(
        class_id,
        LogicalName.parse(_of(facts, "name", str, "")),
        _within(facts, "version", _OCTET, _newest(class_id)),
    )
    refused = _of(facts, "refused", dict, {})
    selectors = _of(facts, "selectors", dict, {})
    return RecordedObject(
        owner.class_id,
        owner.logical_name,
        owner.version,
        _read_values(_of(facts, "values", dict, {}), owner),
        {_number(owner, key): _named(DataAccessResult, result) for key, result in refused.items()},
        _rights(facts.get("access")),
        {_number(owner, key): _selectors(kinds) for key, kinds in selectors.items()},
        _within(facts, "base_name", _WORDS, None),
        _of(facts, "behaves", bool, None),
        _of(facts, "sources", dict, {}),
        _history(facts, class_id),
        _of(facts, "comment", str, ""),
    )


def _newest(class_id: int) -> int:
    from cosem.classes.registry import class_of

    declared = class_of(class_id)
    return 0 if declared is None else declared.version


def _rights(access: Any) -> dict[int | None, ObjectRights]:
    if access is None:
        return {}
    if isinstance(access, str):
        return {None: rights_from_text(access)}
    if not isinstance(access, dict):
        raise ConfigurationError("access is a text, or a table with one for each client")
    return {
        None if client == "others" else _client(client): rights_from_text(text)
        for client, text in access.items()
    }


def _client(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) in _ADDRESSES):
        raise ConfigurationError(
            f"access: {text!r} is no client; a number from 1 to 65535 is wanted, or others"
        )
    return int(text)


def _selectors(kinds: Any) -> tuple[int, ...]:
    if not isinstance(kinds, list) or not all(type(kind) is int and kind in _OCTET for kind in kinds):
        raise ConfigurationError("selectors: a list of numbers is wanted for each attribute, such as [1, 2]")
    return tuple(kinds)


def _read_values(values: Mapping[str, Any], owner: RecordedObject) -> dict[int, DataValue]:
    made = {}
    for key, value in values.items():
        number = _number(owner, key)
        try:
            made[number] = value_from_toml(value, partial(_as_declared, owner, number), key)
        except EncodeError as error:
            raise ConfigurationError(str(error)) from None
    return made


def _as_declared(owner: RecordedObject, number: int, value: Any) -> DataValue:
    attribute = owner.attribute(number)
    if attribute is None:
        raise EncodeError("the class does not tell its type; write it, such as {unsigned = 5}")
    return attribute.coerce(value)


def _number(owner: RecordedObject, key: str) -> int:
    """Return the number of an attribute that is given by number or name."""
    try:
        return int(key)
    except ValueError:
        attribute = owner.attribute(key)
    if attribute is None:
        raise ConfigurationError(f"class {owner.class_id} version {owner.version} has no attribute {key!r}")
    return attribute.number


def _history(facts: Mapping[str, Any], class_id: int) -> float:
    if "history" not in facts:
        return 0.0
    if class_id != _PROFILE:
        raise ConfigurationError("history is for profiles: no other class has rows")
    return _duration(facts["history"])


def _duration(value: Any) -> float:
    """Return seconds of ``"35d"`` or ``"12h"``."""
    if isinstance(value, str) and value[-1:] in _UNITS:
        try:
            seconds = float(value[:-1]) * _UNITS[value[-1]]
        except ValueError:
            seconds = -1.0
        if 0 <= seconds <= _LONGEST_HISTORY:
            return seconds
    raise ConfigurationError(f"{value!r} is no duration of up to 36525d; write it as 35d, 12h, 15m or 900s")


def _conformance(names: list[Any]) -> Conformance:
    known = {name: bit for bit in Conformance for name in bit.names()}
    made = Conformance(0)
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{name!r} is no service; there are {', '.join(known)}")
        made |= known[name]
    return made


def _named(kind: Any, name: Any) -> Any:
    """Return the member of an enumeration."""
    members = kind.__members__
    found = members.get(str(name).upper().replace("-", "_"))
    if found is None:
        try:
            return kind(int(str(name).lower().removeprefix("unknown-")))
        except (ValueError, ConversionError):
            known = ", ".join(members)
            raise ConfigurationError(f"{name!r} is none of {known}") from None
    return found


def _of(facts: Mapping[str, Any], key: str, kind: type[Any], default: Any) -> Any:
    """Return a fact of a type."""
    if key not in facts:
        return default
    value = facts[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        # Never the value: it may be a secret.
        raise ConfigurationError(f"{key}: {kind.__name__} is wanted, {type(value).__name__} is given")
    return value


def _within(facts: Mapping[str, Any], key: str, allowed: range, default: Any) -> Any:
    """Return a number that is one of those allowed; what is usual need not be."""
    value = _of(facts, key, int, default)
    if value != default and value not in allowed:
        raise ConfigurationError(f"{key} {value} is not within {allowed[0]}..{allowed[-1]}")
    return value


def _known(facts: Mapping[str, Any], names: frozenset[str], where: str = "") -> None:
    """Refuse what would have no effect: a misspelt word must not pass unseen."""
    unknown = sorted(facts.keys() - names)
    if unknown:
        prefix = f"{where}: " if where else ""
        raise ConfigurationError(
            f"{prefix}unknown {', '.join(unknown)}; known are {', '.join(sorted(names))}"
        )
