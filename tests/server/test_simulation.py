"""Meters made of records: a dump is indistinguishable from what it was taken of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cosem.classes.meter_record import MeterRecord, ObjectRights, RecordedAssociation, RecordedObject
from cosem.classes.standard.access_rights import AccessMode
from cosem.connecting import connect
from cosem.connecting.simulated import record_of
from cosem.errors import ConfigurationError
from cosem.server import AccessRights, DataObject, LogicalDevice, demonstration_meter, serve_in_thread
from cosem.server.objects.monitors import LimiterObject, RegisterMonitorObject
from cosem.server.simulation.building import simulated_meter
from cosem.server.simulation.premises import QUANTITIES, Premises
from cosem.translate.meter_file import meter_from_toml, meter_to_toml
from cosem.types.data import (
    Array,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.enumerations import ActionResult, AuthenticationMechanism, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.server.driver import NOON, Client, StandingClock, aarq

SECRETS = {"COSEM_PASSWORD": "87654321"}
READ, WRITE = AccessMode.READ, AccessMode.WRITE
CLIENTS = {
    "public": {},
    "management": {"client": 1, "password": "87654321"},
    "short names": {"short_names": True},
    "management by short names": {"short_names": True, "client": 1, "password": "87654321"},
}


def dumped(url, **facts):
    with connect(url, **facts) as meter:
        return meter.dump()


@pytest.mark.parametrize("facts", CLIENTS.values(), ids=CLIENTS)
def test_a_dump_that_is_served_gives_the_same_dump(facts):
    with serve_in_thread(demonstration_meter(clock=StandingClock())) as url:
        first = meter_to_toml(dumped(url, **facts))
    with serve_in_thread(simulated_meter(meter_from_toml(first), environment=SECRETS)) as url:
        second = meter_to_toml(dumped(url, **facts))
    assert second == first
    assert len(first) > 100_000


def test_a_dump_has_no_secrets():
    with serve_in_thread(demonstration_meter(clock=StandingClock())) as url:
        text = meter_to_toml(dumped(url, client=1, password="87654321"))
    assert "87654321" not in text
    assert b"87654321".hex() not in text.lower()


def odd_meter():
    """A meter that bends the rules: private attributes and classes, wrong types, refusals."""
    everything = {None: ObjectRights({1: READ, 2: READ | WRITE, -1: READ}, {1: READ, -5: READ})}
    return MeterRecord(
        b"ODD0000000000001",
        3,
        (
            RecordedObject(
                3,
                LogicalName("1-0:1.8.0"),
                values={2: Structure((Unsigned(1), None)), -1: Enum(7)},
                rights={None: ObjectRights({1: READ, 2: READ, -1: READ}, {-5: READ})},
            ),
            RecordedObject(9000, LogicalName("0-0:96.1.0"), 7, values={2: None}, rights=everything),
            RecordedObject(
                7,
                LogicalName("1-0:99.1.0"),
                1,
                values={2: Unsigned(4), 3: Unsigned(5), 7: Integer(-1)},
                refusals={4: DataAccessResult.HARDWARE_FAULT},
                rights={None: ObjectRights(dict.fromkeys(range(1, 9), READ))},
            ),
            RecordedObject(7, LogicalName("1-0:99.2.0"), 9, values={2: Array([Structure([None])])}),
        ),
        (RecordedAssociation(rights="nothing", own_rights=ObjectRights(dict.fromkeys(range(1, 10), READ))),),
        behaves=False,
        time=NOON,
    )


def test_a_meter_that_bends_the_rules_is_dumped_and_served_as_it_is():
    with serve_in_thread(simulated_meter(odd_meter())) as url:
        first = dumped(url, server=3)
    energy, private, profile, *_ = first.objects
    assert energy.values == {2: Structure((Unsigned(1), None)), -1: Enum(7)}
    assert energy.rights[None].methods == {-5: READ}
    assert (private.class_id, private.version, private.values[2]) == (9000, 7, None)
    assert profile.refusals == {4: DataAccessResult.HARDWARE_FAULT}
    with serve_in_thread(simulated_meter(meter_from_toml(meter_to_toml(first)))) as url:
        assert meter_to_toml(dumped(url, server=3)) == meter_to_toml(first)


def test_an_object_of_an_unknown_class_names_each_attribute_once():
    private = simulated_meter(odd_meter())["0-0:96.1.0"]
    assert [each.number for each in private.attributes] == [-1, 1, 2]
    assert private.get(1) == OctetString(LogicalName("0-0:96.1.0"))


def test_rows_that_were_recorded_can_be_selected():
    with serve_in_thread(demonstration_meter(clock=StandingClock())) as url:
        record = dumped(url)
        with connect(url) as meter:
            wanted = meter.profile("1-0:99.1.0").read(last="1d")
    with serve_in_thread(simulated_meter(record)) as url, connect(url) as meter:
        table = meter.profile("1-0:99.1.0").read(last="1d")
    assert table.selected_by == "range"
    assert list(table) == list(wanted)


def test_recorded_objects_take_what_clients_write_and_call():
    record = MeterRecord(
        b"ABC0000000000001",
        objects=(
            RecordedObject(3, LogicalName("1-0:1.8.0"), values={2: DoubleLongUnsigned(5)}),
            RecordedObject(1, LogicalName("0-0:96.1.10"), values={2: OctetString(b"a")}),
            RecordedObject(70, LogicalName("0-0:96.3.10"), values={2: True, 3: Enum(1), 4: Enum(2)}),
            RecordedObject(
                7,
                LogicalName("1-0:99.1.0"),
                1,
                values={
                    2: Array(),
                    3: Array(
                        [
                            Structure(
                                (
                                    LongUnsigned(3),
                                    OctetString(LogicalName("1-0:1.8.0")),
                                    Integer(2),
                                    LongUnsigned(0),
                                )
                            )
                        ]
                    ),
                    4: DoubleLongUnsigned(900),
                    7: DoubleLongUnsigned(0),
                    8: DoubleLongUnsigned(10),
                },
            ),
        ),
        associations=(RecordedAssociation(rights="full"),),
        behaves=False,
    )
    clock = StandingClock()
    client = Client(simulated_meter(record, clock=clock))
    assert client.set(1, "0-0:96.1.10", 2, OctetString(b"b")) is DataAccessResult.SUCCESS
    assert client.get(1, "0-0:96.1.10", 2) == b"b"
    assert client.call(70, "0-0:96.3.10", 1, Integer(0)).result == 0
    assert client.get(70, "0-0:96.3.10", 3) == 0
    clock.move(hours=2)
    assert client.get(7, "1-0:99.1.0", 2) == Array()
    assert client.call(7, "1-0:99.1.0", 2, Integer(0)).result == 0
    assert client.get(7, "1-0:99.1.0", 2) == Array([Structure([DoubleLongUnsigned(5)])])
    assert client.call(3, "1-0:1.8.0", 1, Integer(0)).result == 0
    assert client.get(3, "1-0:1.8.0", 2) == 0
    assert client.call(7, "1-0:99.1.0", 1, Integer(0)).result == 0
    assert client.get(7, "1-0:99.1.0", 7) == 0


def test_clients_see_only_what_names_them():
    record = MeterRecord(
        b"ABC0000000000001",
        objects=(
            RecordedObject(
                1, LogicalName("0-0:96.1.0"), values={2: Unsigned(1)}, rights={1: ObjectRights({2: READ})}
            ),
            RecordedObject(1, LogicalName("0-0:96.1.1"), values={2: Unsigned(2)}),
        ),
        associations=(RecordedAssociation(), RecordedAssociation(1)),
    )
    meter = simulated_meter(record)
    assert Client(meter, 1).get(1, "0-0:96.1.0", 2) == 1
    assert Client(meter, 16).get(1, "0-0:96.1.0", 2) is DataAccessResult.OBJECT_UNDEFINED
    assert Client(meter, 16).get(1, "0-0:96.1.1", 2) == 2


def behaving():
    return meter_from_toml(
        """
