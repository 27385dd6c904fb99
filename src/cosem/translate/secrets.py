"""Where the secrets of an APDU lie: passwords, proofs of HLS, keys.

Ciphered APDUs are left as they are. What is authenticated only can be read by
anybody, and may hold anything: it is taken for secret as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.errors import CosemError
from cosem.translate.conversation import Conversation, Member, Place, Target
from cosem.translate.explain import Explanation, explain
from cosem.translate.harmless import open_parts_of
from cosem.translate.item import Item
from cosem.types.enumerations import AuthenticationMechanism

__all__ = ["SecretFinder", "is_secret", "payload"]

_ATTRIBUTES: Final = {
    15: {7},
    19: {7, 8, 9},
    44: {5},
    45: {3},
    46: {4},
    91: {5},
    100: {6, 7},
    101: {10, 11},
    115: {2},
    140: {8},
}
"""Attributes that hold a password, a key, or a token, by class_id."""
_METHODS: Final = {15: {1, 2}, 64: {2, 3}, 72: {7, 8}, 100: {2}, 104: {8, 9}, 115: {1}}
"""Methods that take one, or give one back."""
_OFFSETS: Final = {12: {0x40, 0x48, 0x58}, 64: {0x30, 0x38, 0x40}, 72: {0x90, 0x98, 0xA0, 0xA8}}
"""The same methods with short names, from the base name on; in every version of the class."""
_NAMED: Final = re.compile(
    b"|".join(
        b"%b[\\s\\S]{6}[%b]" % (re.escape(class_id.to_bytes(2, "big")), re.escape(bytes(sorted(numbers))))
        for table in (_ATTRIBUTES, _METHODS)
        for class_id, numbers in table.items()
    )
)
"""The descriptor of any of them, in octets that are not taken apart."""
_STRINGS: Final = frozenset({"octet-string", "visible-string", "utf8-string", "bit-string"})
_NUMBERS: Final = frozenset(
    {
        "long",
        "long-unsigned",
        "double-long",
        "double-long-unsigned",
        "long64",
        "long64-unsigned",
        "float32",
        "float64",
    }
)
_CHALLENGED: Final = frozenset(
    {
        AuthenticationMechanism.HLS_MD5,
        AuthenticationMechanism.HLS_SHA1,
        AuthenticationMechanism.HLS_GMAC,
        AuthenticationMechanism.HLS_SHA256,
        AuthenticationMechanism.HLS_ECDSA,
    }
)
"""Mechanisms whose authentication values are challenges, which say nothing without a key."""
_SHORTEST: Final = 4
"""A shorter password may stand anywhere by accident; it is masked in its own places only."""
_ENCRYPTED: Final = 0x20


def is_secret(target: Target) -> bool:
    """Return whether values of an attribute, or parameters and results of a method, are secrets."""
    if target.member is Member.VARIABLE:
        attributes = _ATTRIBUTES.get(target.class_id, ())
        return target.number in _OFFSETS.get(target.class_id, ()) or 1 + target.number // 8 in attributes
    table = _ATTRIBUTES if target.member is Member.ATTRIBUTE else _METHODS
    return target.number in table.get(target.class_id, ())


def payload(item: Item, octets: bytes) -> tuple[int, int]:
    """Return where the value of an element of Data lies, without its tag and length; empty if it cannot be told."""
    at = item.start + 1
    if item.kind not in _STRINGS:
        return (at, item.stop) if item.kind in _NUMBERS else (at, at)
    return after_length(octets, at), item.stop


def after_length(octets: bytes, at: int) -> int:
    """Return where the contents begin whose length stands at ``at``."""
    first = octets[at]
    return at + 1 + (first & 0x7F if first & 0x80 else 0)


class SecretFinder:
    """Finds the secrets in the APDUs of one conversation.

    Args:
        known: Secrets that are masked wherever they stand.
    """

    def __init__(self, known: Iterable[bytes] = ()) -> None:
        self._known = tuple(each for each in known if len(each) >= _SHORTEST)
        self._conversation = Conversation()
        self._blocks = bytearray()

    def __call__(self, apdu: bytes, sent: bool) -> tuple[tuple[int, int], ...]:
        """Return where the secrets of the next APDU lie, as pairs of offsets, in order."""
        try:
            explanation = explain(apdu)
        except CosemError:
            # What we send can be read, so this comes from somebody else; what it holds, nobody knows.
            ranges = [(1, len(apdu))] if sent or apdu[:1] in (b"\x60", b"\x61") else []
        else:
            ranges = [*self._of(explanation, sent=sent)]
        for secret in self._known:
            at = apdu.find(secret)
            while at >= 0:
                ranges.append((at, at + len(secret)))
                at = apdu.find(secret, at + 1)
        return _joined(ranges)

    def _of(self, explanation: Explanation, *, sent: bool) -> Iterator[tuple[int, int]]:
        yield from _of_association(explanation)
        for place in self._conversation.places(explanation, sent=sent):
            if any(map(is_secret, place.targets)) or self._in_blocks(explanation, place, sent=sent):
                yield from _of_place(place, explanation.octets)
            elif not place.raw:
                yield from _of_scripts(place, explanation.octets)

    def _in_blocks(self, explanation: Explanation, place: Place, *, sent: bool) -> bool:
        """Return whether a general block of the client belongs to a request that names something secret.

        Of the last block the conversation knows it by then; until then, what looks like the name of it is one.
        """
        value = explanation.value
        if not sent or not isinstance(value, GeneralBlockTransfer) or not place.raw:
            return False
        if value.block_number <= 1:
            self._blocks.clear()
        self._blocks += value.block_data
        latest = self._conversation.latest
        return any(map(is_secret, latest)) if latest else _NAMED.search(self._blocks) is not None


def _of_association(explanation: Explanation) -> Iterator[tuple[int, int]]:
    """Return authentication values that are no challenges, dedicated keys, and what is not encrypted inside a cipher."""
    octets = explanation.octets
    value: Any = explanation.value
    mechanism = getattr(value, "mechanism_name", None)
    for _, item in explanation.root.walk():
        if item.name.endswith("authentication-value") and mechanism not in _CHALLENGED:
            # Tag and length of the field, then those of the choice in it.
            inner = after_length(octets, item.start + 1)
            yield after_length(octets, inner + 1) if inner + 1 < item.stop else inner, item.stop
        elif item.name == "dedicated-key" and item.text != "absent":
            yield after_length(octets, item.start + 1), item.stop
        elif item.name == "user-information" and not item.children:
            # Nobody knows what it holds, and a dedicated key would stand in it.
            # The contents of an OCTET STRING inside the field.
            yield after_length(octets, after_length(octets, item.start + 1) + 1), item.stop
        elif item.name == "security-control" and not octets[item.start] & _ENCRYPTED:
            around = next(
                each for _, each in explanation.root.walk() if any(child is item for child in each.children)
            )
            yield from ((part.start, part.stop) for part in around.children[2:])


def _of_place(place: Place, octets: bytes) -> Iterator[tuple[int, int]]:
    if place.raw:
        yield after_length(octets, place.item.start), place.item.stop
        return
    for _, item in place.item.walk():
        if item.name == "array-contents":
            yield after_length(octets, item.start), item.stop
        elif not item.children and item.kind:
            start, stop = payload(item, octets)
            if start < stop:
                yield start, stop


def _of_scripts(place: Place, octets: bytes) -> Iterator[tuple[int, int]]:
    """Return the secrets that scripts write, or call a method with."""
    for target in place.targets:
        for part, targets in open_parts_of(target, place.item):
            inner = Place(part, targets)
            if any(map(is_secret, targets)):
                yield from _of_place(inner, octets)
            else:
                yield from _of_scripts(inner, octets)


def _joined(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return ranges in order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(each for each in ranges if each[0] < each[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return tuple(joined)
