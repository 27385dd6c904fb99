"""APDUs as XML of the published schema of COSEM APDUs, and back (Green Book, clause 9.6).

Names and structure follow from the declarations of the APDUs. What the schema
does otherwise than the rest of the ASN.1 stands in the tables at the head of
this module. On reading, names that other translators write are understood too,
and any child of the two roots may stand alone.
"""

from __future__ import annotations

from typing import Any, Final

from cosem.apdu.acse_fields import Acse
from cosem.apdu.ciphered import CIPHERED_NAMES, CipheredApdu
from cosem.apdu.failure import ConfirmedServiceError, ExceptionResponse
from cosem.codec.sequence import header_of
from cosem.errors import ConversionError, EncodeError
from cosem.translate.fields import (
    GROUPS,
    apdu_classes,
    apdu_name,
    choice_name,
    choice_number,
    enumerated,
    group_number,
)
from cosem.translate.xml_acse import acse_element, acse_of
from cosem.translate.xml_sequence import leaf_text, sequence_element, sequence_of
from cosem.translate.xml_tree import Element, parse, serialize
from cosem.types.enumerations import ServiceErrorCode, StateErrorCode, service_error_name

__all__ = ["from_xml", "to_xml"]

_ACSE_ROOT, _XDLMS_ROOT = "aCSE-APDU", "xDLMS-APDU"
_SLIP: Final = {"ded-action-request": "ded-actionRequest"}
"""The one name that the schema misspells."""
_CIPHERED: Final = {name: tag for tag, name in CIPHERED_NAMES.items()} | {
    slip: tag for name, slip in _SLIP.items() for tag, known in CIPHERED_NAMES.items() if known == name
}
_ALIASES: Final = {
    "get-response-with-data-block": "get-response-with-datablock",
    "set-request-first-data-block": "set-request-with-first-datablock",
    "set-request-with-first-data-block": "set-request-with-first-datablock",
    "set-request-with-data-block": "set-request-with-datablock",
    "set-request-with-list-and-with-first-datablock": "set-request-with-list-and-first-datablock",
    "set-response-data-block": "set-response-datablock",
    "set-response-with-last-data-block": "set-response-last-datablock",
    "set-response-with-last-data-block-with-list": "set-response-last-datablock-with-list",
}
"""Names that other translators write, and those of the schema."""


def to_xml(apdu: Any, *, strict: bool = True, lossy: bool = False) -> str:
    """Return the document of an APDU.

    Args:
        apdu: The APDU.
        strict: Refuse what the schema has no form for: codes without a name, authentication values
            that are no printable text. Otherwise an extension is written, which :func:`from_xml` reads.
        lossy: Write text that XML cannot hold as an octet-string instead of refusing it.

    Raises:
        EncodeError: It is no APDU, or the schema cannot hold a value in it.

    >>> from cosem.apdu import decode
    >>> print(to_xml(decode(bytes.fromhex("C501C103"))))
    <?xml version="1.0" encoding="UTF-8"?>
    <xDLMS-APDU xmlns="http://www.dlms.com/COSEMpdu">
      <set-response>
        <set-response-normal>
          <invoke-id-and-priority>193</invoke-id-and-priority>
          <result>read-write-denied</result>
        </set-response-normal>
      </set-response>
    </xDLMS-APDU>
    <BLANKLINE>
    """
    root = _ACSE_ROOT if isinstance(apdu, Acse) else _XDLMS_ROOT
    return serialize(Element(root, [_element(apdu, strict, lossy)]))


def _element(apdu: Any, strict: bool, lossy: bool) -> Element:
    if isinstance(apdu, CipheredApdu):
        return Element(_SLIP.get(apdu.name, apdu.name), text=apdu.content.hex().upper())
    name = apdu_name(type(apdu))
    if isinstance(apdu, Acse):
        return acse_element(name, apdu, strict=strict)
    if isinstance(apdu, ConfirmedServiceError):
        error = service_error_name(apdu.error_group, apdu.error)
        if strict and (error.isdigit() or apdu.error_group.name.startswith("UNKNOWN_")):
            raise EncodeError("the schema has no name for the error", name)
        inner = Element(str(apdu.error_group), text=error)
        return Element(name, [Element(choice_name(apdu.service), [inner])])
    if isinstance(apdu, ExceptionResponse):
        return _exception_element(name, apdu, strict)
    element = sequence_element(name, apdu, strict=strict, lossy=lossy)
    group = GROUPS.get(header_of(type(apdu))[0])
    return Element(group, [element]) if group else element


def _exception_element(name: str, apdu: ExceptionResponse, strict: bool) -> Element:
    """Return state-error as text, and service-error as a CHOICE whose alternatives are its names."""
    counter = apdu.invocation_counter
    error = Element(
        leaf_text("service-error", apdu.service_error, strict=strict),
        text="" if counter is None else str(counter),
    )
    if error.name.isdigit():
        error.name = f"service-error-{error.name}"  # an element cannot be called by a number
    state = Element("state-error", text=leaf_text("state-error", apdu.state_error, strict=strict))
    return Element(name, [state, Element("service-error", [error])])


def from_xml(text: str | bytes, *, charstring: str = "text") -> Any:
    """Return the APDU of a document, or of a fragment that is a child of one of the roots.

    Args:
        text: The document, in either namespace form or none.
        charstring: What the text of a charstring is: ``"text"``, or ``"hex"`` as some translators write it.

    Raises:
        EncodeError: It is not well-formed, has a document type declaration, or holds no APDU.
    """
    root = parse(text)
    element = root.only() if root.name in (_ACSE_ROOT, _XDLMS_ROOT) else root
    try:
        return _apdu(element, charstring)
    except ConversionError as error:
        raise EncodeError(str(error), element.name) from None


def _apdu(element: Element, charstring: str) -> Any:
    name = element.name
    if name in _CIPHERED:
        try:
            return CipheredApdu(_CIPHERED[name], bytes.fromhex(element.text))
        except ValueError:
            raise EncodeError("is not hexadecimal", name) from None
    if name in GROUPS.values():
        element = element.only()
        name = _ALIASES.get(element.name, element.name)
    cls = apdu_classes().get(name)
    if cls is None:
        raise EncodeError("no APDU has this name", name)
    if issubclass(cls, Acse):
        return acse_of(cls, element, charstring=charstring)
    if cls is ConfirmedServiceError:
        service = element.only()
        number = choice_number(service.name)
        if number is None:
            raise EncodeError("no service has this name", service.name)
        group = service.only()
        return ConfirmedServiceError(number, *group_number(group.name, group.text))
    if cls is ExceptionResponse:
        return _exception_of(element)
    return sequence_of(cls, element)


def _exception_of(element: Element) -> ExceptionResponse:
    parts = {child.name: child for child in element.children}
    if set(parts) != {"state-error", "service-error"}:
        raise EncodeError("state-error and service-error are wanted", element.name)
    state = enumerated(StateErrorCode, parts["state-error"].text)
    error = parts["service-error"]
    if not error.children:  # the earlier schema has text here
        return ExceptionResponse(state, enumerated(ServiceErrorCode, error.text))
    chosen = error.only()
    code = enumerated(ServiceErrorCode, chosen.name.removeprefix("service-error-"))
    counter = chosen.text.strip()
    if not counter:
        return ExceptionResponse(state, code)
    if not (counter.isascii() and counter.isdigit()):
        raise EncodeError(f"{counter!r} is no number", chosen.name)
    return ExceptionResponse(state, code, int(counter))
