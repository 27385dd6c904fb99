"""The demonstration meter: every value of its declared type, registers and profiles that agree, three clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cosem
from cosem.codec.data import encode_data
from cosem.server import demonstration_meter, serve_in_thread
from cosem.server.demonstration import MANAGEMENT_PASSWORD, READING_PASSWORD
from cosem.server.load_curve import Household, noise
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
from cosem.types.date_time import DateTime
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, StandingClock, aarq

LOAD, DAILY, BILLING, LOG = "1.0.99.1.0.255", "1.0.99.2.0.255", "0.0.98.1.0.255", "0.0.99.98.0.255"
NOON = datetime(2026, 11, 25, 12, 7, tzinfo=UTC)


def scene(now: datetime = NOON, client: int = 1, seed: int = 1) -> tuple[Client, StandingClock]:
    clock = StandingClock(now)
    password = {16: None, 17: READING_PASSWORD, 1: MANAGEMENT_PASSWORD}[client]
    return Client(demonstration_meter(clock=clock, seed=seed), client, aarq(password=password)), clock


def energy(client: Client, name: str) -> int:
    return int(client.get(3, name, 2))


@pytest.mark.parametrize("sap", [16, 17, 1])
def test_every_attribute_in_the_object_list_is_of_its_declared_type(sap):
    client, _ = scene(client=sap)
    objects = client.get(15, "0.0.40.0.0.255", 2)
    assert len(objects) >= 38
    for element in objects:
        class_id, name = int(element[0]), ".".join(map(str, element[2]))
        target = client.device.find(name) or client.device.associations[0].association_object
        for attribute in target.attributes:
            value = client.get(class_id, name, attribute.number)
            if attribute.access == "w":
                assert value is DataAccessResult.READ_WRITE_DENIED
                continue
            assert attribute.data_type.mismatch(value) is None, (name, attribute)
            encode_data(value)


def test_tariffs_add_up_and_every_energy_grows():
    client, clock = scene()
    before: dict[str, int] = {}
    for _ in range(48):
        names = [f"1.0.{name}.255" for name in ("1.8.0", "1.8.1", "1.8.2", "2.8.0", "3.8.0", "4.8.0")]
        values = {name: energy(client, name) for name in names}
        assert values["1.0.1.8.0.255"] == values["1.0.1.8.1.255"] + values["1.0.1.8.2.255"]
        assert all(value >= before.get(name, 0) for name, value in values.items())
        before = values
        clock.move(minutes=30)


def test_the_load_profile_goes_back_five_weeks_and_agrees_with_the_registers():
    client, clock = scene()
    rows = client.get(7, LOAD, 2)
    times = [DateTime(row[0]).to_utc() for row in rows]
    assert len(rows) == 5 * 7 * 96
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=15)}
    assert times[-1] == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    for row, time in list(zip(rows, times, strict=True))[::97]:
        other, _ = scene(time)
        assert [int(value) for value in row[2:]] == [
            energy(other, f"1.0.{name}.255") for name in ("1.8.0", "2.8.0", "3.8.0", "4.8.0")
        ]
    clock.move(minutes=8)
    assert int(client.get(7, LOAD, 2)[-1][2]) == energy(client, "1.0.1.8.0.255")


def test_what_is_captured_goes_on_where_the_history_ends():
    client, clock = scene()
    late, _ = scene(NOON + timedelta(days=2))
    clock.move(days=2)
    assert client.get(7, LOAD, 2) == late.get(7, LOAD, 2)
    assert client.get(7, DAILY, 2) == late.get(7, DAILY, 2)


def test_rows_show_the_switch_of_daylight_saving():
    client, _ = scene(datetime(2026, 10, 26, 12, tzinfo=UTC))
    texts = [str(DateTime(row[0])) for row in client.get(7, LOAD, 2)]
    assert "2026-10-25 02:45:00+02:00" in texts
    assert "2026-10-25 02:00:00+01:00" in texts


def test_daily_and_monthly_values_are_those_of_midnight():
    client, _ = scene()
    days = client.get(7, DAILY, 2)
    assert len(days) == 400
    assert {str(DateTime(row[0]))[11:19] for row in days} == {"00:00:00"}
    months = client.get(7, BILLING, 2)
    assert [str(DateTime(row[0]))[:10] for row in months][-2:] == ["2026-10-01", "2026-11-01"]
    by_day = {row[0]: row for row in days}
    assert all(by_day[row[0]] == row for row in months)


def test_a_household_sleeps_gets_up_and_cooks():
    client, _ = scene()
    used = [int(later[2]) - int(earlier[2]) for earlier, later in pairwise(client.get(7, LOAD, 2))]
    hours: dict[int, list[int]] = {}
    for row, amount in zip(client.get(7, LOAD, 2)[1:], used, strict=True):
        hours.setdefault(DateTime(row[0]).hour or 0, []).append(amount)
    mean = {hour: sum(amounts) / len(amounts) for hour, amounts in hours.items()}
    assert mean[19] > 1.5 * mean[14] > 2 * mean[3]
    exported = [int(later[3]) - int(earlier[3]) for earlier, later in pairwise(client.get(7, LOAD, 2))]
    night = [
        amount
        for row, amount in zip(client.get(7, LOAD, 2)[1:], exported, strict=True)
        if DateTime(row[0]).hour in (0, 1, 2)
    ]
    assert sum(night) == 0 < sum(exported)


def test_the_demand_follows_the_energy():
    client, clock = scene(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    begin = energy(client, "1.0.1.8.0.255")
    client.get(5, "1.0.1.4.0.255", 2)
    clock.move(minutes=15)
    average = int(client.get(5, "1.0.1.4.0.255", 3))
    assert abs(average - 4 * (energy(client, "1.0.1.8.0.255") - begin)) <= 8
    assert str(DateTime(client.get(5, "1.0.1.4.0.255", 6)))[11:19] == "13:15:00"


def test_the_maximum_demand_is_that_of_the_month_until_it_is_reset():
    client, clock = scene()
    maximum = int(client.get(4, "1.0.1.6.0.255", 2))
    rows = [row for row in client.get(7, LOAD, 2) if DateTime(row[0]).month == 11]
    powers = [4 * (int(later[2]) - int(earlier[2])) for earlier, later in pairwise(rows)]
    assert abs(maximum - max(powers)) <= 8
    time = DateTime(client.get(4, "1.0.1.6.0.255", 5))
    assert time.to_utc() == DateTime(rows[powers.index(max(powers)) + 1][0]).to_utc()
    assert client.call(9, "0.0.10.0.0.255", 1, LongUnsigned(1)).result is ActionResult.SUCCESS
    clock.move(hours=3)
    assert 0 < int(client.get(4, "1.0.1.6.0.255", 2)) <= maximum


def test_the_end_of_a_billing_period_is_a_script():
    client, _ = scene()
    assert client.call(9, "0.0.10.0.1.255", 1, LongUnsigned(1)).result is ActionResult.SUCCESS
    assert int(client.get(7, BILLING, 2)[-1][1]) == energy(client, "1.0.1.8.0.255")


def test_a_billing_period_ends_by_itself_when_the_month_does():
    client, clock = scene()
    months = len(client.get(7, BILLING, 2))
    clock.move(days=10)
    rows = client.get(7, BILLING, 2)
    assert len(rows) == months + 1
    assert str(DateTime(rows[-1][0])) == "2026-12-01 00:00:00+01:00"
    assert next(row for row in client.get(7, DAILY, 2) if row[0] == rows[-1][0]) == rows[-1]


def test_the_switch_moves_by_script_and_its_events_are_logged():
    client, _ = scene()
    before = len(client.get(7, LOG, 2))
    assert client.call(9, "0.0.10.0.106.255", 1, LongUnsigned(1)).result is ActionResult.SUCCESS
    assert client.get(70, "0.0.96.3.10.255", 3) == Enum(0)
    assert client.call(70, "0.0.96.3.10.255", 2, Integer(0)).result is ActionResult.SUCCESS
    assert client.set(8, "0.0.1.0.0.255", 2, client.get(8, "0.0.1.0.0.255", 2)) is DataAccessResult.SUCCESS
    events = client.get(7, LOG, 2)
    assert [int(row[1]) for row in events[before:]] == [59, 60, 5]


def test_a_manager_writes_and_a_reader_does_not():
    manager, _ = scene()
    reader, _ = scene(client=17)
    text = OctetString(b"Read on Friday")
    assert manager.set(1, "0.0.96.13.0.255", 2, text) is DataAccessResult.SUCCESS
    assert manager.get(1, "0.0.96.13.0.255", 2) == text
    assert reader.set(1, "0.0.96.13.0.255", 2, text) is DataAccessResult.READ_WRITE_DENIED
    assert reader.call(70, "0.0.96.3.10.255", 1, Integer(0)).result is ActionResult.READ_WRITE_DENIED
    for name in ("0.0.42.0.0.255", "0.0.96.1.0.255", "1.0.0.2.0.255"):
        assert manager.set(1, name, 2, text) is DataAccessResult.READ_WRITE_DENIED


def test_profiles_can_be_emptied_and_arranged_anew():
    client, clock = scene()
    assert client.call(7, LOAD, 1, Integer(0)).result is ActionResult.SUCCESS
    assert client.get(7, LOAD, 2) == Array(())
    columns = client.get(7, LOAD, 3)[:3]
    assert client.set(7, LOAD, 3, Array(map(Structure, columns))) is DataAccessResult.SUCCESS
    clock.move(minutes=30)
    assert [len(row) for row in client.get(7, LOAD, 2)] == [3, 3]


def test_the_same_seed_is_the_same_household():
    values = {seed: [energy(scene(seed=seed)[0], "1.0.1.8.0.255") for _ in range(2)] for seed in (1, 2)}
    assert values[1][0] == values[1][1] != values[2][0] == values[2][1]
    serials = {scene(seed=seed)[0].get(1, "0.0.96.1.0.255", 2) for seed in range(5)}
    assert len(serials) == 5


@given(
    st.datetimes(datetime(2022, 1, 1), datetime(2060, 1, 1)), st.integers(0, 1000), st.integers(1, 100_000)
)
def test_energies_never_fall(moment, seed, seconds):
    house = Household(seed)
    earlier = moment.replace(tzinfo=UTC)
    later = earlier + timedelta(seconds=seconds)
    for read in (
        house.imported,
        house.exported,
        lambda when: house.reactive(when, imported=True),
        house.joules,
    ):
        assert read(earlier) <= read(later)
    assert house.power(earlier) >= 0
    assert 0 <= house.imported(earlier) < 1 << 32


@given(st.integers(), st.integers())
def test_noise_is_a_part_of_one(seed, index):
    assert 0 <= noise(seed, index) < 1
    assert noise(seed, index) == noise(seed, index)


def test_a_client_reads_it_over_a_connection_and_a_day_takes_blocks():
    clock = StandingClock()
    serving = serve_in_thread(demonstration_meter(clock=clock))
    with serving as url:
        with cosem.connect(url) as meter:
            assert meter.read("1-0:1.8.0").value == int(
                serving.call(lambda: serving.server.devices[1]["1-0:1.8.0"].get(2))
            )
            begin = serving.server.statistics.requests
            day = meter.profile("1-0:99.1.0").read(since=clock.now - timedelta(days=1), until=clock.now)
            assert 96 <= len(day) <= 97
            assert serving.server.statistics.requests - begin >= 4
        with pytest.raises(cosem.AssociationRefused):
            cosem.connect(url, client=1, password="12345678")
        with cosem.connect(url, client=1, password=MANAGEMENT_PASSWORD) as meter:
            assert [each for each in meter.objects() if each.class_id == 15]
    assert serving.server.open_connections == 0


def test_its_event_log_tells_of_a_wrong_password():
    meter = demonstration_meter(clock=StandingClock())
    before = len(meter["0-0:99.98.0"].rows)
    with serve_in_thread(meter) as url, pytest.raises(cosem.AssociationRefused):
        cosem.connect(url, client=1, password="wrong")
    assert [int(row[1]) for row in meter["0-0:99.98.0"].rows[before:]] == [43]
    assert meter["0-0:96.11.0"].get(2) == Unsigned(43)
    assert DoubleLongUnsigned(0) < meter["1-0:1.8.0"].get(2)


@pytest.mark.parametrize("by", [timedelta(days=-2000), timedelta(hours=-1), timedelta(days=2_000_000)])
def test_what_goes_through_the_meter_does_not_depend_on_what_its_clock_is_set_to(by):
    client, clock = scene()
    names = [
        f"1-0:{group}.{rest}" for group, rest in ((1, "8.0"), (1, "8.1"), (2, "8.0"), (3, "8.0"), (1, "7.0"))
    ]
    before = [client.get(3, name, 2) for name in names]
    client.device.shift(by)
    assert [client.get(3, name, 2) for name in names] == before
    clock.move(minutes=30)
    after = [client.get(3, name, 2) for name in names]
    assert after[0] > before[0]
    assert 0 < client.get(5, "1-0:1.4.0", 3) < 10_000
    assert 0 < client.get(4, "1-0:1.6.0", 2) < 10_000
