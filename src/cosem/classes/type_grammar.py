"""The types of attributes and method parameters: one grammar, parsed once.

::

    T    := BASE ["[" size "]"] | "array of " T | "structure{" name T {", " name T} "}"
          | "structure" | "array" | "CHOICE" ["(" list ")"] | T " or " T
    BASE := a type name of the Data CHOICE; "integer(0)" is the dummy parameter of methods

A bare ``structure``, ``array`` or ``CHOICE`` has an inner form that is free or not established.

A type can check a value of Data, give a default, make a value of Data of what a
Python program has, and read a value of Data as what it means. The names of
structure members are its own.

>>> from cosem.types.data import Integer, Structure, Unsigned
>>> scaler_unit = parse_type("structure{scaler integer, unit enum}")
>>> scaler_unit.coerce({"scaler": -3, "unit": 30})
Structure((Integer(-3), Enum(30)))
>>> scaler_unit.mismatch(Structure((Integer(-3), Unsigned(30))))
'unit: enum wanted, unsigned given'
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from cosem.classes.choice_type import ChoiceType
from cosem.classes.data_types import BASE_NAMES, ArrayType, DataType, SimpleType, StructureType
from cosem.errors import ConfigurationError

__all__ = ["parse_type"]

_TOKEN: Final = re.compile(r"array of |structure\{| or |, |[A-Za-z_][A-Za-z0-9_-]*|\[\d+\]|\(0\)|[(){}\[\] ]")
_SIZE: Final = re.compile(r"\[\d+\]")
_ANY_OF: Final = {"any", "simple"}


@lru_cache(maxsize=512)
def parse_type(text: str) -> DataType:
    """Return the type that ``text`` declares.

    Raises:
        ConfigurationError: It does not follow the grammar.
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise ConfigurationError(f"{text!r} is no type: unknown characters")
    parser = _Parser(text, tokens)
    whole = parser.alternatives()
    if parser.tokens:
        raise ConfigurationError(f"{text!r} is no type: {parser.tokens[-1]!r} is too much")
    return whole


class _Parser:
    """A reader of tokens, the next one at the end of the list."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self.text = text
        self.tokens = tokens[::-1]

    def accept(self, token: str) -> bool:
        if self.tokens and self.tokens[-1] == token:
            self.tokens.pop()
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            found = self.tokens[-1] if self.tokens else "the end"
            raise ConfigurationError(f"{self.text!r} is no type: {token!r} wanted, {found!r} found")

    def word(self) -> str:
        if not self.tokens:
            raise ConfigurationError(f"{self.text!r} is no type: it ends too early")
        return self.tokens.pop()

    def alternatives(self) -> DataType:
        """T { " or " T }: the weakest binding."""
        first = self.term()
        if not self.accept(" or "):
            return first
        types = [first, self.term()]
        while self.accept(" or "):
            types.append(self.term())
        return ChoiceType(" or ".join(map(str, types)), tuple(types))

    def term(self) -> DataType:
        if self.accept("array of "):
            return ArrayType(self.term())
        if self.accept("structure{"):
            return StructureType(self.members())
        word = self.word()
        if word == "structure":
            return StructureType(None)
        if word == "array":
            return ArrayType(None)
        if word == "CHOICE":
            return self.choice()
        if word not in BASE_NAMES:
            raise ConfigurationError(f"{self.text!r} is no type: {word!r} is unknown")
        if self.accept("(0)"):
            return SimpleType(word, None, f"{word}(0)")
        if self.tokens and _SIZE.fullmatch(self.tokens[-1]):
            return SimpleType(word, int(self.word()[1:-1]))
        return SimpleType(word)

    def members(self) -> tuple[tuple[str, DataType], ...]:
        found: list[tuple[str, DataType]] = []
        while not found or self.accept(", "):
            name = self.word()
            self.expect(" ")
            found.append((name, self.alternatives()))
        self.expect("}")
        return tuple(found)

    def choice(self) -> DataType:
        if not self.accept("("):
            return ChoiceType("CHOICE", None)
        if self.tokens and self.tokens[-1] in _ANY_OF:
            word = self.word()
            self.expect(")")
            return ChoiceType(f"CHOICE({word})", _simple_types() if word == "simple" else None)
        types = [self.term()]
        while self.accept(", "):
            types.append(self.term())
        self.expect(")")
        return ChoiceType(f"CHOICE({', '.join(map(str, types))})", tuple(types))


@lru_cache(maxsize=1)
def _simple_types() -> tuple[DataType, ...]:
    """The simple data types that the value of a register may have (Blue Book, class_id 3)."""
    names = (
        "null-data bit-string double-long double-long-unsigned octet-string visible-string utf8-string bcd"
        " integer long unsigned long-unsigned long64 long64-unsigned enum float32 float64"
    )
    return tuple(SimpleType(name) for name in names.split())