cosem-meter = 1
[meter]
name = "ABC{serial}"
[[association]]
rights = "full"
[[object]]
class = 8
name = "0-0:1.0.0"
values = {time_zone = -60}
[[object]]
class = 1
name = "0-0:96.1.0"
sources = {value = "serial"}
[[object]]
class = 1
name = "0-0:96.1.1"
sources = {value = "device-name"}
[[object]]
class = 3
name = "1-0:1.8.0"
values = {value = {long64-unsigned = 0}, scaler_unit = [-1, 30]}
sources = {value = "energy-import"}
[[object]]
class = 5
name = "1-0:1.4.0"
values = {scaler_unit = [0, 27], period = 900, number_of_periods = 1}
sources = {total = "energy-import"}
[[object]]
class = 7
name = "1-0:99.1.0"
history = "1d"
[object.values]
capture_objects = [[8, "0-0:1.0.0", 2, 0], [3, "1-0:1.8.0", 2, 0], [1, "0-0:96.1.0", 2, 0]]
capture_period = 900
profile_entries = 200
"""
    )


def test_what_follows_the_premises_grows_and_agrees_with_the_past():
    clock = StandingClock()
    client = Client(simulated_meter(behaving(), clock=clock, seed=5))
    assert client.get(1, "0-0:96.1.0", 2) == b"10000005"
    assert client.get(1, "0-0:96.1.1", 2) == b"ABC10000005"
    before = client.get(3, "1-0:1.8.0", 2)
    rows = client.get(7, "1-0:99.1.0", 2)
    assert type(before).__name__ == "Long64Unsigned"
    assert len(rows) == 96
    assert rows[-1][1] == before
    assert rows[-1][2] == b"10000005"
    assert rows[0][1] < rows[-1][1]
    clock.move(minutes=15)
    assert client.get(3, "1-0:1.8.0", 2) > before
    after = client.get(7, "1-0:99.1.0", 2)
    assert len(after) == 97
    assert after[-1][1] == client.get(3, "1-0:1.8.0", 2)
    energy = int(after[-1][1]) - int(after[-2][1])
    assert client.get(5, "1-0:1.4.0", 3) == pytest.approx(energy * 4 / 10, abs=5)


def watching():
    """A meter whose Limiter and Register monitor watch a power that follows the premises."""
    return meter_from_toml(
        """
