"""gurux-dlms' client at each of our templates: object list, every attribute of every object, and the profiles."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

import cosem
from cosem.classes.registry import class_of
from cosem.connecting.simulated import meter_maker, template_names
from cosem.errors import AccessError
from cosem.server import serve_in_thread
from cosem.types.data import OctetString
from cosem.types.date_time import DateTime

MANAGEMENT: dict[str, Any] = {"client": 1, "password": "87654321"}
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
RANGE = ("2026-11-25T10:00:00+00:00", "2026-11-25T12:00:00+00:00")
_PROFILE = 7
_DATE_TIME = 12


@dataclass(frozen=True)
class Read:
    """What both clients read of a template.

    Attributes:
        name: Of the template.
        objects: What our client sees: class, version and name.
        attributes: What it reads: octets, or the number of the refusal.
        profiles: Its rows by entry, and by range.
        theirs: The cases of the peer.
    """

    name: str
    objects: list[list[Any]]
    attributes: dict[str, str | int]
    profiles: dict[str, tuple[Any, Any]]
    theirs: dict[str, Any]


@pytest.fixture(scope="module", params=template_names())
def read(request: pytest.FixtureRequest, run_client: Callable[..., dict[str, Any]]) -> Read:
    name: str = request.param
    short_names = name == "short-names"
    # Both see the meter at one moment.
    with serve_in_thread(meter_maker(name, clock=lambda: NOON)(7, None)) as url:
        with cosem.connect(url, short_names=short_names, **MANAGEMENT) as meter:
            entries = meter.objects()
            wanted = {f"{e.class_id} {e.logical_name}": _numbers(e.class_id, e.version) for e in entries}
            items = [
                (e.logical_name, n, e.class_id) for e in entries for n in _numbers(e.class_id, e.version)
            ]
            attributes = {
                f"{item[0]} {item[1]}": _told(result)
                for item, result in zip(items, meter.get_many(items), strict=True)
            }
            profiles = {
                str(e.logical_name): _read_profile(meter, e.logical_name)
                for e in entries
                if e.class_id == _PROFILE
            }
        plan = {
            "short_names": short_names,
            "attributes": wanted,
            "profiles": list(profiles),
            "range": RANGE,
        }
        security = {"mechanism": 1, "secret": MANAGEMENT["password"]}
        theirs = run_client(
            "gurux_templates.py", int(url.rpartition(":")[2]), plan, security, "--client", "1"
        )
    objects = [[e.class_id, e.version, str(e.logical_name)] for e in entries]
    return Read(name, objects, attributes, profiles, theirs)


def _numbers(class_id: int, version: int) -> list[int]:
    declared = class_of(class_id, version)
    assert declared is not None
    return [each.number for each in declared.attributes]


def _read_profile(meter: Any, name: Any) -> tuple[Any, Any]:
    profile = meter.profile(name)
    since, until = map(datetime.fromisoformat, RANGE)
    return profile.read(entries=(1, 3)), profile.read(since=since, until=until)


def _told(result: Any) -> str | int:
    if result.ok:
        return cosem.encode_data(result.value).hex()
    assert isinstance(result.error, AccessError)
    return int(result.error.result)


def _alike(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, OctetString) and len(ours) == _DATE_TIME:
        moment = DateTime(bytes(ours)).to_datetime().replace(tzinfo=None)
        return moment.isoformat() == str(theirs)
    return str(ours) == str(theirs)


def test_it_sees_the_objects_that_our_client_sees(read: Read) -> None:
    assert sorted(read.theirs["objects"]["value"]) == sorted(read.objects)


def test_it_reads_every_attribute_of_every_object(read: Read) -> None:
    different = {}
    for name, ours in read.attributes.items():
        case = read.theirs[name]
        if isinstance(ours, int):
            same = not case["ok"] and f"error {ours}" in case["error"]
        else:
            same = case["ok"] and case["value"] == ours
        if not same and not _is_known(read, name):
            different[name] = ours, case
    assert not different, json.dumps(different)
    assert len(read.attributes) > 50


def _is_known(read: Read, name: str) -> bool:
    """Return whether a difference is none of the meter's.

    What was agreed on is another thing for each client. Answers in blocks are left out with short names.
    """
    logical_name, _, number = name.partition(" ")
    if number == "5" and any(o[2] == logical_name and o[0] == 15 for o in read.objects):
        return True
    blocks = number == "2" and logical_name in read.profiles
    return read.name == "short-names" and blocks


def test_it_reads_the_profiles_by_entry_and_by_range(read: Read) -> None:
    for name, (by_entry, by_range) in read.profiles.items():
        columns = read.theirs[f"{name} columns"]
        assert columns["ok"], columns
        assert [each[1] for each in columns["value"]] == [str(c.logical_name) for c in by_entry.columns]
        for how, table in (("entry", by_entry), ("range", by_range)):
            case = read.theirs[f"{name} by {how}"]
            assert case["ok"], case
            assert len(case["value"]) == len(table), (name, how)
            for ours, theirs in zip(table.raw, case["value"], strict=True):
                assert all(map(_alike, ours, theirs)), (name, how, ours, theirs)
    assert read.profiles
