"""Every declared class against the tables of the standard, in tests/vectors/interface-classes.json."""

from __future__ import annotations

import pytest

from cosem.classes import Clock, all_classes, class_of
from cosem.classes.base import InterfaceClass
from tests.vectors import load

TABLES = load("interface-classes")
every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.id)


@every_table
def test_the_class_is_declared_as_its_table_says(table):
    declared = class_of(table["class_id"], table["version"])
    assert declared is not None
    assert (declared.class_id, declared.version) == (table["class_id"], table["version"])
    assert declared.title == table["name"]
    assert declared.edition_status == table["status"]
    assert declared.confidence == table["confidence"]
    assert list(declared.logical_names) == table["logical_names"]


@every_table
def test_the_attributes_are_those_of_the_table(table):
    declared = class_of(table["class_id"], table["version"])
    assert [
        {
            "id": attribute.number,
            "name": attribute.printed_name,
            "type": str(attribute.data_type),
            "nature": attribute.nature,
            "access": attribute.access,
            "sn_offset": attribute.short_name_offset,
            "min": attribute.minimum,
            "max": attribute.maximum,
        }
        for attribute in declared.attributes
    ] == [
        {"min": None, "max": None} | {k: v for k, v in row.items() if k not in {"default", "remark"}}
        for row in table["attributes"]
    ]


@every_table
def test_the_methods_are_those_of_the_table(table):
    declared = class_of(table["class_id"], table["version"])
    assert [
        {
            "id": method.number,
            "name": method.name,
            "parameter": str(method.parameter_type),
            "returns": None if method.return_type is None else str(method.return_type),
            "requirement": "mandatory" if method.mandatory else "optional",
            "sn_offset": method.short_name_offset,
        }
        for method in declared.methods
    ] == [
        {"returns": None, "sn_offset": None} | {k: v for k, v in row.items() if k != "remark"}
        for row in table["methods"]
    ]


def test_there_are_as_many_classes_as_tables():
    assert [(known.class_id, known.version) for known in all_classes()] == [
        (table["class_id"], table["version"]) for table in TABLES
    ]


@every_table
def test_the_default_of_an_attribute_is_the_one_of_the_table(table):
    declared = class_of(table["class_id"], table["version"])
    expected = {row["id"]: row["default"] for row in table["attributes"] if "default" in row}
    assert {a.number: a.initial for a in declared.attributes if a.initial is not None} == expected


def test_an_attribute_stays_that_of_its_class_when_another_one_takes_it_over():
    time, name = Clock.time, Clock.logical_name
    taken = type("Taken", (InterfaceClass,), {"moment": time, "logical_name": name})
    assert [attribute.number for attribute in taken.attributes] == [1, 2]
    assert (time.owner, time.name, time.printed_name) == (Clock, "time", "time")
    assert name.owner is InterfaceClass