cosem-meter = 1
[meter]
name = "ABC{serial}"
[[association]]
client = 16
rights = "full"
[[object]]
class = 8
name = "0-0:1.0.0"
[[object]]
class = 3
name = "1-0:1.7.0"
sources = {value = "power-import"}
values = {value = {double-long-unsigned = 0}, scaler_unit = [0, 27]}
[[object]]
class = 1
name = "0-0:96.1.10"
values = {value = {unsigned = 0}}
[[object]]
class = 1
name = "0-0:96.1.11"
values = {value = {unsigned = 0}}
[[object]]
class = 9
name = "0-0:10.0.106"
[object.values]
scripts = [
  [1, [[1, 1, "0-0:96.1.10", 2, {unsigned = 1}]]],
  [2, [[1, 1, "0-0:96.1.10", 2, {unsigned = 2}]]],
  [3, [[1, 1, "0-0:96.1.11", 2, {unsigned = 3}]]],
]
[[object]]
class = 71
name = "0-0:17.0.0"
[object.values]
monitored_value = [3, "1-0:1.7.0", 2]
threshold_normal = {double-long-unsigned = 500}
threshold_emergency = {double-long-unsigned = 3000}
min_over_threshold_duration = 60
min_under_threshold_duration = 60
actions = [["0-0:10.0.106", 1], ["0-0:10.0.106", 2]]
[[object]]
class = 21
name = "0-0:16.0.0"
[object.values]
monitored_value = [3, "1-0:1.7.0", 2]
thresholds = [{double-long-unsigned = 500}]
actions = [[["0-0:10.0.106", 3], ["0-0:10.0.106", 0]]]
"""
    )


def test_monitors_see_by_themselves_what_the_premises_do():
    clock = StandingClock(NOON.replace(hour=1))
    client = Client(simulated_meter(watching(), clock=clock, seed=7))
    seen = []
    for _ in range(24):
        clock.move(hours=1)
        power = int(client.get(3, "1-0:1.7.0", 2))
        seen.append((power > 500, int(client.get(1, "0-0:96.1.10", 2)), int(client.get(1, "0-0:96.1.11", 2))))
    assert {over for over, _, _ in seen} == {False, True}
    assert {limited for _, limited, _ in seen} >= {1, 2}
    assert seen[-1][2] == 3


@pytest.mark.parametrize("source", ["watching", "idis-like"])
def test_monitors_do_not_look_through_a_month_that_has_passed(monkeypatch, source):
    looks, read = [], []
    for kind in (LimiterObject, RegisterMonitorObject):
        monkeypatch.setattr(kind, "_look", lambda self, look=kind._look: looks.append(self) or look(self))
    parsed = LimiterObject._read_emergency
    monkeypatch.setattr(LimiterObject, "_read_emergency", lambda self: read.append(self) or parsed(self))
    clock = StandingClock()
    meter = simulated_meter(watching() if source == "watching" else record_of(source), clock=clock, seed=7)
    meter.advance()
    monitors = sum(each.watching for each in meter)
    looks.clear()
    read.clear()
    clock.move(days=31)
    meter.advance()
    assert monitors
    assert 60 < len(looks) <= 250 * monitors
    assert len(read) <= monitors
    looks.clear()
    clock.move(minutes=5)
    meter.advance()
    assert {looks.count(each) for each in meter if each.watching} <= {5, 6, 7}


@pytest.mark.parametrize(
    "jump", [timedelta(hours=-1), timedelta(days=-3000), timedelta(days=3), timedelta(minutes=10)]
)
def test_what_the_premises_use_does_not_depend_on_what_the_clock_is_set_to(jump):
    clock = StandingClock()
    client, still = (Client(simulated_meter(behaving(), clock=clock, seed=5)) for _ in range(2))
    client.get(3, "1-0:1.8.0", 2)
    client.device.shift(jump)
    readings = []
    for _ in range(20):
        readings.append(client.get(3, "1-0:1.8.0", 2))
        assert readings[-1] == still.get(3, "1-0:1.8.0", 2)
        clock.move(minutes=7)
    assert readings == sorted(readings)
    assert readings[0] < readings[-1]
    captured = [row[1] for row in client.get(7, "1-0:99.1.0", 2)]
    assert captured == sorted(captured)
    power = client.get(5, "1-0:1.4.0", 3)
    assert power == pytest.approx(still.get(5, "1-0:1.4.0", 3), rel=0.5)


def test_registers_do_not_count_backwards_where_the_clock_of_the_computer_does():
    clock = StandingClock()
    client = Client(simulated_meter(behaving(), clock=clock, seed=5))
    clock.move(hours=1)
    before = client.get(3, "1-0:1.8.0", 2)
    clock.move(hours=-1)
    assert client.get(3, "1-0:1.8.0", 2) == before
    clock.move(hours=2)
    assert client.get(3, "1-0:1.8.0", 2) > before


def writable(class_id: int, source: str, scaler: int = 0):
    """A client of a meter with one register that may be written and reset."""
    name = LogicalName("1-0:1.8.0")
    register = RecordedObject(
        class_id,
        name,
        values={2: DoubleLongUnsigned(0), 3: Structure((Integer(scaler), Enum(30)))},
        sources={"value": source},
        rights={None: ObjectRights(dict.fromkeys(range(1, 6), READ | WRITE), {1: AccessMode.READ})},
    )
    clock = RecordedObject(8, LogicalName("0-0:1.0.0"))
    record = MeterRecord(b"ABC{serial}", objects=(register, clock), associations=(RecordedAssociation(),))
    source_of_time = StandingClock()
    return Client(simulated_meter(record, clock=source_of_time, seed=5)), source_of_time


@pytest.mark.parametrize("class_id", [3, 4])
@pytest.mark.parametrize("source", ["energy-import", "gas-volume"])
def test_a_register_that_is_reset_begins_at_0(class_id, source):
    client, clock = writable(class_id, source, -1)
    before = client.get(class_id, "1-0:1.8.0", 2)
    assert client.call(class_id, "1-0:1.8.0", 1, Integer(0)).result is ActionResult.SUCCESS
    assert client.get(class_id, "1-0:1.8.0", 2) == DoubleLongUnsigned(0)
    clock.move(hours=10)
    used = client.get(class_id, "1-0:1.8.0", 2)
    untouched, other = writable(class_id, source, -1)
    other.move(hours=10)
    assert 0 < used == pytest.approx(untouched.get(class_id, "1-0:1.8.0", 2) - before, abs=1)


@pytest.mark.parametrize("value", [0, 7, 123_456_789])
@pytest.mark.parametrize("scaler", [-3, -1, 0, 2])
def test_a_register_that_is_written_goes_on_from_there(value, scaler):
    client, clock = writable(3, "gas-volume", scaler)
    assert client.set(3, "1-0:1.8.0", 2, DoubleLongUnsigned(value)) is DataAccessResult.SUCCESS
    assert client.get(3, "1-0:1.8.0", 2) == DoubleLongUnsigned(value)
    clock.move(days=600)
    assert client.get(3, "1-0:1.8.0", 2) > value


def test_a_register_that_is_full_begins_again_at_0():
    most = DoubleLongUnsigned.maximum
    client, clock = writable(3, "energy-import")
    assert client.set(3, "1-0:1.8.0", 2, DoubleLongUnsigned(most - 1)) is DataAccessResult.SUCCESS
    clock.move(days=3)
    assert 0 < client.get(3, "1-0:1.8.0", 2) < 1_000_000


@pytest.mark.parametrize("template", ["gas-mbus", "dsmr-like"])
def test_what_is_captured_of_a_slave_keeps_up_however_long_nobody_asked(template):
    buffers = []
    for steps in (1, 60):
        clock = StandingClock()
        meter = simulated_meter(record_of(template), clock=clock, seed=3)
        meter.advance()
        for _ in range(steps):
            clock.move(days=60 / steps)
            meter.advance()
        buffers.append([each.get(2) for each in meter if each.class_id == 7])
    assert buffers[0] == buffers[1]


def test_what_a_limiter_of_a_template_has_disconnected_stays_so():
    clock = StandingClock()
    meter = simulated_meter(record_of("idis-like"), clock=clock, seed=3)
    meter.advance()
    meter["0-0:17.0.0"].set(4, DoubleLongUnsigned(100))
    states = []
    for _ in range(30):
        clock.move(minutes=1)
        meter.advance()
        states.append(int(meter["0-0:96.3.10"].get(3)))
    assert states[-1] == 0
    assert states == sorted(states, reverse=True)


def test_what_is_measured_anew_all_the_time_is_neither_written_nor_reset():
    client, _ = writable(3, "power-import")
    before = client.get(3, "1-0:1.8.0", 2)
    assert client.set(3, "1-0:1.8.0", 2, DoubleLongUnsigned(7)) is DataAccessResult.OTHER_REASON
    assert client.call(3, "1-0:1.8.0", 1, Integer(0)).result is ActionResult.OTHER_REASON
    assert client.get(3, "1-0:1.8.0", 2) == before


SWITCH, POWER, ENERGY = "0.0.96.3.10.255", "1-0:1.7.0", "1-0:1.8.0"


def test_behind_a_switch_that_is_open_nothing_flows():
    tariffs = Tariffs()
    client, clock = tariffs.client, tariffs.clock
    assert client.get(3, POWER, 2) > 0
    assert client.call(70, SWITCH, 1, Integer(0)).result is ActionResult.SUCCESS
    before = tariffs.read()
    assert client.get(3, POWER, 2) == client.get(3, "1-0:31.7.0", 2) == 0
    assert client.get(3, "1-0:32.7.0", 2) > 0  # there is voltage
    assert tariffs.used(hours=5) == (0, 0, 0)
    assert client.get(5, "1-0:1.4.0", 3) == 0
    assert client.call(70, SWITCH, 2, Integer(0)).result is ActionResult.SUCCESS
    assert tariffs.read() == before
    assert client.get(3, POWER, 2) > 0
    used = tariffs.used(hours=5)[0]
    house = Tariffs().client.device.premises.house
    since = clock.now - timedelta(hours=5)
    assert used == pytest.approx(house.imported(clock.now) - house.imported(since), abs=2)
    energies = [int(row[2]) for row in client.device["1-0:99.1.0"].rows]
    assert energies[-1] > energies[-30] == energies[-25]
    assert energies == sorted(energies)


def test_rows_of_the_past_know_of_no_switch():
    rows = []
    for cuts in (0, 1, 2):
        tariffs = Tariffs()
        for method in (1, 2)[:cuts]:
            tariffs.client.call(70, SWITCH, method, Integer(0))
            tariffs.used(minutes=5)
        rows.append(tariffs.client.device["1-0:99.1.0"].rows)
    assert rows[0] == rows[1] == rows[2]


def test_a_register_that_stands_still_is_reset_too():
    tariffs = Tariffs()
    assert tariffs.client.call(3, NIGHT, 1, Integer(0)).result is ActionResult.SUCCESS
    assert tariffs.read()[2] == 0
    tariffs.used(hours=1)
    assert tariffs.read()[2] == 0
    tariffs.used(hours=12)
    assert tariffs.read()[2] > 0


@pytest.mark.parametrize("source", [each for each in QUANTITIES if "energy" in each or "volume" in each])
def test_before_the_premises_were_built_nothing_was_used(source):
    energy = RecordedObject(
        3, LogicalName("1-0:1.8.0"), values={2: DoubleLongUnsigned(0)}, sources={"value": source}
    )
    record = MeterRecord(b"ABC{serial}", objects=(energy,), associations=(RecordedAssociation(),))
    clock = StandingClock(NOON.replace(year=1990))
    client = Client(simulated_meter(record, clock=clock, seed=5))
    assert client.get(3, "1-0:1.8.0", 2) == DoubleLongUnsigned(0)
    clock.now = NOON
    assert client.get(3, "1-0:1.8.0", 2) > 0


@pytest.mark.parametrize(
    "source", [each for each in QUANTITIES if each.startswith(("power-i", "gas-f", "current"))]
)
def test_before_the_premises_were_built_nothing_flowed(source):
    quantity = Premises(5).quantity(source)
    assert quantity(NOON.replace(year=1990)) == 0
    assert quantity(NOON) > 0


def test_a_demand_before_the_premises_were_built_is_none():
    joules = Premises(5).house.joules
    assert joules(NOON.replace(year=1990)) == joules(NOON.replace(year=2020)) == 0
    assert joules(NOON) > 0


MASKS, DAY, NIGHT, WHOLE = "0.0.14.0.0.255", "1-0:1.8.1", "1-0:1.8.2", "1-0:1.8.0"


class Tariffs:
    """The three-phase meter of a template in winter, and its registers."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.client = Client(
            simulated_meter(record_of("three-phase"), clock=self.clock, seed=7),
            1,
            aarq(password=b"87654321"),
        )
        self.last = self.read()

    def read(self) -> tuple[int, ...]:
        return tuple(int(self.client.get(3, name, 2)) for name in (WHOLE, DAY, NIGHT))

    def used(self, **time: float) -> tuple[int, ...]:
        """Let time go by, and return what the whole and both tariffs counted."""
        self.clock.move(**time)
        before, self.last = self.last, self.read()
        return tuple(after - was for after, was in zip(self.last, before, strict=True))


