"""Octets that nobody here invented, by id: the files beside this module.

A test asks for a file and gets parameters whose test id is the id of the vector, so that a failure names the
clause, table or capture that it comes from::

    @pytest.mark.parametrize("vector", parameters("xdlms", kind="apdu"))
    def test_it(vector: Vector) -> None:
        assert encode(decode(vector.octets)) == vector.octets
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cosem.testing.vectors import Vector
from cosem.testing.vectors import load as load_file

__all__ = ["Vector", "load", "parameters", "vector"]

DIRECTORY = Path(__file__).parent


@cache
def load(name: str) -> tuple[Vector, ...]:
    """Return every vector of the file ``name``.json, in its order."""
    return load_file(DIRECTORY / f"{name}.json")


@cache
def vector(name: str, identifier: str) -> Vector:
    """Return the vector ``identifier`` of the file ``name``.json; KeyError if there is none."""
    return {each.id: each for each in load(name)}[identifier]


def parameters(name: str, *, with_octets: bool = True, **facts: Any) -> list[Any]:
    """Return the vectors of a file as pytest parameters, those only whose entries state all of ``facts``.

    Args:
        name: The file, for example ``"xdlms"``.
        with_octets: Leave out the entries that have no octets of their own.
        facts: What an entry must say, for example ``kind="apdu"``.
    """
    found = [
        pytest.param(each, id=each.id)
        for each in load(name)
        if (each.octets or not with_octets) and all(each.get(key) == value for key, value in facts.items())
    ]
    if not found:  # a misspelt fact must not become a test that tests nothing
        raise LookupError(f"no vector of {name}.json states {facts}")
    return found
