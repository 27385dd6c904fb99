"""Access rights as a short text, and back: ``r 1-3, rw 4, call 1``.

Before the numbers stand the kinds of access joined with ``+`` to the protection that is demanded:
``r+authenticated-request 2``. ``none`` is an attribute that is listed without any right, ``nocall``
a method. Attributes and methods that are not named are not listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cosem.classes.meter_record import ObjectRights
from cosem.classes.standard.access_rights import AccessMode
from cosem.errors import ConversionError

__all__ = ["rights_from_text", "rights_to_text"]

_M = AccessMode
_DEMANDS: Final = {
    "authenticated-request": _M.AUTHENTICATED_REQUEST,
    "encrypted-request": _M.ENCRYPTED_REQUEST,
    "signed-request": _M.SIGNED_REQUEST,
    "authenticated-response": _M.AUTHENTICATED_RESPONSE,
    "encrypted-response": _M.ENCRYPTED_RESPONSE,
    "signed-response": _M.SIGNED_RESPONSE,
}
_ATTRIBUTE_KINDS: Final = {"none": _M.NO_ACCESS, "r": _M.READ, "w": _M.WRITE, "rw": _M.READ | _M.WRITE}
_METHOD_KINDS: Final = {"nocall": _M.NO_ACCESS, "call": _M.READ}
_RANGE: Final = re.compile(r"(-?\d{1,3})(?:-(-?\d{1,3}))?", re.ASCII)


def rights_to_text(rights: ObjectRights) -> str:
    """Return the text of rights.

    >>> rights_to_text(ObjectRights({1: _M.READ, 2: _M.READ, 3: _M.READ | _M.WRITE}, {1: _M.READ}))
    'r 1-2, rw 3, call 1'
    """
    parts: dict[str, list[int]] = {}
    for kinds, modes, access in (
        (_ATTRIBUTE_KINDS, rights.attributes, _M.READ | _M.WRITE),
        (_METHOD_KINDS, rights.methods, _M.READ),
    ):
        for number, mode in sorted(modes.items()):
            parts.setdefault(_word(kinds, mode, access), []).append(number)
    return ", ".join(f"{word} {_numbers(numbers)}" for word, numbers in parts.items())


def _word(kinds: Mapping[str, AccessMode], mode: AccessMode, access: AccessMode) -> str:
    kind = next(word for word, bits in kinds.items() if bits == mode & access)
    return "+".join([kind, *(word for word, bit in _DEMANDS.items() if mode & bit)])


def _numbers(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def rights_from_text(text: str) -> ObjectRights:
    """Return the rights that a text means.

    Raises:
        ConversionError: It means none; says where.

    >>> rights_from_text("r+signed-request 2").attributes[2]
    <AccessMode.READ|SIGNED_REQUEST: 17>
    """
    attributes: dict[int, AccessMode] = {}
    methods: dict[int, AccessMode] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        word, *ranges = part.split()
        kind, *demands = word.split("+")
        into, kinds = (methods, _METHOD_KINDS) if kind in _METHOD_KINDS else (attributes, _ATTRIBUTE_KINDS)
        if kind not in kinds or not ranges or not set(demands) <= _DEMANDS.keys():
            raise ConversionError(f"{part!r} is no access right; write it as: r 1-3, rw 4, call 1")
        mode = kinds[kind]
        for demand in demands:
            mode |= _DEMANDS[demand]
        for each in ranges:
            found = _RANGE.fullmatch(each)
            if found is None:
                raise ConversionError(f"{each!r} in {part!r} is no number and no range")
            first = int(found[1])
            for number in range(first, int(found[2] or first) + 1):
                into[number] = mode
    return ObjectRights(attributes, methods)
