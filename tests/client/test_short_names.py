"""The same calls where objects have short names: nothing above the services knows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from cosem.association.client.parameters import ALL_SERVICES_SN
from cosem.association.server.indications import MethodOutcome
from cosem.association.short_names.assignment import assign
from cosem.association.short_names.table import ShortNameTable
from cosem.classes import Clock
from cosem.client.session import Session
from cosem.errors import AccessError, ActionError, ExceptionResponseError, TransportClosed, TransportTimeout
from cosem.types.data import Array, DoubleLongUnsigned, Enum, Integer, OctetString, Structure, Unsigned
from cosem.types.enumerations import ActionResult, ApplicationContext, Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.client.meter import (
    CLOCK,
    ENERGY,
    LIST,
    NOW,
    ODD,
    PROFILE,
    SILENCE,
    VOLTAGE,
    Meter,
    connected,
    connected_async,
    run_virtual,
)
from tests.client.test_profile import ProfileMeter, selector_of

OBJECTS = [
    (12, 1, LIST),
    (3, 0, ENERGY),
    (3, 0, VOLTAGE),
    (8, 0, CLOCK),
    (7, 1, PROFILE),
    (1, 0, ODD),
]
SN = {"application_context": ApplicationContext.SN}
WITHOUT_GENERAL_BLOCKS = ALL_SERVICES_SN & ~Conformance.GENERAL_BLOCK_TRANSFER


def short_named(kind=Meter, **profile):
    table = ShortNameTable(
        assign([(class_id, version, LogicalName(name)) for class_id, version, name in OBJECTS])
    )
    facts = {"conformance": ALL_SERVICES_SN, "short_names": lambda: table, **SN, **profile}
    meter = kind(**facts)
    meter.values[12, LIST, 2] = table.to_object_list()
    meter.values[12, LIST, 3] = Array(
        Structure(
            (
                each.to_data()[0],
                Array([Structure((Integer(2), Enum(1), None))]),
                Array([Structure((Integer(1), True))]),
            )
        )
        for each in table
    )
    return meter


def test_values_are_read_by_their_usual_names():
    meter = short_named()
    client, _ = connected(meter, **SN)
    assert client.get("1-0:1.8.0") == 12_345_678
    assert {request[0] for request in meter.received[1:]} == {0x05}
    reading = client.read(ENERGY)
    assert (reading.value, reading.unit) == (Decimal("12345.678"), "Wh")
    assert [result.value for result in client.get_many([ENERGY, VOLTAGE])] == [12_345_678, 2304]
    assert client[Clock].time.octets == NOW


def test_the_object_list_has_base_names_and_rights():
    client, _ = connected(short_named(), **SN)
    entries = {str(entry.logical_name): entry for entry in client.objects()}
    energy = entries[ENERGY]
    assert (energy.class_id, energy.title, energy.attribute_rights) == (3, "Register", {2: "read"})
    assert energy.method_rights == {1: "call"}
    assert energy.base_name is not None
    assert entries[LIST].base_name == 0xFA00
    assert client.get(energy) == 12_345_678


def test_an_object_list_without_rights_is_still_a_list():
    meter = short_named()
    meter.values[12, LIST, 3] = DataAccessResult.READ_WRITE_DENIED
    client, _ = connected(meter, **SN)
    assert {entry.class_id for entry in client.objects()} == {1, 3, 7, 8, 12}
    assert client.objects()[0].attribute_rights == {}


def test_rights_that_cannot_be_read_are_a_finding():
    meter = short_named()
    meter.values[12, LIST, 3] = Array([Unsigned(1)])
    client, _ = connected(meter, **SN)
    assert len(client.objects()) == len(OBJECTS)
    assert "access-rights-list: no list of rights" in client.findings


def test_writing_and_calling():
    meter = short_named()
    meter.methods[3, ENERGY, 1] = MethodOutcome()
    meter.methods[8, CLOCK, 6] = MethodOutcome(ActionResult.READ_WRITE_DENIED)
    client, _ = connected(meter, **SN)
    client.set(ENERGY, 2, 7)
    assert meter.values[3, ENERGY, 2] == 7
    assert client.call(ENERGY, "reset") is None
    with pytest.raises(ActionError, match="read-write-denied"):
        client.call(CLOCK, 6, 5)
    assert [
        result.ok for result in client.set_many([(ENERGY, 2, Unsigned(1)), (VOLTAGE, 2, Unsigned(2))])
    ] == [
        True,
        True,
    ]


def test_what_has_no_short_name_is_refused():
    client, _ = connected(short_named(), **SN)
    with pytest.raises(AccessError, match="object-undefined"):
        client.get("1-0:2.8.0")


def test_profiles_are_selected_by_parameterized_access():
    meter = short_named(ProfileMeter)
    client, _ = connected(meter, **SN)
    assert len(client.profile(PROFILE).read(last="2h")) == 8
    assert meter.asked == [1]
    meter = short_named(ProfileMeter, conformance=ALL_SERVICES_SN & ~Conformance.PARAMETERIZED_ACCESS)
    client, _ = connected(meter, **SN)
    assert len(client.profile(PROFILE).read(last="2h")) == 8
    assert meter.asked == [None]


def test_after_a_time_out_the_association_is_given_up_since_answers_have_no_invoke_id():
    meter = short_named()
    client, channel = connected(meter, session=Session(retries=3), **SN)
    client.objects()
    meter.bend = lambda _: SILENCE
    with pytest.raises(TransportTimeout, match="no answer within 10 s"):
        client.get(ENERGY)
    assert not client.associated
    assert channel.closed
    with pytest.raises(TransportClosed, match="a late answer could not be told from the next one"):
        client.get(ENERGY)


def test_the_asynchronous_client_gives_up_likewise():
    async def test():
        meter = short_named()
        client, transport = await connected_async(meter, **SN)
        assert await client.get(ENERGY) == 12_345_678
        meter.bend = lambda _: SILENCE
        with pytest.raises(TransportTimeout):
            await client.get(ENERGY)
        assert not client.associated
        assert transport.closed
        await client.close()

    run_virtual(test)


def test_unconfirmed_writing():
    meter = short_named()
    client, _ = connected(meter, **SN)
    client.objects()
    client.set(ENERGY, 2, DoubleLongUnsigned(3), confirmed=False)
    assert meter.values[3, ENERGY, 2] == 3
    assert meter.received[-1][0] == 0x16
    assert OctetString(b"") == b""


def test_lists_are_as_long_as_short_names_let_them_be():
    meter = short_named(max_receive_pdu_size=40)
    client, _ = connected(meter, **SN, conformance=WITHOUT_GENERAL_BLOCKS)
    client.get(ENERGY)
    before = len(meter.received)
    assert [result.value for result in client.get_many([ENERGY, VOLTAGE] * 10)] == [12_345_678, 2304] * 10
    first, second = meter.received[before:]
    assert (first[:2].hex(), second[:2].hex()) == ("050c", "0508")
    assert len(first) == 2 + 12 * 3
    before = len(meter.received)
    results = client.set_many([(ENERGY, 2, DoubleLongUnsigned(number)) for number in range(5)])
    assert all(result.ok for result in results)
    first, second = meter.received[before:]
    assert (len(first), first[:2].hex(), second[:2].hex()) == (1 + 1 + 4 * 3 + 1 + 4 * 5, "0604", "0601")


def test_a_list_with_whole_objects_fits_too():
    meter = short_named(max_receive_pdu_size=40)
    client, _ = connected(meter, **SN, conformance=WITHOUT_GENERAL_BLOCKS)
    client.get(ENERGY)
    before = len(meter.received)
    assert all(result.ok for result in client.get_many([(ENERGY, 0)] * 10))
    assert {request[0] for request in meter.received[before:]} == {5}
    assert max(map(len, meter.received[before:])) <= 40
    assert all(request[2] != 6 for request in meter.received[before:])  # none had to go in blocks


class GivesAll(ProfileMeter):
    """Takes every selection, and gives the whole buffer of three days."""

    def __init__(self, **profile):
        super().__init__(**profile)
        self.rows = [
            Structure(
                (
                    OctetString(bytes.fromhex(f"07EA0B{day:02X}FF{hour:02X}000000FFC400")),
                    DoubleLongUnsigned(n),
                )
            )
            for n, (day, hour) in enumerate((day, hour) for day in (20, 21, 22, 23, 24) for hour in range(24))
        ]

    def buffer(self, selection):
        self.asked.append(selector_of(selection))
        return Array(self.rows)


@pytest.mark.parametrize("short", [True, False])
def test_a_meter_that_ignores_selective_access_is_told_and_its_rows_are_sorted_out_here(short):
    meter = short_named(GivesAll) if short else GivesAll()
    client, _ = connected(meter, **(SN if short else {}))
    profile = client.profile(PROFILE)
    table = profile.read(since=datetime(2026, 11, 22), until=datetime(2026, 11, 22, 5))
    assert list(table.column("1-0:1.8.0")) == [Decimal(n).scaleb(-3) for n in range(48, 54)]
    assert table.selected_by == "whole"
    assert client.findings[-1] == f"selective-access-ignored: {PROFILE} by range"
    assert meter.asked == [1, None]
    assert len(profile.read(since=datetime(2026, 11, 23), until=datetime(2026, 11, 23, 1))) == 2
    assert meter.asked == [1, None, None]  # it is not asked again
    assert [int(each * 1000) for each in profile.read(entries=(3, 4)).column("1-0:1.8.0")] == [2, 3]
    assert client.findings[-1] == f"selective-access-ignored: {PROFILE} by entry"


def test_methods_are_called_by_read_where_the_meter_takes_them_no_other_way():
    meter = short_named()
    meter.methods[3, ENERGY, 1] = MethodOutcome()
    meter.bend = lambda request: bytes.fromhex("0D010104") if request[0] == 0x06 else None
    client, _ = connected(meter, **SN, conformance=WITHOUT_GENERAL_BLOCKS)
    client.get(ENERGY)
    before = len(meter.received)
    assert client.call(ENERGY, "reset") is None
    assert [request[:3].hex() for request in meter.received[before:]] == ["060102", "050104"]
    assert client.findings[-1] == f"methods-by-read: {ENERGY} method 1"
    before = len(meter.received)
    assert client.call(ENERGY, "reset") is None
    assert [result.ok for result in client.call_many([(ENERGY, 1), (ENERGY, 1)])] == [True, True]
    assert [request[:3].hex() for request in meter.received[before:]] == ["050104", "050204"]


def test_a_method_that_is_refused_either_way_has_the_first_refusal():
    meter = short_named()
    meter.methods[8, CLOCK, 6] = MethodOutcome(ActionResult.READ_WRITE_DENIED)
    client, _ = connected(meter, **SN, conformance=WITHOUT_GENERAL_BLOCKS)
    with pytest.raises(ActionError, match="read-write-denied"):
        client.call(CLOCK, 6, 5)
    assert not any(finding.startswith("methods-by-read") for finding in client.findings)


NOT_BY_READ = {
    "confirmedServiceError": "0E050302",
    "exception-response": "D80202",
    "refused": "0C010103",
}


def denying(by_read):
    """Return a client of a meter that lets no method be written, and the meter."""
    meter = short_named()
    client, channel = connected(meter, **SN, conformance=WITHOUT_GENERAL_BLOCKS)
    client.get(ENERGY)
    meter.received.clear()

    def bend(request):
        if request[0] == 0x06:
            return bytes([0x0D, request[1]]) + b"\x01\x03" * request[1]
        return by_read if request[0] == 0x05 else None

    meter.bend = bend
    return client, meter, channel


@pytest.mark.parametrize("by_read", NOT_BY_READ.values(), ids=NOT_BY_READ)
def test_the_first_refusal_of_a_method_stands_whatever_read_says(by_read):
    client, meter, _ = denying(bytes.fromhex(by_read))
    with pytest.raises(ActionError, match="read-write-denied"):
        client.call(ENERGY, "reset")
    results = client.call_many([(ENERGY, 1), (ENERGY, 1)])
    assert all(isinstance(result.error, ActionError) and result.error.result == 3 for result in results)
    if by_read != NOT_BY_READ["refused"]:  # a meter that knows no such Read is asked once
        assert [request[0] for request in meter.received] == [0x06, 0x05, 0x06]
        assert any(finding.startswith("methods-by-read refused") for finding in client.findings)


def test_a_list_of_methods_is_called_by_read_too_where_all_were_refused():
    client, meter, _ = denying(b"\x0c\x01\x00\x00")
    assert [result.ok for result in client.call_many([(ENERGY, 1), (ENERGY, 1)])] == [True, True]
    assert [request[:2].hex() for request in meter.received] == ["0602", "0501", "0501"]
    assert client.findings[-2:] == (f"methods-by-read: {ENERGY} method 1",) * 2


def test_methods_that_were_called_by_read_are_told_when_a_later_one_has_no_answer():
    client, meter, _ = denying(None)

    def bend(request):
        if request[0] == 0x06:
            return bytes.fromhex("0D0201030103")
        return b"\x0c\x01\x00\x00" if len(meter.received) == 2 else SILENCE

    meter.bend = bend
    with pytest.raises(TransportTimeout) as caught:
        client.call_many([(ENERGY, 1), (ENERGY, 1)])
    assert [result.ok for result in caught.value.results] == [True]


def test_methods_after_one_that_was_called_are_not_called_by_read():
    """They would be called out of order."""
    client, meter, _ = denying(b"\x0c\x01\x00\x00")
    meter.bend = lambda request: bytes.fromhex("0D02010300") if request[0] == 0x06 else None
    assert [result.ok for result in client.call_many([(ENERGY, 1), (ENERGY, 1)])] == [False, True]
    assert len(meter.received) == 1


@pytest.mark.parametrize("many", [False, True])
def test_a_read_of_a_method_without_an_answer_tells_the_first_refusal_too(many):
    client, meter, channel = denying(SILENCE)
    with pytest.raises(TransportTimeout, match=r"no answer within 10 s .* after Write: .*read-write-denied"):
        client.call_many([(ENERGY, 1), (ENERGY, 1)]) if many else client.call(ENERGY, "reset")
    assert channel.closed  # no answer by short names can be told from the next one
    assert len(meter.received) == 2


def test_a_method_whose_answer_to_read_had_begun_was_executed():
    client, meter, _ = denying(None)

    def bend(request):
        if request[0] == 0x06:
            return bytes.fromhex("0D010103")
        return bytes.fromhex("D80101" if request[:3] == b"\x05\x01\x05" else "0C010200000103010900")

    meter.bend = bend
    with pytest.raises(ExceptionResponseError) as caught:
        client.call(ENERGY, "reset")
    assert caught.value.answer_begun


@pytest.mark.parametrize(
    ("answer", "one_by_one"),
    [("0D0101FA", True), ("0D010103", True), ("0D02010E010E", True), ("0D0201030103", False)],
)
def test_a_list_that_is_refused_with_one_error_is_written_one_by_one(answer, one_by_one):
    client, meter, _ = denying(None)
    meter.bend = lambda request: bytes.fromhex(answer) if request[:2] == b"\x06\x02" else None
    results = client.set_many([(ENERGY, 2, DoubleLongUnsigned(5), 3), (ENERGY, 2, DoubleLongUnsigned(6), 3)])
    assert [result.ok for result in results] == [one_by_one] * 2
    assert len(meter.received) == (3 if one_by_one else 1)


def test_a_method_that_was_refused_for_its_state_is_not_called_again():
    """It may have been begun."""
    meter = short_named()
    meter.methods[8, CLOCK, 6] = MethodOutcome(ActionResult.TEMPORARY_FAILURE)
    client, _ = connected(meter, **SN, conformance=WITHOUT_GENERAL_BLOCKS)
    client.get(CLOCK)
    before = len(meter.received)
    with pytest.raises(ActionError, match="temporary-failure"):
        client.call(CLOCK, 6, 5)
    assert len(meter.received) == before + 1


def test_a_selection_that_is_longer_than_the_meter_takes_goes_in_blocks():
    meter = short_named(ProfileMeter, max_receive_pdu_size=40)
    client, _ = connected(meter, **SN, conformance=WITHOUT_GENERAL_BLOCKS)
    assert len(client.profile(PROFILE).read(last="2h")) == 8
    assert meter.asked == [1]
    assert any(request[:3].hex() == "050106" for request in meter.received)
    assert max(map(len, meter.received[1:])) <= 40
