"""Values of security are frozen and have no room for more; what holds secrets prints none."""

from __future__ import annotations

import pkgutil
from dataclasses import fields, is_dataclass
from importlib import import_module

import pytest

import cosem.security
from cosem.security.keys import Keys
from cosem.security.material import SecurityMaterial

MODULES = [
    import_module(found.name) for found in pkgutil.walk_packages(cosem.security.__path__, "cosem.security.")
]
VALUES = sorted(
    {
        each
        for module in MODULES
        for each in vars(module).values()
        if isinstance(each, type) and is_dataclass(each) and each.__module__ == module.__name__
    },
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_frozen(value):
    assert value.__dataclass_params__.frozen
    assert set(value.__slots__) == {field.name for field in fields(value)}


@pytest.mark.parametrize("value", [Keys, SecurityMaterial])
def test_what_holds_secrets_says_itself_what_it_shows(value):
    assert value.__dataclass_params__.repr is False


def test_there_are_values():
    assert len(VALUES) >= 10
