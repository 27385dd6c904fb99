"""XML as a tree of elements: written by us, read by the parser of the standard library, without any DTD.

Namespaces are dropped on reading and one is written, on the root: every element
of the schema of COSEM APDUs is in the same. Attributes do not occur in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from cosem.errors import EncodeError

__all__ = ["NAMESPACE", "Element", "parse", "serialize"]

NAMESPACE: Final = "http://www.dlms.com/COSEMpdu"
_LONGEST: Final = 64 * 1024 * 1024
_DEEPEST: Final = 128
_ESCAPES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}


@dataclass(slots=True)
class Element:
    """One element.

    Args:
        name: Its name, without namespace.
        children: Its elements.
        text: Its text; used only where there are no children.
        comment: What to say to people before it; never read.
    """

    name: str
    children: list[Element] = field(default_factory=list)
    text: str = ""
    comment: str = ""

    def only(self) -> Element:
        """Return the one child of a CHOICE.

        Raises:
            EncodeError: There are none or several.
        """
        if len(self.children) != 1:
            raise EncodeError(f"one element wanted, {len(self.children)} given", self.name)
        return self.children[0]


def serialize(root: Element) -> str:
    """Return the document of a tree, indented, with its declaration.

    Raises:
        EncodeError: A text holds a character that XML cannot.
    """
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write(root, f' xmlns="{NAMESPACE}"', 0, lines)
    return "\n".join(lines) + "\n"


def _write(element: Element, attribute: str, depth: int, lines: list[str]) -> None:
    indent = "  " * depth
    if element.comment:
        lines.append(f"{indent}<!-- {_escaped(element.comment.replace('--', '- -'), element.name)} -->")
    opening = f"{indent}<{element.name}{attribute}"
    if element.children:
        lines.append(f"{opening}>")
        for child in element.children:
            _write(child, "", depth + 1, lines)
        lines.append(f"{indent}</{element.name}>")
    elif element.text:
        lines.append(f"{opening}>{_escaped(element.text, element.name)}</{element.name}>")
    else:
        lines.append(f"{opening}/>")


def unwritable(text: str) -> bool:
    """Return whether XML 1.0 has no way to write this text."""
    return any(
        (character < " " and character not in "\t\n\r")
        or "\ud800" <= character <= "\udfff"
        or character in "\ufffe\uffff"
        for character in text
    )


def _escaped(text: str, name: str) -> str:
    if unwritable(text):
        raise EncodeError("a character that XML cannot hold", name)
    return text.translate(_ESCAPES)


def parse(text: str | bytes) -> Element:
    """Return the tree of a document.

    Raises:
        EncodeError: It is not well-formed, has a document type declaration, mixes text and elements,
            is nested deeper than 128 elements or longer than 64 MiB.
    """
    if len(text) > _LONGEST:
        raise EncodeError(f"a document of {len(text)} is longer than {_LONGEST}")
    if isinstance(text, str):
        if text.startswith("<?xml") and "encoding" in text[: text.find("?>") + 1]:
            text = text[text.find("?>") + 2 :]  # a text has no encoding any more, whatever it says
        try:
            text = text.encode("utf-8")
        except UnicodeEncodeError:
            raise EncodeError("a document with lone surrogates") from None
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="\x1f")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise EncodeError(f"not well-formed XML: {error}") from None
    except (LookupError, UnicodeError, ValueError) as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError(f"encoding of the document: {error}") from None
    return builder.root.only()


class _Builder:
    """Collects the elements that the parser reports."""

    def __init__(self) -> None:
        self.root = Element("document")
        self._open = [self.root]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element; attributes of foreign namespaces mean nothing to us."""
        del attributes
        if len(self._open) > _DEEPEST:
            raise EncodeError(f"nested deeper than {_DEEPEST} elements", name)
        element = Element(name.rpartition("\x1f")[2])
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, name: str) -> None:
        """Close an element; text between elements is layout, and only blanks may be that."""
        del name
        element = self._open.pop()
        if element.children:
            if element.text.strip():
                raise EncodeError("text between elements", element.name)
            element.text = ""

    def characters(self, text: str) -> None:
        """Add text to the element that is open."""
        self._open[-1].text += text

    def doctype(self, *_: Any) -> None:
        """Refuse entities before they are declared."""
        raise EncodeError("a document type declaration is not allowed")
