"""``cosem classes``: what the registry holds."""

from __future__ import annotations

import pytest

from cosem.classes.registry import CLASSES


def test_json_lists_the_whole_registry(cosem):
    done = cosem("classes", "--json")
    assert done.status == 0
    assert [(each["class_id"], each["version"]) for each in done.json] == list(CLASSES)
    register = next(each for each in done.json if each["class_id"] == 3)
    assert register["name"] == "Register"
    assert register["attributes"][2]["id"] == 3
    assert register["attributes"][2]["name"] == "scaler_unit"
    assert set(register["attributes"][0]) == {"id", "name", "type"}
    assert register["methods"] == [{"id": 1, "name": "reset"}]


def test_members_are_named_as_the_standard_prints_them(cosem):
    found = {
        (each["class_id"], attribute["name"])
        for each in cosem("classes", "--json").json
        for attribute in each["attributes"]
    }
    printed = {(41, "TCP-UDP_port"), (72, "version"), (76, "M-Bus_version"), (128, "class")}
    assert printed <= found
    assert not any(name.endswith("_") for _, name in found)
    assert "TCP-UDP_port" in cosem("classes", "41").out


def test_list_has_a_line_for_each(cosem):
    done = cosem("classes")
    assert len(done.out.splitlines()) == 2 + len(CLASSES)


@pytest.mark.parametrize(
    ("name", "version"), [("7", 1), ("7:0", 0), ("Profile Generic", 1), ("profile generic", 1)]
)
def test_one_class_is_shown_in_full(cosem, name, version):
    done = cosem("classes", name)
    assert done.out.startswith(f"Profile generic: class_id 7, version {version}\n")
    assert "capture_objects" in done.out
    assert "reset" in done.out


def test_a_part_of_the_name_finds_several(cosem):
    names = {each["name"] for each in cosem("classes", "--json", "m-bus").json}
    assert "M-Bus client" in names
    assert all("M-Bus" in name for name in names)


@pytest.mark.parametrize("name", ["9999", "7:9", "zzzz", "٣", "7:x", "99999999999999999999"])
def test_what_is_unknown_is_wrong_usage(cosem, name):
    done = cosem("classes", name)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
