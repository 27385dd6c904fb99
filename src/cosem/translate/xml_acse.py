"""AARQ, AARE, RLRQ and RLRE as elements of the published schema, and back."""

from __future__ import annotations

from typing import Any

from cosem.apdu.acse_fields import Acse, AuthenticationValue
from cosem.errors import ConversionError, EncodeError
from cosem.translate.acse_words import (
    CODES,
    NAMES,
    diagnostic_from_words,
    diagnostic_words,
    name_from_text,
    name_text,
)
from cosem.translate.fields import enumerated, octets_of
from cosem.translate.xml_tree import Element
from cosem.types.data import BitString

__all__ = ["acse_element", "acse_of"]

_BITSTRING = 0x81
_NAMED_BITS = {"protocol_version": "version1"}


def element_name(attribute: str) -> str:
    """Return the name of a field in the schema.

    >>> element_name("calling_ap_title"), element_name("calling_ae_invocation_identifier")
    ('calling-AP-title', 'calling-AE-invocation-id')
    """
    name = attribute.replace("_", "-").replace("-ap-", "-AP-").replace("-ae-", "-AE-")
    return name.replace("-identifier", "-id")


def acse_element(name: str, apdu: Acse, *, strict: bool = True) -> Element:
    """Return the element of an ACSE APDU.

    Raises:
        EncodeError: A code has no name, or an authentication value is no printable text, and ``strict``.
    """
    children = []
    for _, attribute, _, _ in apdu.layout:
        value = getattr(apdu, attribute)
        if value is None:
            continue
        element = Element(element_name(attribute))
        try:
            _fill(element, attribute, value, strict)
        except EncodeError as error:
            raise EncodeError(error.problem, f"{name}.{element.name}") from None
        children.append(element)
    return Element(name, children)


def _fill(element: Element, attribute: str, value: Any, strict: bool) -> None:
    if attribute in NAMES:
        element.text = name_text(value)
    elif attribute == "result_source_diagnostic":
        source, word = diagnostic_words(value)
        element.children = [Element(source, text=str(int(value)) if word.startswith("unknown-") else word)]
    elif attribute.endswith("_authentication_value"):
        element.children = [_authentication_element(value, strict)]
    elif isinstance(value, BitString):
        name = _NAMED_BITS.get(attribute, "authentication")
        element.text = {"1": name, "0": ""}.get(str(value), str(value))
    elif isinstance(value, bytes):
        element.text = value.hex().upper()
    else:
        word = str(value)
        element.text = str(int(value)) if word.startswith("unknown-") else word


def _authentication_element(value: bytes | AuthenticationValue, strict: bool) -> Element:
    if isinstance(value, AuthenticationValue):
        if (
            value.choice == _BITSTRING
            and value.octets
            and value.octets[0] <= min(7, 8 * (len(value.octets) - 1))
        ):
            return Element(
                "bitstring",
                text=str(BitString(value.octets[1:], 8 * len(value.octets) - 8 - value.octets[0])),
            )
        if strict:
            raise EncodeError(f"alternative {value.choice:02X} has no form in the schema")
        return Element(
            "other",
            [
                Element("choice", text=f"{value.choice:02X}"),
                Element("octets", text=value.octets.hex().upper()),
            ],
        )
    # Blanks at the ends may get lost on the way, so they count as not printable.
    if value and all(0x20 <= octet < 0x7F for octet in value) and value == value.strip():
        return Element("charstring", text=value.decode("ascii"))
    if strict and value:
        raise EncodeError("a charstring that is no printable text has no form in the schema")
    return Element("octets", text=value.hex().upper()) if value else Element("charstring")


def acse_of(cls: Any, element: Element, *, charstring: str = "text") -> Acse:
    """Return the ACSE APDU that an element holds.

    Args:
        cls: Its class.
        element: The element.
        charstring: ``"text"``, or ``"hex"`` where the writer puts digits into a charstring.

    Raises:
        EncodeError: It holds none; the path says where.
    """
    attributes = {element_name(attribute): attribute for _, attribute, _, _ in cls.layout}
    values: dict[str, Any] = {}
    for child in element.children:
        attribute = attributes.get(child.name)
        path = f"{element.name}.{child.name}"
        if attribute is None:
            raise EncodeError("there is no such component", path)
        if attribute in values:
            raise EncodeError("is there twice", path)
        try:
            values[attribute] = _field_of(cls, attribute, child, charstring)
        except (EncodeError, ConversionError) as error:
            raise EncodeError(getattr(error, "problem", str(error)), path) from None
    for attribute in cls.mandatory:
        if attribute not in values:
            raise EncodeError("is missing", f"{element.name}.{element_name(attribute)}")
    made: Acse = cls(**values)
    return made


def _field_of(cls: Any, attribute: str, element: Element, charstring: str) -> Any:
    text = element.text.strip()
    if attribute == "result_source_diagnostic":
        source = element.only()
        return diagnostic_from_words(source.name, source.text)
    if attribute.endswith("_authentication_value"):
        return _authentication_of(element.only(), charstring)
    if element.children:
        raise EncodeError("elements where a value is wanted")
    if attribute in NAMES:
        return name_from_text(NAMES[attribute], text)
    if (cls, attribute) in CODES:
        return enumerated(CODES[cls, attribute], text)
    if attribute == "protocol_version" or attribute.endswith("_requirements"):
        bits = {_NAMED_BITS.get(attribute, "authentication"): "1", "": "0"}.get(text, text)
        if not set(bits) <= {"0", "1"}:
            raise EncodeError(f"{text!r} is neither a name nor of 0 and 1")
        return BitString.from_text(bits)
    if attribute.endswith("_identifier"):
        if not (text.isascii() and text.isdigit()):
            raise EncodeError(f"{text!r} is no number")
        return int(text)
    return octets_of(text)


def _authentication_of(element: Element, charstring: str) -> bytes | AuthenticationValue:
    if element.name == "charstring":
        if charstring == "hex":
            return octets_of(element.text.strip())
        try:
            return element.text.encode("latin-1")
        except UnicodeEncodeError:
            raise EncodeError("a character that is no octet") from None
    if element.name == "octets":
        return octets_of(element.text.strip())
    if element.name == "bitstring":
        bits = element.text.strip()
        if not set(bits) <= {"0", "1"}:
            raise EncodeError(f"{bits!r} is not of 0 and 1")
        value = BitString.from_text(bits)
        return AuthenticationValue(_BITSTRING, bytes((-len(value) % 8,)) + value.octets)
    parts = {child.name: child.text.strip() for child in element.children}
    if element.name != "other" or set(parts) != {"choice", "octets"}:
        raise EncodeError(f"{element.name} is no authentication value")
    choice = octets_of(parts["choice"])
    if len(choice) != 1:
        raise EncodeError("a choice is one octet")
    return AuthenticationValue(choice[0], octets_of(parts["octets"]))