def test_the_calendar_puts_the_masks_in_force_that_the_past_agrees_with():
    tariffs = Tariffs()
    house = tariffs.client.device.premises.house
    for _ in range(60):
        whole, day, night = tariffs.used(hours=1)
        assert whole == day + night
        assert whole > 0
        assert 0 in (day, night)
        assert tariffs.last[1:] == tuple(house.tariff(number, tariffs.clock.now) for number in (1, 2))


def test_the_mask_in_force_decides_which_registers_count():
    tariffs = Tariffs()
    client = tariffs.client
    whole, day, night = tariffs.used(hours=1)
    assert (day, night) == (whole, 0)
    assert client.set(6, MASKS, 4, OctetString(b"night")) is DataAccessResult.SUCCESS
    whole, day, night = tariffs.used(hours=1)
    assert (day, night) == (0, whole)
    assert client.call(6, MASKS, 3, OctetString(b"night")).result == 0  # the mask in force is gone
    whole, day, night = tariffs.used(hours=1)
    assert whole > day == night == 0
    both = Structure((OctetString(b"night"), Array((Unsigned(1), Unsigned(2)))))
    assert client.call(6, MASKS, 2, both).result == 0
    whole, day, night = tariffs.used(hours=1)
    assert day == night == whole > 0
    assert client.set(6, MASKS, 4, OctetString(b"day")) is DataAccessResult.SUCCESS
    whole, day, night = tariffs.used(hours=1)
    assert (day, night) == (whole, 0)
    assert client.call(6, MASKS, 1, reference_to(3, WHOLE)).result == 0  # in no mask: it stands still
    assert tariffs.used(hours=1)[0] == 0


