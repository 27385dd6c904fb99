"""What two meters differ in."""

from __future__ import annotations

from cosem.classes.meter_record import MeterRecord, ObjectRights, RecordedObject
from cosem.classes.standard.access_rights import AccessMode
from cosem.translate.meter_diff import Difference, differences
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
