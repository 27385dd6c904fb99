"""What two meters differ in."""

from __future__ import annotations

import pytest

from cosem.classes.meter_record import MeterRecord, ObjectRights, RecordedObject
from cosem.classes.standard.access_rights import AccessMode
from cosem.translate.meter_diff import Difference, differences, left_out
from cosem.types.data import DoubleLongUnsigned, Integer, Long, Structure, Unsigned
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

NAME = LogicalName("1-0:1.8.0")


def meter(**facts):
    return MeterRecord(b"ABC", objects=(RecordedObject(3, NAME, **facts),))


def found(one, other, **options):
    return list(differences(meter(**one), meter(**other), **options))


def test_a_meter_does_not_differ_from_itself():
    one = {"values": {2: Unsigned(1), 3: None}, "rights": {None: ObjectRights({1: AccessMode.READ})}}
    assert found(one, one, dynamic=True) == []


def test_values_that_change_by_themselves_count_only_when_asked_for():
    one, other = {"values": {2: Unsigned(1)}}, {"values": {2: Unsigned(2)}}
    assert found(one, other) == []
    assert found(one, other, dynamic=True) == [
        Difference("value", NAME, 3, 2, "value", Unsigned(1), Unsigned(2))
    ]


@pytest.mark.parametrize(
    ("class_id", "name", "counts"),
    [
        (1, "0-0:96.1.0", True),  # a serial number
        (1, "0-0:94.33.1", True),  # of a country
        (1, "1-0:0.4.2", True),  # a ratio
        (1, "0-0:97.98.10", True),  # a filter of alarms
        (1, "0-0:97.98.0", False),
        (1, "0-0:97.98.20", False),
        (1, "0-0:43.1.0", False),  # an invocation counter
        (1, "0-0:1.1.0", False),  # UNIX time
        (1, "0-0:96.7.21", False),  # power failures
        (1, "0-0:96.14.0", False),  # the active tariff
        (1, "1-0:0.1.0", False),  # billing periods
        (1, "1-0:1.8.0", False),  # a reading
        (3, "1-0:1.8.0", False),
        (3, "1-0:0.4.2", True),
        (3, "1-0:12.31.0", True),  # a limit
        (42, "0-0:25.1.0", True),  # its address
    ],
)
def test_data_and_registers_count_by_their_name(class_id, name, counts):
    number = 3 if class_id == 42 else 2
    one, other = (
        MeterRecord(
            b"ABC", objects=(RecordedObject(class_id, LogicalName(name), values={number: Unsigned(n)}),)
        )
        for n in (1, 2)
    )
    assert len(list(differences(one, other))) == int(counts)
    assert left_out(one, other) == int(not counts)
    assert len(list(differences(one, other, dynamic=True))) == 1


def test_what_only_one_of_them_was_asked_for_is_not_left_out():
    one, other = {"values": {2: Unsigned(1)}}, {"values": {}}
    assert left_out(meter(**one), meter(**other)) == 0


def test_types_count_and_so_do_refusals_and_what_is_missing():
    one = {"values": {3: Structure((Integer(1),))}, "refusals": {4: DataAccessResult.OTHER_REASON}}
    other = {"values": {3: Structure((Long(1),)), 4: None, 5: None}}
    changed = found(one, other)
    assert [(each.number, each.missing) for each in changed] == [(3, 0), (4, 0), (5, 1)]
    assert changed[1].before is DataAccessResult.OTHER_REASON
    assert [each.missing for each in found(other, one)] == [0, 0, 2]


def test_objects_versions_and_rights_are_compared():
    one = MeterRecord(b"A", objects=(RecordedObject(3, NAME), RecordedObject(1, NAME, 0)))
    other = MeterRecord(
        b"B",
        objects=(
            RecordedObject(1, NAME, 1, rights={5: ObjectRights({2: AccessMode.READ})}),
            RecordedObject(4, NAME, values={2: DoubleLongUnsigned(1)}),
        ),
    )
    assert [(each.kind, each.class_id, each.before, each.after) for each in differences(one, other)] == [
        ("only in the first", 3, None, None),
        ("version", 1, 0, 1),
        ("rights", 1, "", "client 5: r 2"),
        ("only in the second", 4, None, None),
    ]