def reference_to(class_id: int, name: str) -> Structure:
    return Structure((LongUnsigned(class_id), OctetString(LogicalName(name))))


def test_rows_that_are_captured_before_anybody_looks_follow_the_past():
    clock = StandingClock()
    meter = simulated_meter(behaving(), clock=clock)
    client = Client(meter)
    for _ in range(3):
        clock.move(minutes=15)
        client.get(8, "0-0:1.0.0", 2)
    assert meter["1-0:99.1.0"]._buffer is None
    times = [bytes(row[0]) for row in client.get(7, "1-0:99.1.0", 2)]
    assert len(times) == 99
    assert times == sorted(set(times))
    fresh = Client(simulated_meter(behaving(), clock=clock))
    clock.move(minutes=15)
    fresh.get(8, "0-0:1.0.0", 2)
    assert fresh.call(7, "1-0:99.1.0", 1, Integer(0)).result == 0
    assert fresh.get(7, "1-0:99.1.0", 2) == Array()


def test_the_example_of_the_documentation_is_a_meter():
    page = (Path(__file__).parents[2] / "docs" / "howto" / "simulate.md").read_text(encoding="utf-8")
    text = next(each for each in page.split("```toml\n") if each.startswith("cosem-meter")).partition("```")[
        0
    ]
    client = Client(simulated_meter(meter_from_toml(text)))
    assert len(client.get(7, "1-0:99.1.0", 2)) == 3360


