"""Profile generic: capturing, sorting, choosing by range and by entry, compression; all with a given time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.classes.standard.profile_generic import SortMethod
from cosem.codec.data import decode_data, encode_data
from cosem.errors import ConfigurationError
from cosem.server import (
    AccessMode,
    AccessRights,
    ClockObject,
    DataObject,
    ExtendedRegisterObject,
    ProfileGenericObject,
    PushSetupObject,
    RegisterObject,
    make_object,
)
from cosem.server.objects.compact_data import CompactDataObject
from cosem.server.objects.profile_buffer import ProfileBuffer, in_range, sort_key
from cosem.types.data import (
    Array,
    DoubleLong,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.date_time import DateTime
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, StandingClock, meter

NAME = "1.0.99.1.0.255"
CLOCK, ENERGY, STATUS = (8, "0-0:1.0.0", 2, 0), (3, "1-0:1.8.0", 2, 0), (1, "0-0:96.10.1", 2, 0)


def reference(class_id: int, name: str, attribute: int = 2, data_index: int = 0) -> Structure:
    octets = bytes(int(part) for part in name.replace("-", ".").replace(":", ".").split(".")) + b"\xff"
    return Structure(
        (LongUnsigned(class_id), OctetString(octets), Integer(attribute), LongUnsigned(data_index))
    )


def stamp(*moment: int, deviation: int | None = -60, tail: str = "00") -> OctetString:
    value = DateTime.from_datetime(datetime(*moment)).octets[:9]
    octets = b"\x80\x00" if deviation is None else deviation.to_bytes(2, "big", signed=True)
    return OctetString(value + octets + bytes.fromhex(tail))


class Scene:
    """A profile of clock, status and energy, and the clock that drives it."""

    def __init__(self, *, columns=(CLOCK, STATUS, ENERGY), rows: int = 0, **facts):
        self.clock = StandingClock(datetime(2026, 11, 25, 11, 0, tzinfo=UTC))
        self.energy = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(1000), scaler_unit=(0, 30))
        facts.setdefault("profile_entries", 10)
        facts.setdefault("capture_period", 900)
        self.profile = ProfileGenericObject("1-0:99.1.0", capture_objects=list(columns), **facts)
        self.status = DataObject("0-0:96.10.1", value=Unsigned(0))
        device = meter(ClockObject(time_zone=-60), self.energy, self.status, self.profile, clock=self.clock)
        self.client = Client(device)
        for _ in range(rows):
            self.next()

    def next(self, step: int = 10) -> None:
        self.energy.put("value", DoubleLongUnsigned(self.energy.stored(2) + step))
        self.clock.move(minutes=15)
        self.client.device.advance()

    def read(self, selector: int = 0, parameters=None):
        return self.client.get(7, NAME, 2, selector, parameters)

    def energies(self, selector: int = 0, parameters=None) -> list[int]:
        return [int(row[-1]) for row in self.read(selector, parameters)]

    def by_range(self, low, high, *selected, restricting=None):
        parameters = Structure((restricting or reference(*CLOCK[:2]), low, high, Array(selected)))
        return self.read(1, parameters)

    def by_entry(self, *numbers: int):
        first, last, left, right = numbers
        return self.read(
            2,
            Structure(
                (DoubleLongUnsigned(first), DoubleLongUnsigned(last), LongUnsigned(left), LongUnsigned(right))
            ),
        )


# --- capturing ----------------------------------------------------------------------------------------


def test_a_row_is_captured_at_each_end_of_a_period():
    scene = Scene(rows=3)
    rows = scene.read()
    assert [str(DateTime(row[0]))[11:16] for row in rows] == ["12:15", "12:30", "12:45"]
    assert [tuple(map(int, row[1:])) for row in rows] == [(0, 1010), (0, 1020), (0, 1030)]
    assert [type(value) for value in rows[0]] == [OctetString, Unsigned, DoubleLongUnsigned]
    assert scene.client.get(7, NAME, 7) == DoubleLongUnsigned(3)


def test_a_long_silence_is_made_up_for_at_the_moments_that_were_due():
    scene = Scene(profile_entries=1000)
    scene.clock.move(days=2, minutes=7)
    rows = scene.read()
    assert len(rows) == 192
    assert str(DateTime(rows[-1][0])) == "2026-11-27 12:00:00+01:00"


def test_a_simulated_month_is_captured_row_by_row():
    scene = Scene(profile_entries=3000)
    scene.clock.move(days=30)
    assert len(scene.read()) == 2880


@pytest.mark.parametrize(
    ("period", "times"),
    [
        (3600, ["13:00", "14:00"]),
        (86400, ["00:00", "00:00"]),
        (700, ["12:11", "12:23"]),
        (43200, ["00:00", "12:00"]),
    ],
)
def test_periods_count_from_local_midnight_where_they_divide_the_day(period, times):
    scene = Scene(capture_period=period, profile_entries=100)
    scene.clock.move(seconds=period * 2)
    scene.clock.move(hours=0 if period == 700 else 12)
    assert [str(DateTime(row[0]))[11:16] for row in scene.read()[:2]] == times


def test_days_end_at_midnight_across_the_switches_of_daylight_saving():
    clock = StandingClock(datetime(2026, 3, 27, 12, tzinfo=UTC))
    profile = ProfileGenericObject("1-0:99.1.0", capture_objects=[CLOCK], capture_period=86400)
    zone = ClockObject(
        time_zone=-60,
        daylight_savings_begin=DateTime.fromhex("FFFF03FE0702000000FFC400"),
        daylight_savings_end=DateTime.fromhex("FFFF0AFE0703000000FF8880"),
        daylight_savings_deviation=60,
        daylight_savings_enabled=True,
    )
    client = Client(meter(zone, profile, clock=clock))
    clock.move(days=4)
    times = [str(DateTime(row[0])) for row in client.get(7, NAME, 2)]
    assert times == [
        "2026-03-28 00:00:00+01:00",
        "2026-03-29 00:00:00+01:00",
        "2026-03-30 00:00:00+02:00",
        "2026-03-31 00:00:00+02:00",
    ]


def test_without_a_period_only_the_method_captures():
    scene = Scene(capture_period=0)
    scene.clock.move(days=1)
    assert scene.read() == Array(())
    assert scene.client.call(7, NAME, 2, Integer(0)).result is ActionResult.SUCCESS
    assert scene.energies() == [1000]


def test_reset_empties_the_buffer():
    scene = Scene(rows=4)
    assert scene.client.call(7, NAME, 1, Integer(0)).result is ActionResult.SUCCESS
    assert scene.read() == Array(())
    assert encode_data(scene.read()) == b"\x01\x00"


def test_what_cannot_be_read_is_captured_as_null_data():
    scene = Scene(
        columns=(CLOCK, (3, "1-0:9.9.9", 2, 0), (1, "1-0:1.8.0", 2, 0), (3, "1-0:1.8.0", 9, 0)), rows=1
    )
    assert tuple(scene.read()[0][1:]) == (None, None, None)


def test_a_getter_that_fails_is_captured_as_null_data():
    scene = Scene()

    @scene.energy.getter("value")
    def broken():
        raise OSError("sensor")

    scene.next()
    assert scene.read()[0][2] is None


def test_an_element_of_a_structure_is_captured_by_its_index():
    scene = Scene(columns=((3, "1-0:1.8.0", 3, 1), (3, "1-0:1.8.0", 3, 2), (3, "1-0:1.8.0", 3, 3)), rows=1)
    assert scene.read()[0] == Structure((Integer(0), Enum(30), None))


def test_values_that_must_be_awaited_are_captured_at_their_own_moment():
    scene = Scene()

    @scene.energy.getter("value")
    async def slow():
        await asyncio.sleep(0)
        return DoubleLongUnsigned(scene.client.device.now().minute)

    async def read():
        scene.clock.move(minutes=45)
        first = scene.read()
        second = scene.read()
        return await asyncio.gather(first, second)

    first, second = asyncio.run(read())
    assert [int(row[2]) for row in first] == [15, 30, 45]
    assert first == second


def test_history_comes_before_what_is_captured_and_only_when_it_is_asked_for():
    asked = []

    def history():
        asked.append(1)
        return [
            Structure((stamp(2026, 11, 25, 12, 0), Unsigned(0), DoubleLongUnsigned(n))) for n in range(12)
        ]

    scene = Scene(history=history)
    assert not asked
    scene.next()
    assert scene.energies() == [*range(3, 12), 1010]
    assert asked == [1]


# --- order and capacity -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (1, [30, -20, 40, 10]),
        (2, [10, 40, -20, 30]),
        (3, [50, 40, 30, 10]),
        (4, [-20, 10, 30, 40]),
        (5, [10, -20, 30, 40]),
        (6, [50, 40, 30, -20]),
    ],
)
def test_sort_methods_keep_the_right_rows_in_the_right_order(method, expected):
    scene = Scene(
        capture_period=0, columns=(ENERGY,), profile_entries=4, sort_method=method, sort_object=ENERGY
    )
    scene.energy.put("value", DoubleLong(0))
    for value in (50, 30, -20, 40, 10):
        scene.energy.put("value", DoubleLong(value))
        scene.profile.capture()
    assert scene.energies() == expected


def test_of_equal_values_the_older_stays_ahead():
    buffer = ProfileBuffer(SortMethod.LARGEST, 0, 3)
    for label in range(4):
        buffer.add(Structure((DoubleLong(7), Unsigned(label))))
    assert [int(row[1]) for row in buffer.entries()] == [0, 1, 2]


def test_one_entry_sorted_by_the_largest_is_a_maximum():
    scene = Scene(
        capture_period=0, columns=(ENERGY, CLOCK), profile_entries=1, sort_method=3, sort_object=ENERGY
    )
    for value in (5, 9, 7):
        scene.energy.put("value", DoubleLongUnsigned(value))
        scene.profile.capture()
        scene.clock.move(minutes=1)
    (row,) = scene.read()
    assert (int(row[0]), str(DateTime(row[1]))[11:16]) == (9, "12:01")


@given(st.lists(st.integers(-50, 50), max_size=30), st.integers(1, 8), st.sampled_from(list(SortMethod)[:6]))
def test_the_buffer_holds_what_sorting_everything_would_leave(values, capacity, method):
    buffer = ProfileBuffer(method, 0, capacity)
    rows = [Structure((DoubleLong(value), LongUnsigned(index))) for index, value in enumerate(values)]
    buffer.extend(rows)
    if method is SortMethod.FIFO:
        expected = rows[-capacity:]
    elif method is SortMethod.LIFO:
        expected = rows[::-1][:capacity]
    else:
        expected = sorted(rows, key=lambda row: sort_key(method, row[0]))[:capacity]
    assert buffer.entries() == expected


# --- choosing by range ----------------------------------------------------------------------------------


def test_a_range_of_time_includes_both_ends():
    scene = Scene(rows=6)
    rows = scene.by_range(stamp(2026, 11, 25, 12, 30), stamp(2026, 11, 25, 13, 0))
    assert [int(row[2]) for row in rows] == [1020, 1030, 1040]


@pytest.mark.parametrize(
    "bounds",
    [
        (stamp(2026, 11, 25, 11, 30, deviation=0), stamp(2026, 11, 25, 12, 0, deviation=0)),
        (stamp(2026, 11, 25, 12, 30, deviation=None), stamp(2026, 11, 25, 13, 0, deviation=None)),
        (stamp(2026, 11, 25, 6, 30, deviation=300), stamp(2026, 11, 25, 13, 0, deviation=None)),
        (DateTime(stamp(2026, 11, 25, 12, 30)), DateTime(stamp(2026, 11, 25, 13, 0))),
        (stamp(2026, 11, 25, 12, 30, tail="FF"), stamp(2026, 11, 25, 13, 0, tail="80")),
    ],
    ids=["UTC", "local", "mixed", "date-time", "status"],
)
def test_bounds_are_compared_as_moments_or_as_local_time(bounds):
    rows = Scene(rows=6).by_range(*bounds)
    assert [int(row[2]) for row in rows] == [1020, 1030, 1040]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("FFFFFFFFFFFFFFFFFF800000", "FFFFFFFFFFFFFFFFFF800000", 6),
        ("07EA0BFFFFFFFFFFFF800000", "07EA0B19FF0C2DFFFF800000", 3),
        ("07EA0B19FF0D00FFFF800000", "07EA0BFEFFFFFFFFFF800000", 3),
        ("07EB01FFFFFFFFFFFF800000", "FFFFFFFFFFFFFFFFFF800000", 0),
    ],
)
def test_what_a_bound_leaves_open_counts_as_its_extreme(low, high, expected):
    rows = Scene(rows=6).by_range(OctetString(bytes.fromhex(low)), OctetString(bytes.fromhex(high)))
    assert len(rows) == expected


def test_a_range_of_numbers_restricts_by_a_register():
    scene = Scene(rows=6)
    rows = scene.by_range(LongUnsigned(1015), DoubleLongUnsigned(1040), restricting=reference(*ENERGY[:2]))
    assert [int(row[2]) for row in rows] == [1020, 1030, 1040]


def test_a_range_gives_the_columns_selected_in_the_order_of_the_profile():
    scene = Scene(rows=2)
    everything = stamp(2026, 1, 1), stamp(2027, 1, 1)
    rows = scene.by_range(*everything, reference(*ENERGY[:2]), reference(*CLOCK[:2]))
    assert [len(row) for row in rows] == [2, 2]
    assert [type(value) for value in rows[0]] == [OctetString, DoubleLongUnsigned]


@pytest.mark.parametrize(
    ("facts", "result"),
    [
        ({"restricting": reference(3, "1-0:2.8.0")}, DataAccessResult.OTHER_REASON),
        ({"restricting": Structure((Unsigned(1),))}, DataAccessResult.OTHER_REASON),
        ({"restricting": Unsigned(1)}, DataAccessResult.TYPE_UNMATCHED),
        ({"selected": (reference(3, "1-0:2.8.0"),)}, DataAccessResult.OTHER_REASON),
        ({"low": Unsigned(1)}, DataAccessResult.TYPE_UNMATCHED),
        ({"low": OctetString(b"123")}, DataAccessResult.TYPE_UNMATCHED),
        ({"low": None}, DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_a_range_that_means_nothing_is_refused(facts, result):
    scene = Scene(rows=2)
    low = facts.get("low", stamp(2026, 1, 1))
    selected = facts.get("selected", ())
    assert scene.by_range(low, stamp(2027, 1, 1), *selected, restricting=facts.get("restricting")) is result


def test_an_empty_range_is_an_empty_array():
    assert Scene(rows=3).by_range(stamp(2030, 1, 1), stamp(2031, 1, 1)) == Array(())
    assert Scene(rows=3).by_range(stamp(2027, 1, 1), stamp(2026, 1, 1)) == Array(())
    assert Scene(rows=0).by_range(stamp(2026, 1, 1), stamp(2027, 1, 1)) == Array(())


def test_rows_without_a_time_are_in_no_range():
    scene = Scene(capture_period=0, columns=((8, "0-0:1.0.0", 2, 0), ENERGY))
    rows = [
        Structure((value, DoubleLongUnsigned(1)))
        for value in (None, OctetString(b"\xff" * 12), stamp(2026, 5, 5))
    ]
    assert in_range(rows, 0, stamp(2026, 1, 1), stamp(2027, 1, 1)) == rows[2:]
    assert scene.read() == Array(())


# --- choosing by entry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1, 2, 1, 0), [(0, 1010), (0, 1020)]),
        ((2, 0, 2, 3), [(0, 1020), (0, 1030), (0, 1040)]),
        ((4, 4, 3, 3), [(1040,)]),
        ((1, 1, 0, 0), [(0, 1010)]),
        ((3, 99, 3, 99), [(1030,), (1040,)]),
        ((5, 9, 1, 0), []),
        ((3, 2, 1, 0), []),
    ],
)
def test_entries_and_columns_are_numbered_from_one(numbers, expected):
    rows = Scene(rows=4).by_entry(*numbers)
    assert [tuple(int(value) for value in row if not isinstance(value, bytes)) for row in rows] == expected


@pytest.mark.parametrize("numbers", [(0, 5, 1, 0), (1, 5, 4, 0), (1, 5, 3, 2), (1, 5, 2, 1)])
def test_entry_zero_and_columns_that_there_are_not_are_refused(numbers):
    assert Scene(rows=4).by_entry(*numbers) is DataAccessResult.OTHER_REASON


def test_the_newest_row_is_entry_one_of_a_lifo_profile():
    scene = Scene(rows=4, sort_method=2)
    assert [int(row[2]) for row in scene.by_entry(1, 2, 1, 0)] == [1040, 1030]


@pytest.mark.parametrize(
    ("selector", "parameters"),
    [(3, None), (1, None), (2, Unsigned(1)), (1, Structure((Unsigned(1),))), (0xFF, Structure((1, 2, 3, 4)))],
)
def test_other_selections_are_of_the_wrong_type(selector, parameters):
    assert Scene(rows=1).read(selector, parameters) is DataAccessResult.TYPE_UNMATCHED


# --- compression ------------------------------------------------------------------------------------------


def test_null_data_stands_for_what_the_row_before_says():
    scene = Scene(rows=3, compress=True)
    scene.next(0)
    first, second, third, fourth = scene.read()
    assert None not in first
    assert second == Structure((None, None, DoubleLongUnsigned(1020)))
    assert third == Structure((None, None, DoubleLongUnsigned(1030)))
    assert fourth == Structure((None, None, None))


def test_an_irregular_time_is_sent_in_full():
    scene = Scene(compress=True, rows=2)
    scene.profile.capture()
    scene.clock.move(minutes=5)
    scene.profile.capture()
    clocks = [row[0] for row in scene.read()]
    assert [value is None for value in clocks] == [False, True, False, False]


def test_compression_begins_anew_with_each_answer():
    scene = Scene(rows=4, compress=True)
    rows = scene.by_entry(3, 4, 2, 3)
    assert rows[0] == Structure((Unsigned(0), DoubleLongUnsigned(1030)))
    assert rows[1] == Structure((None, DoubleLongUnsigned(1040)))


@given(st.lists(st.tuples(st.sampled_from([0, 900, 901]), st.integers(0, 2)), min_size=1, max_size=20))
def test_a_reader_can_restore_what_was_compressed(steps):
    scene = Scene(compress=True, profile_entries=50, capture_period=900, rows=1)
    scene.profile.call_reset()
    plain = []
    for seconds, value in steps:
        scene.clock.move(seconds=seconds)
        scene.energy.put("value", DoubleLongUnsigned(value))
        scene.client.device.reschedule(scene.profile)
        scene.profile.capture()
        plain.append(scene.profile.rows[-1])
    restored, last = [], None
    for row in scene.read():
        if last is not None:
            clock = row[0]
            if clock is None:
                later = DateTime(last[0]).to_datetime() + timedelta(seconds=900)
                clock = OctetString(DateTime.from_datetime(later).octets)
            whole = Structure(
                (clock, *(b if a is None else a for a, b in zip(row[1:], last[1:], strict=True)))
            )
        else:
            whole = row
        restored.append(whole)
        last = whole
    assert restored == plain


# --- changing what is captured ------------------------------------------------------------------------------


def test_changing_the_columns_empties_the_buffer_and_those_that_capture_it():
    scene = Scene(rows=2)
    outer = ProfileGenericObject("1-0:99.2.0", capture_objects=[(7, "1-0:99.1.0", 2, 0)])
    scene.client.device.add(outer)
    outer.capture()
    assert len(outer.rows) == 1
    columns = Array((reference(*CLOCK[:2]), reference(*ENERGY[:2])))
    assert scene.client.set(7, NAME, 3, columns) is DataAccessResult.SUCCESS
    assert scene.read() == Array(())
    assert outer.rows == []
    scene.next()
    assert len(scene.read()[0]) == 2


@pytest.mark.parametrize(
    ("mode", "hidden", "result"),
    [
        (AccessMode.READ, False, DataAccessResult.SUCCESS),
        (AccessMode.NO_ACCESS, False, DataAccessResult.READ_WRITE_DENIED),
        (AccessMode.WRITE, False, DataAccessResult.READ_WRITE_DENIED),
        (
            AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST,
            False,
            DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
        ),
        (AccessMode.READ, True, DataAccessResult.READ_WRITE_DENIED),
    ],
)
def test_nobody_has_captured_or_pushed_what_it_may_not_read(mode, hidden, result):
    rights = AccessRights.full().allow("0-0:96.1.0", 2, mode)
    if hidden:
        rights.hide("0-0:96.1.0")
    objects = (
        DataObject("0-0:96.1.0", value=OctetString(b"private")),
        ProfileGenericObject("1-0:99.1.0"),
        CompactDataObject("0-0:66.0.0"),
        PushSetupObject("0-0:25.9.0"),
    )
    client = Client(meter(*objects, rights=rights))
    plain = reference(1, "0-0:96.1.0")
    restriction = Structure((Enum(0), None))
    longer = Structure((*plain, restriction))
    longest = Structure((*plain, restriction, Array(())))
    for target, number, member in zip(objects[1:], (3, 3, 2), (plain, longer, longest), strict=True):
        before = target.stored(number)
        written = client.set(target.class_id, str(target.name), number, Array((member,)))
        assert written is result
        assert result is DataAccessResult.SUCCESS or target.stored(number) == before


def test_attribute_0_does_not_have_captured_what_may_not_be_read():
    rights = AccessRights.full().allow("0-0:96.1.0", 2, AccessMode.NO_ACCESS)
    profile = ProfileGenericObject("1-0:99.1.0")
    client = Client(meter(DataObject("0-0:96.1.0", value=OctetString(b"private")), profile, rights=rights))
    members = Structure((None, None, Array((reference(1, "0-0:96.1.0"),)), *[None] * 5))
    written = asyncio.run(client.set(7, NAME, 0, members))
    assert written is DataAccessResult.READ_WRITE_DENIED
    assert profile.stored(3) == Array(())


@pytest.mark.parametrize(
    ("attribute", "value"),
    [(4, DoubleLongUnsigned(300)), (5, Enum(2)), (8, DoubleLongUnsigned(5)), (6, reference(*ENERGY[:2]))],
)
def test_changing_when_or_how_rows_are_kept_empties_the_buffer(attribute, value):
    scene = Scene(rows=2)
    assert scene.client.set(7, NAME, attribute, value) is DataAccessResult.SUCCESS
    assert scene.read() == Array(())


def test_a_new_period_counts_from_then_on():
    scene = Scene(rows=1)
    scene.client.set(7, NAME, 4, DoubleLongUnsigned(300))
    scene.next()
    assert len(scene.read()) == 3


@pytest.mark.parametrize(
    ("attribute", "value", "result"),
    [
        (5, Enum(0), DataAccessResult.OTHER_REASON),
        (5, Enum(7), DataAccessResult.OTHER_REASON),
        (8, DoubleLongUnsigned(0), DataAccessResult.OTHER_REASON),
        (8, DoubleLongUnsigned(0xFFFFFFFF), DataAccessResult.OTHER_REASON),
        (4, Unsigned(9), DataAccessResult.TYPE_UNMATCHED),
        (2, Array(()), DataAccessResult.READ_WRITE_DENIED),
        (7, DoubleLongUnsigned(0), DataAccessResult.READ_WRITE_DENIED),
    ],
)
def test_values_that_cannot_be_are_refused_and_nothing_is_lost(attribute, value, result):
    scene = Scene(rows=2)
    assert scene.client.set(7, NAME, attribute, value) is result
    assert scene.energies() == [1010, 1020]


def test_the_old_version_has_a_buffer_that_captures_too():
    from cosem.server import make_object

    profile = make_object(7, "1-0:99.1.0", version=0, capture_objects=[CLOCK], capture_period=900)
    clock = StandingClock()
    client = Client(meter(ClockObject(), profile, clock=clock))
    clock.move(minutes=30)
    assert (profile.version, len(client.get(7, NAME, 2))) == (0, 2)


def test_rows_of_one_kind_are_encoded_as_they_are_decoded():
    scene = Scene(rows=10)
    octets = encode_data(scene.read())
    assert decode_data(octets) == scene.read()
    assert octets[:4].hex() == "010a0203"


def test_an_extended_register_is_captured_with_its_time():
    register = ExtendedRegisterObject("1-0:1.6.0", value=DoubleLongUnsigned(0))
    profile = ProfileGenericObject(
        "1-0:98.1.0", capture_objects=[(4, "1-0:1.6.0", 2, 0), (4, "1-0:1.6.0", 5, 0)]
    )
    clock = StandingClock()
    meter(ClockObject(), register, profile, clock=clock)
    register.capture(DoubleLongUnsigned(77), Unsigned(1))
    clock.move(hours=3)
    profile.capture()
    assert str(DateTime(profile.rows[0][1])) == "2026-11-25 12:00:00+00:00"


def test_rows_may_be_given_as_the_buffer():
    rows = [Structure((Unsigned(number),)) for number in range(3)]
    profile = ProfileGenericObject(
        "1-0:99.1.0", capture_objects=[(1, "0-0:96.1.10", 2, 0)], buffer=rows, profile_entries=2
    )
    assert profile.rows == rows[1:]
    assert profile.entries_in_use == 2
    assert profile.get(2) == Array(rows[1:])
    assert list(profile.buffer) == rows[1:]
    profile.buffer = rows[:1]
    assert profile.rows == rows[:1]
    with pytest.raises(ConfigurationError, match="both"):
        ProfileGenericObject("1-0:99.1.0", buffer=rows, history=lambda: rows)


OTHER, COMPACT = "1-0:99.2.0", "0-0:66.0.1"


@pytest.mark.parametrize(
    "ring",
    [
        [(7, "1-0:99.1.0")],
        [(7, "1-0:99.1.0"), (7, OTHER)],
        [(7, "1-0:99.1.0"), (62, COMPACT)],
        [(62, COMPACT), (7, OTHER)],
        [(62, COMPACT)],
    ],
)
def test_no_buffer_captures_itself_on_whatever_way(ring):
    """Not if a client wants it, and where a meter is made so, nothing is captured there."""
    clients = []
    for made in (False, True):
        objects = []
        for index, (class_id, name) in enumerate(ring):
            following = ring[(index + 1) % len(ring)]
            columns = [(*following, 2, 0)] if made or index + 1 < len(ring) else [ENERGY]
            objects.append(make_object(class_id, name, version=1 - class_id // 62, capture_objects=columns))
        energy = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5))
        clients.append(Client(meter(ClockObject(), energy, *objects)))
    sound, odd = clients
    (first_class, first), (class_id, last) = ring[0], ring[-1]
    before = sound.get(class_id, last, 3)
    wanted = Array([reference(first_class, first.replace("-", ".").replace(":", "."))])
    assert sound.set(class_id, last, 3, wanted) is DataAccessResult.OTHER_REASON
    assert sound.get(class_id, last, 3) == before
    for _ in range(20):
        for each_class, name in ring:
            assert odd.call(each_class, name, 2, Integer(0)).result is ActionResult.SUCCESS
    for each_class, name in ring:
        assert len(encode_data(odd.get(each_class, name, 2))) < 1000
