"""Schedules, parameter monitors, register tables and compact data do what their classes say, in injected time."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date, timedelta

import pytest
from hypothesis import given

from cosem.classes.registry import CLASSES, class_of
from cosem.codec.compact_array import read_contents, read_type_description
from cosem.codec.data import encode_data
from cosem.codec.reader import Reader
from cosem.server import (
    ClockObject,
    DataObject,
    ProfileGenericObject,
    RegisterObject,
    ScriptTableObject,
    SpecialDaysTableObject,
    make_object,
    object_class,
)
from cosem.server.objects.compact_data import compacted
from cosem.server.objects.schedule import ScheduleObject
from cosem.testing.strategies import values
from cosem.types.data import (
    Array,
    DoubleLongUnsigned,
    Enum,
    Integer,
    Long,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.date_time import Date, Time
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.server.driver import NOON, Client, StandingClock, meter

OK = ActionResult.SUCCESS
SCHEDULE, SCRIPTS, RESULT = "0-0:12.0.0", "0-0:10.0.100", "0-0:96.1.0"
ANY_DATE = Date.fromhex("FFFFFFFFFF")


def entry(
    index,
    at,
    *,
    script=None,
    window=0,
    weekdays="1111111",
    specdays="",
    enable=True,
    begin=ANY_DATE,
    end=ANY_DATE,
):
    hour, minute = map(int, at.split(":"))
    time = Time(bytes((hour, minute, 0, 0)))
    return (
        index,
        enable,
        SCRIPTS,
        index if script is None else script,
        time,
        window,
        weekdays,
        specdays,
        begin,
        end,
    )


def scheduled(*entries, special=(), clock=None):
    """Return a client of a meter whose scripts 1 to 9 write their number down."""
    done = []
    result = DataObject(RESULT, value=Unsigned(0))
    result.setter("value")(lambda value: done.append(int(value)))
    scripts = [(n, [(1, 1, RESULT, 2, Unsigned(n))]) for n in range(1, 10)]
    device = meter(
        ClockObject(),
        result,
        ScriptTableObject(SCRIPTS, scripts=scripts),
        SpecialDaysTableObject("0-0:11.0.0", entries=special),
        make_object(10, SCHEDULE, entries=entries),
        clock=clock,
    )
    return Client(device), done


def test_entries_run_at_their_time_in_the_order_of_their_indices():
    clock = StandingClock()
    client, done = scheduled(
        entry(3, "13:00"), entry(2, "13:00"), entry(1, "12:30", enable=False), clock=clock
    )
    clock.move(minutes=59)
    client.get(1, RESULT, 2)
    assert done == []
    clock.move(minutes=2)
    client.get(1, RESULT, 2)
    assert done == [2, 3]
    clock.move(days=1)
    client.get(1, RESULT, 2)
    assert done == [2, 3, 2, 3]


def test_weekdays_dates_and_special_days_say_on_which_days():
    clock = StandingClock()  # a Wednesday
    winter = Date.fromhex("FFFF0C01FF"), Date.fromhex("FFFF021CFF")
    client, done = scheduled(
        entry(1, "06:00", weekdays="0000011"),
        entry(2, "06:00", weekdays="0000000", specdays="01"),
        entry(3, "06:00", begin=winter[0], end=winter[1]),
        entry(4, "06:00", begin=Date.fromhex("07EA0B1CFF"), end=Date.fromhex("07EA0B1CFF")),
        special=[(1, Date.fromhex("FFFF0B1DFF"), 2)],
        clock=clock,
    )
    days = []
    for _ in range(7):
        clock.move(days=1)
        client.get(1, RESULT, 2)
        days.append(tuple(done))
        done.clear()
    # Thursday 26 November to Wednesday 2 December: the Sunday is special, and December is winter.
    assert days == [(), (), (1, 4), (2,), (), (3,), (3,)]


@pytest.mark.parametrize(
    ("day", "begin", "end", "runs"),
    [
        ((2026, 11, 25), "FFFFFFFFFF", "FFFFFFFFFF", True),
        ((2026, 1, 5), "FFFF0C01FF", "FFFF021CFF", True),
        ((2026, 6, 5), "FFFF0C01FF", "FFFF021CFF", False),
        ((2026, 6, 5), "FFFF0601FF", "FFFF06FFFF", True),
        ((2026, 7, 1), "FFFF0601FF", "FFFF06FFFF", False),
        ((2026, 7, 1), "07EA0701FF", "07EB0101FF", True),
        ((2027, 1, 2), "07EA0701FF", "07EB0101FF", False),
    ],
)
def test_dates_may_leave_things_open_and_go_over_new_years_eve(day, begin, end, runs):
    target = ScheduleObject(entries=[entry(1, "06:00", begin=Date.fromhex(begin), end=Date.fromhex(end))])
    assert target.runs_on(target.entries[0], date(*day)) is runs


def set_clock(client, moment):
    time = client.device["0-0:1.0.0"].date_time(moment)
    assert client.set(8, "0-0:1.0.0", 2, OctetString(time.octets)) is DataAccessResult.SUCCESS
    client.get(1, RESULT, 2)


def test_what_the_clock_jumped_over_runs_late_if_it_may():
    clock = StandingClock()
    client, done = scheduled(
        entry(1, "12:10", window=0),
        entry(2, "12:40", window=15),
        entry(3, "12:50", window=15),
        entry(4, "12:20", window=0xFFFF),
        clock=clock,
    )
    set_clock(client, NOON + timedelta(hours=1))
    clock.move(seconds=1)
    client.get(1, RESULT, 2)
    assert done == [4, 3]
    set_clock(client, NOON + timedelta(minutes=30))
    clock.move(minutes=15)
    client.get(1, RESULT, 2)
    assert done == [4, 3, 2]


def test_entries_are_disabled_enabled_inserted_and_deleted():
    client, _ = scheduled(*(entry(n, "06:00", enable=n % 2 == 0) for n in range(1, 6)))
    target = client.device[SCHEDULE]

    def state():
        return {int(each[0]): bool(each.enable) for each in target.entries}

    ranges = Structure(map(LongUnsigned, (1, 3, 3, 5)))
    assert client.call(10, SCHEDULE, 1, ranges).result == OK
    assert state() == {1: False, 2: False, 3: True, 4: True, 5: True}
    assert client.call(10, SCHEDULE, 1, Structure(map(LongUnsigned, (0, 5, 4, 2)))).result == OK
    assert state() == {1: False, 2: False, 3: True, 4: True, 5: True}
    assert client.call(10, SCHEDULE, 3, Structure(map(LongUnsigned, (2, 4)))).result == OK
    assert state() == {1: False, 5: True}
    assert client.call(10, SCHEDULE, 2, Structure(target.entries[1].replace(enable=False))).result == OK
    assert state() == {1: False, 5: False}
    assert client.call(10, SCHEDULE, 2, Structure((Unsigned(1),))).result != OK


def reference(class_id, name, attribute):
    return Structure((LongUnsigned(class_id), OctetString(LogicalName(name)), Integer(attribute)))


MONITOR = "0-0:16.2.0"


@pytest.mark.parametrize("version", [0, 1])
def test_a_parameter_monitor_notes_what_changed_and_when(version):
    clock = StandingClock()
    device = meter(
        make_object(65, MONITOR, version=version, parameter_list=[(1, RESULT, 2)]),
        DataObject(RESULT, value=Unsigned(1)),
        DataObject("0-0:96.1.1", value=Unsigned(2)),
        clock=clock,
    )
    client = Client(device)
    clock.move(minutes=5)
    client.set(1, "0-0:96.1.1", 2, Unsigned(9))
    assert client.get(65, MONITOR, 2)[0] == 0
    client.set(1, RESULT, 2, Unsigned(7))
    assert client.get(65, MONITOR, 2) == Structure((*reference(1, RESULT, 2), Unsigned(7)))
    assert bytes(client.get(65, MONITOR, 3))[5:7] == bytes((12, 5))
    assert client.call(65, MONITOR, 1, reference(1, "0-0:96.1.1", 2)).result == OK
    assert client.call(65, MONITOR, 1, reference(1, "0-0:96.1.9", 2)).result == ActionResult.OBJECT_UNDEFINED
    client.set(1, "0-0:96.1.1", 2, Unsigned(8))
    assert client.get(65, MONITOR, 2)[3] == 8
    assert client.call(65, MONITOR, 2, reference(1, RESULT, 2)).result == OK
    assert client.call(65, MONITOR, 2, reference(1, RESULT, 2)).result == ActionResult.OBJECT_UNDEFINED
    assert len(client.get(65, MONITOR, 4)) == 1


def test_a_parameter_monitor_digests_its_values():
    target = make_object(65, MONITOR, parameter_list=[(1, RESULT, 2), (3, RESULT, 2)], hash_algorithm_id=1)
    client = Client(meter(target, DataObject(RESULT, value=Unsigned(1))))
    assert client.get(65, MONITOR, 8) == Structure((Unsigned(1), None))
    assert client.get(65, MONITOR, 7) == hashlib.sha256(b"\x11\x01\x00").digest()
    target.put("hash_algorithm_id", 9)
    assert client.get(65, MONITOR, 7) is DataAccessResult.OTHER_REASON


def test_a_register_table_captures_its_cells():
    table = make_object(61, "1-0:98.10.0", table_cell_definition=(3, "1-0:1.8.255", [1, 2, 9], 2))
    client = Client(
        meter(
            table,
            *(RegisterObject(f"1-0:1.8.{n}", value=DoubleLongUnsigned(n * 10)) for n in (1, 2)),
        )
    )
    assert client.get(61, "1-0:98.10.0", 2) == Array()
    assert client.call(61, "1-0:98.10.0", 2, Integer(0)).result == OK
    assert client.get(61, "1-0:98.10.0", 2) == Array((DoubleLongUnsigned(10), DoubleLongUnsigned(20), None))
    assert client.call(61, "1-0:98.10.0", 1, Integer(0)).result == OK
    assert client.get(61, "1-0:98.10.0", 2) == Array()
    client.call(61, "1-0:98.10.0", 2, Integer(0))
    table.put("table_cell_definition", (3, "1-0:1.8.255", [1], 2))
    assert client.get(61, "1-0:98.10.0", 2) == Array()


def test_every_version_of_every_class_that_behaves_has_the_members_of_its_declaration():
    for class_id, version in CLASSES:
        declared, made = class_of(class_id, version), object_class(class_id, version)
        assert (made.class_id, made.version) == (class_id, version)
        for members in ("attributes", "methods"):
            one, other = getattr(declared, members), getattr(made, members)
            assert [(e.number, e.name) for e in one] == [(e.number, e.name) for e in other], made


# --- compact data -------------------------------------------------------------------------------------------


def read_back(description, contents):
    """Return the values of a buffer by the reader of the codec, which knows this dialect."""
    reader = Reader(description)
    template = read_type_description(reader, count_in_contents=True)
    assert not reader.remaining
    return read_contents(Reader(contents), template, count_in_contents=True)


def test_the_examples_of_the_standard_come_out():
    values_ = [Unsigned(0), DoubleLongUnsigned(0x51EE5305), OctetString(b"ABCDEF"), LongUnsigned(0x1ED2)]
    description, contents = compacted(values_)
    assert description.hex() == "02041106" + "0912"
    assert contents.hex() == "00" + "51ee5305" + "06414243444546" + "1ed2"
    log = Array(Structure((DoubleLongUnsigned(n), Unsigned(n))) for n in range(50))
    description, contents = compacted([Unsigned(2), log])
    assert description.hex() == "0202110102020611"
    assert contents[:2].hex() == "0232"
    assert len(contents) == 252


@given(values)
def test_whatever_can_be_described_comes_back(value):
    description, contents = compacted([Unsigned(1), value])
    assert description[:3] == b"\x02\x02\x11"
    assert contents[:1] == b"\x01"
    if not isinstance(value, tuple):
        assert description[3:] + contents[1:] == encode_data(value)


COMPACT = "0-0:66.0.1"


def compact(version=1, method=0, **more):
    restriction = () if version == 0 else ((0, None),)
    captured = [
        (62, COMPACT, 4, 0, *restriction),
        (3, "1-0:1.8.0", 2, 0, *restriction),
        (3, "1-0:1.8.0", 3, 2, *restriction),
        (3, "1-0:9.9.9", 2, 0, *restriction),
    ]
    target = make_object(
        62, COMPACT, version=version, capture_objects=captured, template_id=5, capture_method=method, **more
    )
    register = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(7), scaler_unit=(0, 30))
    return target, register, Client(meter(target, register))


@pytest.mark.parametrize("version", [0, 1])
def test_compact_data_are_captured_on_demand(version):
    target, register, client = compact(version)
    assert client.get(62, COMPACT, 2) == b""
    assert client.call(62, COMPACT, 2, Integer(0)).result == OK
    assert client.get(62, COMPACT, 5).hex() == "0204" + "11061600"
    assert client.get(62, COMPACT, 2).hex() == "05" + "00000007" + "1e"
    register.put("value", 8)
    assert client.get(62, COMPACT, 2).hex() == "05000000071e"
    assert client.call(62, COMPACT, 1, Integer(0)).result == OK
    assert client.get(62, COMPACT, 2) == b""
    client.call(62, COMPACT, 2, Integer(0))
    target.put("capture_objects", ())
    assert client.get(62, COMPACT, 2) == b""


def test_compact_data_are_captured_when_they_are_read():
    _, register, client = compact(method=1)
    assert client.get(62, COMPACT, 2).hex() == "05000000071e"
    register.put("value", 8)
    assert client.get(62, COMPACT, 2).hex() == "05000000081e"


def test_compact_data_wait_for_what_is_slow():
    _, register, client = compact(method=1)

    async def slow():
        return DoubleLongUnsigned(9)

    async def read():
        register.getter("value")(slow)
        return await client.get(62, COMPACT, 2)

    assert asyncio.run(read()).hex() == "05000000091e"


def test_compact_data_hold_a_part_of_a_profile():
    rows = [Structure((Unsigned(n), Long(-n))) for n in range(5)]
    profile = ProfileGenericObject(
        "1-0:99.1.0",
        capture_objects=[(1, RESULT, 2, 0), (1, "0-0:96.1.1", 2, 0)],
        history=lambda: rows,
    )
    entries = Structure((DoubleLongUnsigned(4), DoubleLongUnsigned(5)))
    target = make_object(
        62, COMPACT, template_id=1, capture_objects=[(7, "1-0:99.1.0", 2, 0, (Enum(2), entries))]
    )
    client = Client(meter(target, profile))
    assert client.call(62, COMPACT, 2, Integer(0)).result == OK
    assert client.get(62, COMPACT, 5).hex() == "0201" + "0102021110"
    assert client.get(62, COMPACT, 2).hex() == "02" + "03fffd" + "04fffc"


# --- what leads back to itself --------------------------------------------------------------------------------

ONE, OTHER = "0-0:16.2.0", "0-0:16.2.1"


@pytest.mark.parametrize("attribute", [2, 7, 8])
@pytest.mark.parametrize("watched", [(ONE, OTHER), (OTHER, ONE)])
def test_parameter_monitors_that_list_themselves_or_each_other_end(attribute, watched):
    register = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(7))
    monitors = [
        make_object(65, name, version=1, parameter_list=[(65, each, attribute), (3, "1-0:1.8.0", 2)])
        for name, each in zip((ONE, OTHER), watched, strict=True)
    ]
    client = Client(meter(register, *monitors))
    for value in range(20):
        register.put("value", DoubleLongUnsigned(value))
        for name in (ONE, OTHER):
            assert len(encode_data(client.get(65, name, 8))) < 200
            assert len(client.get(65, name, 7)) == 20
            assert len(encode_data(client.get(65, name, 2))) < 200


def test_a_table_does_not_hold_itself():
    definition = (61, "0-0:21.0.5", [5, 6], 2)
    table = make_object(61, "0-0:21.0.5", table_cell_definition=definition)
    other = make_object(61, "0-0:21.0.6", table_cell_definition=(61, "0-0:21.0.5", [7], 2))
    client = Client(meter(table, other))
    for _ in range(20):
        for name in ("0-0:21.0.5", "0-0:21.0.6"):
            assert client.call(61, name, 2, Integer(0)).result == OK
    assert client.get(61, "0-0:21.0.5", 2) == Array((None, Array((None,))))
    own = Structure(
        (LongUnsigned(61), OctetString(LogicalName("0-0:21.0.6")), Array((Unsigned(6),)), Integer(2))
    )
    assert client.set(61, "0-0:21.0.6", 3, own) is DataAccessResult.OTHER_REASON
    assert client.get(61, "0-0:21.0.6", 3)[2] == Array((Unsigned(7),))
