"""The object list: entries, rights, what is broken in it, and what is remembered."""

from __future__ import annotations

import pytest

from cosem.client.operations.objects import entries_of
from cosem.errors import AccessError, ProtocolError
from cosem.types.data import Array, Enum, Integer, LongUnsigned, OctetString, Structure, Unsigned
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.client.meter import CLOCK, ENERGY, LIST, Meter, access, connected


def test_entries_have_titles_names_and_rights_and_the_list_is_read_once():
    meter = Meter()
    client, _ = connected(meter)
    objects = client.objects()
    energy = objects[1]
    assert (energy.class_id, str(energy.logical_name), energy.version) == (3, ENERGY, 0)
    assert (energy.title, energy.name) == ("Register", "Active energy import (+A), total")
    assert energy.attribute_rights == {1: "read", 2: "read write", 3: "read"}
    assert energy.method_rights == {1: "call"}
    assert energy.writable(2)
    assert not energy.writable(3)
    assert energy.readable(1)
    assert client.objects() is objects
    assert len(meter.received) == 2


def test_a_refresh_reads_the_list_again_and_forgets_what_was_learnt():
    meter = Meter()
    client, _ = connected(meter)
    client.objects()
    client.read(ENERGY)
    meter.values[15, LIST, 2] = Array([access(4, ENERGY)])
    meter.values[4, ENERGY, 2] = Unsigned(1)
    assert [entry.class_id for entry in client.objects(refresh=True)] == [4]
    assert client.read(ENERGY).class_id == 4


def test_a_refused_object_list_is_an_error_with_its_reason():
    meter = Meter()
    meter.values[15, LIST, 2] = DataAccessResult.READ_WRITE_DENIED
    client, _ = connected(meter)
    with pytest.raises(AccessError, match=r"\(object_list\): read-write-denied"):
        client.objects()


def test_rights_are_bit_masks_from_version_3_of_the_association_on():
    masked = Structure(
        (
            LongUnsigned(8),
            Unsigned(0),
            OctetString(LogicalName(CLOCK)),
            Structure(
                (
                    Array(
                        [
                            Structure((Integer(2), Enum(0x4D), Array([Integer(1), Integer(2)]))),
                            Structure((Integer(3), Enum(0), None)),
                        ]
                    ),
                    Array([Structure((Integer(1), Enum(0x05))), Structure((Integer(2), Enum(0x04)))]),
                )
            ),
        )
    )
    value = Array([access(15, LIST, version=3), masked])
    _, clock = entries_of(value, print)
    assert clock.attribute_rights == {
        2: "read authenticated-request encrypted-request encrypted-response",
        3: "",
    }
    assert clock.method_rights == {1: "call authenticated-request", 2: ""}
    assert clock.access_selectors == {2: (1, 2)}
    assert not clock.readable(3)


def test_broken_entries_and_doubles_are_findings_and_the_rest_is_kept():
    findings: list[str] = []
    value = Array([access(3, ENERGY), Structure(()), Unsigned(1), access(3, ENERGY), access(8, CLOCK)])
    entries = entries_of(value, findings.append)
    assert [entry.class_id for entry in entries] == [3, 8]
    assert findings == [
        "object-list-element: entry 1 is no object",
        "object-list-element: entry 2 is no object",
        "object-list-double: 1.0.1.8.0.255 of class 3",
    ]


@pytest.mark.parametrize("value", [None, Unsigned(3), OctetString(b"no list")])
def test_what_is_no_list_is_an_error(value):
    with pytest.raises(ProtocolError, match="an object list expected"):
        entries_of(value, print)


def test_unknown_classes_and_modes_are_kept():
    element = Structure(
        (
            LongUnsigned(8192),
            Unsigned(7),
            OctetString(LogicalName("0.0.199.9.9.255")),
            Structure(
                (Array([Structure((Integer(2), Enum(9), None))]), Array([Structure((Integer(1), Enum(9)))]))
            ),
        )
    )
    (entry,) = entries_of(Array([element]), print)
    assert (entry.title, entry.attribute_rights, entry.method_rights) == (
        "class 8192",
        {2: "mode 9"},
        {1: "mode 9"},
    )


def test_long_lists_come_in_blocks_and_progress_is_told():
    meter = Meter()
    client, _ = connected(meter, client_max_receive_pdu_size=64)
    seen: list[int] = []
    assert len(client.objects(progress=seen.append)) == 8
    assert len(seen) > 5
    assert seen == sorted(seen)
