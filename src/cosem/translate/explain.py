"""What each octet of a message means: the tree behind ``cosem decode``.

Every APDU is taken apart down to the elements of its Data. APDUs inside others
(user-information, signed contents, contents that are authenticated only) are
taken apart too; what is encrypted is shown as the envelope that it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from cosem import apdu
from cosem.apdu.acse_fields import Acse
from cosem.apdu.ciphered import CipheredApdu
from cosem.codec.data import decode_data
from cosem.codec.limits import DEFAULT_LIMITS, Limits
from cosem.codec.reader import Node, Reader
from cosem.codec.sequence import Nested, asn1_name, wires_of
from cosem.codec.wires import Choice, Optional, OptionalData, SequenceOf, Wire, data_wire
from cosem.errors import DecodeError, LimitError
from cosem.translate.data_items import data_item
from cosem.translate.item import Item
from cosem.translate.leaves import leaf_item
from cosem.types.data import ABSENT

__all__ = ["Explanation", "explain", "explain_data"]

_WRAPPER_VERSION: Final = b"\x00\x01"
_WRAPPER_HEADER: Final = 8
_DEEPEST_APDU: Final = 8
"""So many APDUs may lie inside each other; more are shown as octets."""
_MOST_OCTETS: Final = 12
_AUTHENTICATED, _ENCRYPTED = 0x10, 0x20
_TAG_SIZE: Final = 12
_CONTENT_HEADER: Final = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """A message, taken apart.

    Args:
        octets: The message.
        root: The tree; the items know their offsets.
        value: The APDU, or the value of a Data.
        findings: Deviations from the standard that were tolerated.
    """

    octets: bytes
    root: Item
    value: Any
    findings: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the tree as lines of offset, octets and meaning; each octet stands in one line only."""
        lines = []
        for depth, item in self.root.walk():
            stop = item.children[0].start if item.children else item.stop
            own = self.octets[item.start : stop]
            shown = own[:_MOST_OCTETS].hex(" ").upper() + (" ..." if len(own) > _MOST_OCTETS else "")
            lines.append(f"{item.start:5}  {shown:<39}  {'  ' * depth}{item.line()}".rstrip())
        lines += [f"finding: {finding}" for finding in self.findings]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return octets, tree and findings as JSON can hold them."""
        return {
            "octets": self.octets.hex().upper(),
            "tree": self.root.to_json(),
            "findings": list(self.findings),
        }


def explain(octets: bytes, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> Explanation:
    """Return what an APDU, or a wrapper unit around one, says.

    Args:
        octets: The APDU from its tag on, or a unit of the TCP-UDP wrapper (it begins with 0001).
        strict: Whether a tolerated deviation is an error instead of a finding.
        limits: What may be built from the octets.

    Raises:
        DecodeError: It is neither; with offset and path.

    >>> print(explain(bytes.fromhex("C0 01 C1 0008 0000010000FF 02 00")).text())
        0  C0 01                                    get-request-normal
        2  C1                                         invoke-id-and-priority = C1  (invoke-id 1, confirmed, high priority)
        3                                             cosem-attribute-descriptor
        3  00 08                                        class-id = 8  (Clock)
        5  00 00 01 00 00 FF                            instance-id = 0.0.1.0.0.255  (0-0:1.0.0*255 clock)
       11  02                                           attribute-id = 2
       12  00                                         access-selection = absent
    """
    octets = bytes(octets)
    findings: list[str] = []
    if not octets.startswith(_WRAPPER_VERSION):
        maker = _Maker(octets, 0, strict, findings, limits)
        return Explanation(octets, maker.root, maker.value, tuple(findings))
    if len(octets) < _WRAPPER_HEADER:
        raise DecodeError("a wrapper header has 8 octets", len(octets), "wrapper")
    size = int.from_bytes(octets[6:8], "big")
    if size != len(octets) - _WRAPPER_HEADER:
        raise DecodeError(
            f"the wrapper announces {size} octets, {len(octets) - _WRAPPER_HEADER} follow", 6, "wrapper"
        )
    maker = _Maker(octets, _WRAPPER_HEADER, strict, findings, limits)
    names = ("version", "source-port", "destination-port", "length")
    header = [
        Item(
            name, 2 * index, 2 * index + 2, text=str(int.from_bytes(octets[2 * index : 2 * index + 2], "big"))
        )
        for index, name in enumerate(names)
    ]
    root = Item("wrapper", 0, len(octets), children=(*header, maker.root))
    return Explanation(octets, root, maker.value, tuple(findings))


def explain_data(octets: bytes, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> Explanation:
    """Return what a Data says that stands alone, for example the contents of a block.

    Raises:
        DecodeError: It is no Data, or octets are left.

    >>> print(explain_data(bytes.fromhex("0202 0FFF 161E")).text())
        0  02 02                                    data: structure of 2
        2  0F FF                                      0: integer = -1
        4  16 1E                                      1: enum = 30
    """
    octets = bytes(octets)
    findings: list[str] = []
    value = decode_data(octets, strict=strict, findings=findings, limits=limits)
    root = data_item(Reader(octets, limits=limits), "data")
    return Explanation(octets, root, value, tuple(findings))


@cache
def _components(cls: type) -> dict[str, Wire]:
    """Return the layout of each component of a declared class; nothing for other classes."""
    try:
        asn1_name(cls)
    except KeyError:
        return {}
    return {name.replace("_", "-"): wire for name, wire in wires_of(cls)}


class _Maker:
    """Makes the items of one APDU, which starts at ``base`` of the whole message."""

    def __init__(
        self, octets: bytes, base: int, strict: bool, findings: list[str], limits: Limits, depth: int = 0
    ) -> None:
        self._octets = octets
        self._base = base
        self._strict = strict
        self._findings = findings
        self._limits = limits
        self._depth = depth
        self._own = octets[base:] if base else octets
        try:
            tree = apdu.trace(self._own, strict=strict, findings=findings, limits=limits)
        except LimitError as error:
            raise LimitError(error.name, error.value, error.bound, error.offset + base, error.path) from None
        except DecodeError as error:
            raise DecodeError(error.problem, error.offset + base, error.path) from None
        self.value = tree.value
        self.root = self._node(tree.children[0], None)

    def _node(self, node: Node, wire: Wire | None) -> Item:
        """Return the item of a component; ``wire`` is its layout where it is declared."""
        value: Any = node.value
        shift = 0
        if isinstance(wire, (Optional, OptionalData)):
            if value is ABSENT or (value is None and isinstance(wire, Optional)):
                return self._item(node, text="absent")
            wire, shift = wire.inner, 1
        if wire is data_wire:
            return self._data(node, shift)
        if isinstance(wire, SequenceOf):
            parts = [self._node(child, wire.inner) for child in node.children]
            return self._item(node, kind=f"list of {len(parts)}", children=parts)
        if isinstance(wire, Choice):
            return self._choice(node, wire)
        components = _components(value.__class__)
        if components and (wire is None or isinstance(wire, Nested)):
            parts = [self._node(child, components.get(child.name)) for child in node.children]
            return self._item(node, children=self._noted(value, parts))
        if isinstance(value, CipheredApdu):
            (content,) = node.children
            stop = content.stop + self._base
            parts = list(self._protected(stop - len(value.content), stop))
            start = content.start + self._base
            text = "" if parts else value.content.hex().upper() or "empty"
            return self._item(
                node, children=[Item(content.name, start, stop, text=text, children=tuple(parts))]
            )
        if isinstance(value, Acse) or node.children:
            return self._item(node, children=[self._node(child, None) for child in node.children])
        return self._leaf(node)

    def _item(self, node: Node, kind: str = "", text: str = "", children: list[Item] | None = None) -> Item:
        start, stop = node.start + self._base, node.stop + self._base
        return Item(node.name, start, stop, kind, text, children=tuple(children or ()))

    def _data(self, node: Node, shift: int) -> Item:
        reader = Reader(self._octets, limits=self._limits)
        reader.pos = node.start + self._base + shift
        item = data_item(reader, node.name)
        return (
            item
            if not shift
            else Item(node.name, item.start - 1, item.stop, children=(_renamed(item, "data"),))
        )

    def _choice(self, node: Node, wire: Choice) -> Item:
        """Return the item of a CHOICE: the alternative it chose, under the name of the component."""
        (chosen,) = node.children
        layout = next(each.wire for each in wire.alternatives if each.name == chosen.name)
        inner = self._node(chosen, layout)
        if len(inner.children) == 1 and inner.children[0].name == inner.name:
            inner = inner.children[0]
        return self._item(node, children=[inner])

    def _noted(self, value: Any, parts: list[Item]) -> list[Item]:
        """Return the parts of a sequence, with what only the whole can say about one of them."""
        if type(value).__name__ != "ConfirmedServiceError":
            return parts
        from cosem.types.enumerations import describe_service_error

        *others, last = parts
        note = describe_service_error(value.error_group, value.error)
        return [*others, Item(last.name, last.start, last.stop, text=last.text, note=note)]

    def _leaf(self, node: Node) -> Item:
        item = leaf_item(node.name, node.value, node.start + self._base, node.stop + self._base)
        if not isinstance(node.value, bytes) or not node.value:
            return item
        begin = item.stop - len(node.value)
        children: tuple[Item, ...] = ()
        if node.name in ("user-information", "content"):
            children = self._inside(begin, item.stop)
        elif node.name == "ciphered-content":
            children = self._protected(begin, item.stop)
        if not children:
            return item
        return Item(item.name, item.start, item.stop, note=item.note, children=children)

    def _inside(self, start: int, stop: int) -> tuple[Item, ...]:
        """Return the APDU at ``start``; nothing if there is none that can be read."""
        if self._depth >= _DEEPEST_APDU:
            return ()
        findings: list[str] = []
        try:
            inner = _Maker(self._octets[:stop], start, self._strict, findings, self._limits, self._depth + 1)
        except DecodeError as error:
            # What is inside must not hide what is around it: a refusal stays readable.
            self._findings.append(f"inner-apdu-unreadable: {error}")
            return ()
        self._findings += findings
        return (inner.root,)

    def _protected(self, start: int, stop: int) -> tuple[Item, ...]:
        """Return security control, invocation counter, contents and tag of a ciphered content."""
        if stop - start < _CONTENT_HEADER:
            return ()
        control = self._octets[start]
        counter = int.from_bytes(self._octets[start + 1 : start + 5], "big")
        items = [
            leaf_item("security-control", control, start, start + 1),
            Item("invocation-counter", start + 1, start + 5, text=str(counter)),
        ]
        begin, end = start + _CONTENT_HEADER, stop
        if control & _AUTHENTICATED and end - begin >= _TAG_SIZE:
            end -= _TAG_SIZE
        body = self._octets[begin:end].hex().upper()
        if control & _ENCRYPTED:
            items.append(Item("ciphertext", begin, end, text=body))
        elif end > begin:
            items += self._inside(begin, end) or [Item("plaintext", begin, end, text=body)]
        if end < stop:
            items.append(Item("authentication-tag", end, stop, text=self._octets[end:stop].hex().upper()))
        return tuple(items)


def _renamed(item: Item, name: str) -> Item:
    return Item(name, item.start, item.stop, item.kind, item.text, item.note, item.children)