def test_other_seeds_are_other_premises():
    clock = StandingClock()
    one, other = (Client(simulated_meter(behaving(), clock=clock, seed=seed)) for seed in (1, 2))
    assert one.get(3, "1-0:1.8.0", 2) != other.get(3, "1-0:1.8.0", 2)
    assert one.device.name != other.device.name


def test_the_clock_of_a_meter_that_behaves_goes_on_from_its_record():
    meter = simulated_meter(replace(behaving(), time=NOON - timedelta(days=900)))
    assert abs(meter.now() - (NOON - timedelta(days=900))) < timedelta(minutes=1)
    still = simulated_meter(replace(behaving(), time=NOON, behaves=False))
    assert still.now() == still.now() == NOON


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sources": {"value": "gold"}}, "1.0.1.8.0.255: 'gold' is no quantity"),
        ({"sources": {"valve": "energy-import"}}, "no attribute 'valve'"),
        ({"values": {77: Unsigned(1)}}, "no attribute 77"),
        ({"values": {3: Unsigned(1)}}, "scaler_unit"),
        ({"version": 9}, "no interface class 3 version 9"),
    ],
)
def test_what_cannot_behave_is_named(change, said):
    energy = replace(RecordedObject(3, LogicalName("1-0:1.8.0")), **change)
    with pytest.raises(ConfigurationError, match=said):
        simulated_meter(MeterRecord(b"ABC", objects=(energy,)))


