"""Attributes and methods as people name them: ``2``, ``value``, ``1-0:1.8.0:2``, ``1-0:1.8.0.value``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError, ConversionError

if TYPE_CHECKING:
    from cosem.types.logical_name import LogicalName

__all__ = ["Member", "member", "split_target", "suggested"]

Member = int | str
_NUMBER: Final = re.compile(r"-?\d{1,3}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def member(text: str) -> Member:
    """Return the number or the name of an attribute or method.

    Raises:
        ConfigurationError: It is neither.

    >>> member("2"), member("scaler-unit")
    (2, 'scaler_unit')
    """
    if _NUMBER.fullmatch(text):
        number = int(text)
        if not -128 <= number <= 127:
            raise ConfigurationError(f"{number} is outside -128..127")
        return number
    name = text.replace("-", "_").lower()
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{text!r} is no attribute; give its number or its name")
    return name


def split_target(text: str) -> tuple[LogicalName, Member | None]:
    """Return the object, and the attribute if one is named.

    Raises:
        ConfigurationError: It names no object.

    >>> split_target("1-0:1.8.0:3"), split_target("1.0.1.8.0.255.value")
    ((LogicalName('1.0.1.8.0.255'), 3), (LogicalName('1.0.1.8.0.255'), 'value'))
    >>> split_target("1-0:1.8.0")
    (LogicalName('1.0.1.8.0.255'), None)
    """
    from cosem.types.logical_name import LogicalName

    try:
        return LogicalName.parse(text), None
    except ConversionError as error:
        fault = str(error)
    for separator in (":", "."):
        name, found, attribute = text.rpartition(separator)
        if not found or not attribute:
            continue
        try:
            parsed = LogicalName.parse(name)
        except ConversionError:
            continue
        return parsed, member(attribute)
    raise ConfigurationError(f"{fault}{suggested(text)}")


def suggested(text: str) -> str:
    """Return which object may have been meant by what is no logical name, as the end of a message.

    >>> suggested("1.8.0"), suggested("frequency")
    ('; did you mean 1-0:1.8.0?', '; did you mean 1-0:14.7.0?')
    """
    from cosem.classes.obis import search
    from cosem.types.logical_name import LogicalName

    try:
        meant = LogicalName.parse(f"1-0:{text}")  # what people who read electricity meters leave out
    except ConversionError:
        found = search(text, limit=1)
        if not found:
            return ""
        meant = found[0]
    return f"; did you mean {meant.reduced.removesuffix('*255')}?"
