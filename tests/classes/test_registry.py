"""The registry of classes, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules

import pytest

import cosem.classes
from cosem.classes import InterfaceClass, Structured, all_classes, class_of, standard, title_of
from cosem.classes.registry import CLASSES
from cosem.types.enumerations import OpenEnumeration

MODULES = [
    import_module(f"cosem.classes.standard.{module.name}") for module in iter_modules(standard.__path__)
]


def _own(module, base):
    return {
        name: value
        for name, value in vars(module).items()
        if isclass(value) and issubclass(value, base) and value.__module__ == module.__name__
    }


def test_the_table_has_every_class_of_every_module():
    assert {
        (known.class_id, known.version): (module.__name__.rpartition(".")[2], name)
        for module in MODULES
        for name, known in _own(module, InterfaceClass).items()
    } == CLASSES


def test_the_table_is_in_ascending_order():
    assert list(CLASSES) == sorted(CLASSES)


@pytest.mark.parametrize("key", CLASSES, ids=str)
def test_a_class_is_found_by_its_id_and_version(key):
    found = class_of(*key)
    assert (found.class_id, found.version, found.__name__) == (*key, CLASSES[key][1])


def test_without_a_version_the_newest_is_found():
    assert class_of(7).version == 1
    assert class_of(40).version == 3
    assert class_of(15).version == 3


@pytest.mark.parametrize("key", [(0, 0), (8192, None), (7, 9), (65535, 0), (2, None)])
def test_a_class_that_the_standard_does_not_have_is_none(key):
    assert class_of(*key) is None


def test_titles():
    assert title_of(3) == "Register"
    assert title_of(8192) is None


def test_every_public_name_can_be_had_from_the_package():
    for name in cosem.classes.__all__:
        assert getattr(cosem.classes, name).__module__.startswith("cosem.classes")


def test_every_class_is_a_public_name():
    assert (
        {known.__name__ for known in all_classes()}
        <= set(cosem.classes.__all__)
        == set(dir(cosem.classes)) & set(cosem.classes.__all__)
    )


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Nonsense"):
        cosem.classes.Nonsense  # noqa: B018 - asking for it is the test


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_all_of_a_module_are_its_own_classes_and_values(module):
    own = _own(module, (InterfaceClass, Structured, OpenEnumeration))
    assert set(own) <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def _modules_after(statement):
    script = f"import sys; {statement}; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_the_package_alone_loads_nothing_of_itself():
    loaded = _modules_after("import cosem.classes")
    assert {name for name in loaded if name.startswith("cosem.")} == {"cosem.classes"}


def test_a_class_loads_its_family_only():
    loaded = _modules_after("from cosem.classes import Register")
    families = {name for name in loaded if name.startswith("cosem.classes.standard.")}
    assert families == {"cosem.classes.standard.register", "cosem.classes.standard.references"}
    assert not loaded & {"asyncio", "cryptography", "numpy", "hypothesis", "pathlib", "json"}
