"""What JSON and XML need to know of every APDU: its name, its components, and the words of its values.

All of it is read from the declarations in :mod:`cosem.apdu`; nothing is declared twice.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from cosem.codec.sequence import Nested, asn1_name, header_of, sequences_by_header, wires_of
from cosem.codec.wires import Alternative, DefaultTrue, Fixed, Optional, OptionalData, Wire
from cosem.errors import ConversionError, EncodeError
from cosem.types.data import ABSENT
from cosem.types.enumerations import (
    ConfirmedServiceErrorChoice,
    Conformance,
    ServiceErrorGroup,
    service_error_number,
)
from cosem.types.logical_name import LogicalName

__all__ = [
    "ACSE_NAMES",
    "GROUPS",
    "Component",
    "apdu_classes",
    "apdu_name",
    "choice_name",
    "choice_number",
    "components_of",
    "enumerated",
    "group_number",
    "kind_of",
    "logical_name_of",
    "octets_of",
    "same_name",
    "type_name",
]

ACSE_NAMES: Final = {"aarq": "AARQ", "aare": "AARE", "rlrq": "RLRQ", "rlre": "RLRE"}
"""Names of the ACSE APDUs, and of their classes in :mod:`cosem.apdu.acse`."""

GROUPS: Final = {
    0xC0: "get-request",
    0xC1: "set-request",
    0xC3: "action-request",
    0xC4: "get-response",
    0xC5: "set-response",
    0xC7: "action-response",
}
"""APDUs that are a CHOICE of several: the name of the whole, by tag."""

_MODULES: Final = (
    "access",
    "action",
    "block_transfer",
    "ciphered",
    "failure",
    "get",
    "initiate",
    "notification",
    "set",
    "variable_access",
)
_SERVICES: Final = {ConfirmedServiceErrorChoice.GET_TI_ATTRIBUTE: "getTIAttribute"}
E_ = TypeVar("E_", bound=IntEnum)


class Component(NamedTuple):
    """One component of a declared class.

    Args:
        attribute: The name of the Python attribute.
        name: The name in the ASN.1.
        wire: Its layout.
        kind: The Python type of a value without parts.
        default: The value where the component is left out; ``...`` where it must be there.
    """

    attribute: str
    name: str
    wire: Wire
    kind: type
    default: Any


@cache
def apdu_classes() -> dict[str, type]:
    """Return every declared APDU by its name in the ASN.1, ACSE included."""
    for module in _MODULES:
        import_module(f"cosem.apdu.{module}")
    acse = import_module("cosem.apdu.acse")
    classes = {asn1_name(cls): cls for cls in sequences_by_header.values()}
    return classes | {name: getattr(acse, cls) for name, cls in ACSE_NAMES.items()}


def apdu_name(cls: type) -> str:
    """Return the name of an APDU.

    Raises:
        EncodeError: The class is none.
    """
    if ACSE_NAMES.get(cls.__name__.lower()) == cls.__name__:
        return cls.__name__.lower()
    try:
        if header_of(cls):
            return asn1_name(cls)
    except KeyError:
        pass
    raise EncodeError(f"{cls.__name__} is no APDU")


@cache
def components_of(cls: type) -> tuple[Component, ...]:
    """Return the components of a declared class, in the order of the ASN.1."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        Component(name, name.replace("_", "-"), wire, _kind(wire, hints[name]), _default(wire, hints[name]))
        for name, wire in wires_of(cls)
    )


def _origin(hint: Any) -> Any:
    """Return the Python type that an annotation names beside its layout."""
    return hint.__origin__ if get_origin(hint) is Annotated else hint


def _kind(wire: Wire, hint: Any) -> type:
    """Return the Python type of a value without parts."""
    if isinstance(wire, Optional):
        return _kind(wire.inner, object)
    if isinstance(wire, Fixed):
        if isinstance(wire.make, type):
            return wire.make
        return LogicalName if wire.make else int
    if isinstance(wire, DefaultTrue):
        return bool
    origin = _origin(hint)
    if origin is Conformance:
        return Conformance
    return int if int in get_args(origin) else bytes


def _default(wire: Wire, hint: Any) -> Any:
    if isinstance(wire, OptionalData):
        return ABSENT
    if isinstance(wire, DefaultTrue):
        return True
    return None if isinstance(wire, Optional) or type(None) in get_args(_origin(hint)) else ...


def kind_of(wire: Wire) -> type:
    """Return the Python type of a value without parts that stands in a list or CHOICE."""
    return _kind(wire, object)


def type_name(cls: type) -> str:
    """Return the name of a type as the ASN.1 prints it, for example ``Cosem-Attribute-Descriptor``."""
    return "-".join(part[:1].upper() + part[1:] for part in asn1_name(cls).split("-"))


def choice_name(service: ConfirmedServiceErrorChoice) -> str:
    """Return the service of a confirmedServiceError as the ASN.1 writes it, for example ``initiateError``."""
    if service in _SERVICES:
        return _SERVICES[service]
    first, *others = service.name.lower().split("_")
    return first + "".join(word.capitalize() for word in others)


def choice_number(name: str) -> ConfirmedServiceErrorChoice | None:
    """Return the service of this name; ``None`` if there is none."""
    return next((each for each in ConfirmedServiceErrorChoice if choice_name(each) == name), None)


def group_number(group: str, error: str) -> tuple[ServiceErrorGroup, int]:
    """Return the two numbers of an error of ServiceError.

    Raises:
        EncodeError: There is no such group, or no such error in it.
    """
    number = enumerated(ServiceErrorGroup, group)
    return number, service_error_number(number, error)


def enumerated(kind: type[E_], text: str | int) -> E_:
    """Return the member of an enumeration with this name or number.

    Raises:
        EncodeError: There is none.
    """
    word = str(text).strip()
    try:
        if word.isascii() and word.isdigit():
            return kind(int(word))
        return kind[word.upper().replace("-", "_")]
    except (KeyError, ValueError):
        raise EncodeError(f"{word!r} is no {kind.__name__}") from None


def octets_of(text: object) -> bytes:
    """Return the octets of hexadecimal digits.

    Raises:
        EncodeError: It is no text of an even number of them.
    """
    try:
        if isinstance(text, str):
            return bytes.fromhex(text)
    except ValueError:
        pass
    raise EncodeError(f"{text!r} is not hexadecimal")


def logical_name_of(text: object) -> LogicalName:
    """Return the logical name of any of its written forms.

    Raises:
        EncodeError: It is none.
    """
    try:
        if isinstance(text, str):
            return LogicalName.parse(text)
    except ConversionError as error:
        raise EncodeError(str(error)) from None
    raise EncodeError(f"{text!r} is no logical name")


def same_name(alternative: Alternative) -> bool:
    """Return whether an alternative is a sequence of one component of the same name, which is named only once."""
    wire = alternative.wire
    if not isinstance(wire, Nested):
        return False
    components = components_of(wire.cls)
    return len(components) == 1 and components[0].name == alternative.name
