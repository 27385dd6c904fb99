"""What an object is called, and which class it most likely has, by its OBIS code."""

from __future__ import annotations

from cosem.types.logical_name import LogicalName

__all__ = ["object_name", "usual_class"]

_ASSOCIATION_SN, _ASSOCIATION_LN = 12, 15


def usual_class(name: LogicalName, *, short_names: bool = False) -> int | None:
    """Return the interface class that objects of this code usually have, or ``None``.

    Which of its two classes the current association has follows from ``short_names``.

    >>> usual_class(LogicalName("1-0:1.8.0")), usual_class(LogicalName("0-0:40.0.0"))
    (3, 15)
    """
    from cosem.classes.obis import describe

    other = _ASSOCIATION_LN if short_names else _ASSOCIATION_SN
    return next((found for found in describe(name).class_ids if found != other), None)


def object_name(name: LogicalName) -> str:
    """Return what an object is, in words; empty if its code means nothing known.

    >>> object_name(LogicalName("1-0:1.8.0"))
    'Active energy import (+A), total'
    """
    from cosem.classes.obis import describe

    description = describe(name)
    return description.short if description.known else ""
