"""The files of vectors can be read, and every entry can be told from every other."""

from __future__ import annotations

import pytest

from tests.vectors import DIRECTORY, load, parameters, vector

FILES = sorted(path.stem for path in DIRECTORY.glob("*.json"))


@pytest.mark.parametrize("name", FILES)
def test_every_vector_has_an_id_of_its_own(name: str) -> None:
    identifiers = [each.id for each in load(name)]
    assert identifiers
    assert len(set(identifiers)) == len(identifiers)


def test_length_stated_is_the_length_given() -> None:
    for each in load("xdlms"):
        assert len(each.octets) == each["length"], each.id


def test_a_vector_is_found_by_its_id() -> None:
    assert vector("xdlms", "D.2.LN.1").octets[:2] == b"\xc0\x01"


def test_a_selection_that_finds_nothing_is_an_error() -> None:
    with pytest.raises(LookupError):
        parameters("xdlms", kind="no such kind")