def test_secrets_come_from_where_the_record_says(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(b"from a file\n")
    for text, secret in (
        ("plain", b"plain"),
        ("hex:00ff", b"\0\xff"),
        (f"@{file}", b"from a file"),
        ("env:A", b"b"),
    ):
        association = RecordedAssociation(1, mechanism=AuthenticationMechanism.LLS, secret=text)
        meter = simulated_meter(MeterRecord(b"ABC", associations=(association,)), environment={"A": "b"})
        assert meter.associations[0].profile.secret() == secret
    for text in ("env:NONE", "hex:zz"):
        association = RecordedAssociation(1, mechanism=AuthenticationMechanism.LLS, secret=text)
        with pytest.raises(ConfigurationError, match="client 1"):
            simulated_meter(MeterRecord(b"ABC", associations=(association,)), environment={})


def test_a_logical_device_finds_names_for_its_associations():
    taken = DataObject("0-0:40.0.1", value=Unsigned(1))
    device = LogicalDevice("ABC0000000000001", objects=[taken])
    assert str(device.add_association(16, AccessRights.full()).association_object.name) == "0.0.40.0.2.255"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"])
def test_a_clock_begins_within_what_a_meter_reckons_with(time):
    text = f"cosem-meter = 1\n[meter]\ntime = {time}\n"
    with pytest.raises(ConfigurationError, match=r"\[meter\] time"):
        simulated_meter(meter_from_toml(text))
    assert simulated_meter(meter_from_toml(text.replace("[meter]", "[meter]\nbehaves = false")))


FAULTS = {
    "a capture object that is not there": (
        '[3, "1-0:1.8.0", 2, 0]',
        '[3, "1-0:1.8.9", 2, 0]',
        "attribute 2 of 1.0.1.8.9.255",
    ),
    "a capture object of another class": ('[3, "1-0:1.8.0", 2, 0]', '[4, "1-0:1.8.0", 2, 0]', "of class 4"),
    "an attribute that the class does not have": (
        '[3, "1-0:1.8.0", 2, 0]',
        '[3, "1-0:1.8.0", 9, 0]',
        "attribute 9",
    ),
    "an hour that there is not": (
        "FFFF03FE0702000000FFC400",
        "FFFF03FE071E000000FFC400",
        "daylight_savings_begin",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_would_do_nothing_is_refused(fault):
    good, bad, said = FAULTS[fault]
    text = """cosem-meter = 1
[[association]]
client = 16
[[object]]
class = 8
name = "0-0:1.0.0"
values = {daylight_savings_begin = "FFFF03FE0702000000FFC400"}
[[object]]
class = 3
name = "1-0:1.8.0"
values = {value = {double-long-unsigned = 0}, scaler_unit = [0, 30]}
[[object]]
class = 7
name = "1-0:99.1.0"
values = {capture_objects = [[8, "0-0:1.0.0", 2, 0], [3, "1-0:1.8.0", 2, 0]], capture_period = 900}
"""
    assert simulated_meter(meter_from_toml(text), clock=StandingClock())
    assert good in text
    with pytest.raises(ConfigurationError, match=said):
        simulated_meter(meter_from_toml(text.replace(good, bad)), clock=StandingClock())
    # A meter that was taken down shows what it showed.
    still = text.replace("[[association]]", "[meter]\nbehaves = false\n[[association]]", 1)
    assert simulated_meter(meter_from_toml(still.replace(good, bad)), clock=StandingClock())
