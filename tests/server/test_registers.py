"""Data, Register, Extended register and Demand register, with a time that the test gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cosem.errors import ConfigurationError, EncodeError
from cosem.server import (
    ClockObject,
    DataObject,
    DemandRegisterObject,
    ExtendedRegisterObject,
    RegisterObject,
    make_object,
)
from cosem.types.data import (
    Array,
    DoubleLong,
    DoubleLongUnsigned,
    Enum,
    Float32,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.date_time import DateTime
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, StandingClock, meter

DEMAND = "1.0.1.4.0.255"


def test_data_keeps_its_type():
    client = Client(meter(DataObject("0-0:96.1.10", value=OctetString(b"one"))))
    assert client.set(1, "0.0.96.1.10.255", 2, OctetString(b"two")) is DataAccessResult.SUCCESS
    assert client.get(1, "0.0.96.1.10.255", 2) == b"two"
    assert client.set(1, "0.0.96.1.10.255", 2, Unsigned(2)) is DataAccessResult.TYPE_UNMATCHED
    assert client.get(1, "0.0.96.1.10.255", 2) == b"two"


def test_data_without_a_value_takes_the_first_one():
    client = Client(meter(DataObject("0-0:96.1.10")))
    assert client.get(1, "0.0.96.1.10.255", 2) is None
    assert client.set(1, "0.0.96.1.10.255", 2, Array((Unsigned(1),))) is DataAccessResult.SUCCESS


def test_a_register_has_scaler_and_unit():
    client = Client(meter(RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(7), scaler_unit=(-3, 30))))
    assert client.get(3, "1.0.1.8.0.255", 3) == Structure((Integer(-3), Enum(30)))
    assert client.get(3, "1.0.1.8.0.255", 1) == bytes((1, 0, 1, 8, 0, 255))


@pytest.mark.parametrize("parameters", [Integer(0), None, Unsigned(1)])
def test_reset_sets_the_default_in_the_type_of_the_value(parameters):
    register = RegisterObject("1-0:1.8.0", value=DoubleLong(7), initial=-5)
    client = Client(meter(register))
    assert client.call(3, "1.0.1.8.0.255", 1, parameters).result is ActionResult.SUCCESS
    assert (register.stored(2), type(register.stored(2))) == (-5, DoubleLong)


def test_an_extended_register_is_captured_when_the_meter_captures():
    clock = StandingClock()
    register = ExtendedRegisterObject("1-0:1.6.0", value=DoubleLongUnsigned(1))
    client = Client(meter(ClockObject(time_zone=-60), register, clock=clock))
    register.capture(DoubleLongUnsigned(9), Unsigned(3))
    clock.move(hours=1)
    assert client.get(4, "1.0.1.6.0.255", 2) == 9
    assert client.get(4, "1.0.1.6.0.255", 4) == Unsigned(3)
    assert str(DateTime(client.get(4, "1.0.1.6.0.255", 5))) == "2026-11-25 13:00:00+01:00"
    client.call(4, "1.0.1.6.0.255", 1)
    assert client.get(4, "1.0.1.6.0.255", 2) == DoubleLongUnsigned(0)
    assert str(DateTime(client.get(4, "1.0.1.6.0.255", 5))) == "2026-11-25 14:00:00+01:00"


def test_values_that_cannot_be_are_refused_when_the_object_is_made():
    with pytest.raises(ConfigurationError):
        RegisterObject("1-0:1.8.0", volume=1)
    with pytest.raises(EncodeError):
        RegisterObject("1-0:1.8.0", scaler_unit=(200, 30))


# --- demand -----------------------------------------------------------------------------------------------


class Demand:
    """A demand register of a constant power that a test changes."""

    def __init__(self, **facts):
        self.clock = StandingClock(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
        self.power = 0.0
        self.joules = 5000.0
        self.register = DemandRegisterObject(
            "1-0:1.4.0", total=lambda: self.joules, scaler_unit=(0, 27), **facts
        )
        self.client = Client(meter(ClockObject(), self.register, clock=self.clock))

    def run(self, power: float, minutes: float):
        # In steps of a minute, so that the total is right whenever a period ends.
        for _ in range(int(minutes)):
            self.clock.move(minutes=1)
            self.joules += power * 60
            self.client.device.advance()

    def get(self, number: int):
        return self.client.get(5, DEMAND, number)

    def time(self, number: int) -> str:
        return str(DateTime(self.get(number)))[11:19]


def test_block_demand_grows_to_the_average_and_drops_at_the_end_of_the_period():
    demand = Demand(period=900, number_of_periods=1)
    ramp = []
    for _ in range(3):
        demand.run(1200, 5)
        ramp.append((int(demand.get(2)), int(demand.get(3))))
    assert ramp == [(400, 0), (800, 0), (0, 1200)]
    assert (demand.time(6), demand.time(7)) == ("12:15:00", "12:15:00")
    demand.run(600, 15)
    assert (demand.get(2), demand.get(3)) == (0, DoubleLongUnsigned(600))


def test_sliding_demand_averages_over_the_last_periods():
    demand = Demand(period=300, number_of_periods=3)
    lasts = []
    for power in (300, 600, 900, 1200):
        demand.run(power, 5)
        lasts.append(int(demand.get(3)))
    assert lasts == [100, 300, 600, 900]


def test_periods_end_at_multiples_from_midnight():
    demand = Demand(period=900, number_of_periods=1)
    demand.clock.move(minutes=-5)
    demand.client.device.reschedule(demand.register)
    demand.run(1000, 6)
    assert demand.time(7) == "12:00:00"


def test_next_period_ends_it_at_once():
    demand = Demand(period=900, number_of_periods=1)
    demand.run(900, 5)
    assert demand.client.call(5, DEMAND, 2, Integer(0)).result is ActionResult.SUCCESS
    assert (demand.get(2), demand.get(3), demand.time(7)) == (0, 300, "12:05:00")


def test_reset_forgets_what_was_measured():
    demand = Demand(period=300, number_of_periods=3)
    demand.run(900, 12)
    assert demand.get(3) == 600
    assert demand.client.call(5, DEMAND, 1, Integer(0)).result is ActionResult.SUCCESS
    assert (demand.get(2), demand.get(3), demand.time(6)) == (0, 0, "12:12:00")
    demand.run(900, 3)
    assert demand.get(3) == 180


@pytest.mark.parametrize(("attribute", "value"), [(8, DoubleLongUnsigned(600)), (9, LongUnsigned(2))])
def test_another_period_begins_anew(attribute, value):
    demand = Demand(period=900, number_of_periods=1)
    demand.run(900, 20)
    assert demand.client.set(5, DEMAND, attribute, value) is DataAccessResult.SUCCESS
    assert (demand.get(attribute), demand.get(3)) == (value, 0)


@pytest.mark.parametrize(("attribute", "value"), [(8, DoubleLongUnsigned(0)), (9, LongUnsigned(0))])
def test_a_period_of_nothing_is_refused(attribute, value):
    demand = Demand(period=900, number_of_periods=1)
    assert demand.client.set(5, DEMAND, attribute, value) is DataAccessResult.OTHER_REASON


def test_amounts_can_be_counted_and_marked_by_the_application():
    clock = StandingClock()
    register = DemandRegisterObject("1-0:1.4.0", period=60, number_of_periods=1, number=Float32)
    client = Client(meter(register, clock=clock))
    register.add(120.0)
    register.mark(Unsigned(4))
    clock.move(seconds=60)
    assert (client.get(5, DEMAND, 3), client.get(5, DEMAND, 5)) == (Float32(2), Unsigned(4))


def test_an_average_of_a_floating_point_type_keeps_its_fraction():
    clock = StandingClock()
    register = DemandRegisterObject("1-0:1.4.0", period=60, number_of_periods=1, number=Float32)
    client = Client(meter(register, clock=clock))
    register.add(90.0)
    clock.move(seconds=60)
    assert client.get(5, DEMAND, 3) == Float32(1.5)


def test_a_period_that_does_not_divide_the_day_is_whole_after_next_period():
    demand = Demand(period=420, number_of_periods=1)
    demand.run(600, 3)
    assert demand.client.call(5, DEMAND, 2, Integer(0)).result is ActionResult.SUCCESS
    demand.run(600, 6)
    assert demand.time(7) == "12:03:00"
    demand.run(600, 1)
    assert (demand.get(3), demand.time(7)) == (600, "12:10:00")


def test_a_demand_that_was_taken_down_begins_when_it_is_served():
    start = DateTime.from_datetime(datetime(2026, 11, 1, tzinfo=UTC)).octets
    demand = Demand(period=900, number_of_periods=1, start_time_current=start)
    demand.run(1200, 15)
    assert demand.get(3) == 1200


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_period_that_a_jump_of_the_clock_cuts_has_no_result(hours):
    demand = Demand(period=900, number_of_periods=2)
    demand.run(1200, 40)
    assert demand.get(3) == 1200
    demand.client.device.shift(timedelta(hours=hours))
    assert (demand.get(2), demand.get(3), demand.time(7)) == (0, 1200, f"{12 + hours:02}:40:00")
    demand.run(600, 5)
    assert demand.get(3) == 100  # a third of a period of two


@pytest.mark.parametrize("seconds", [-840, -300, -60, 60, 300])
@pytest.mark.parametrize("periods", [1, 3])
def test_a_period_that_a_synchronisation_moves_is_averaged_over_the_time_that_it_took(seconds, periods):
    demand = Demand(period=900, number_of_periods=periods)
    demand.run(1200, 15 * periods + 10)
    assert demand.get(3) == 1200
    demand.client.device.shift(timedelta(seconds=seconds))
    demand.client.device.advance()
    for _ in range(60):
        demand.run(1200, 1)
        assert demand.get(3) == 1200


def test_a_period_that_a_synchronisation_passes_over_keeps_the_last_average():
    demand = Demand(period=60, number_of_periods=1)
    demand.run(1200, 10)
    demand.client.device.shift(timedelta(seconds=840))
    demand.client.device.advance()
    assert demand.get(3) == 1200
    assert demand.time(7) == "12:24:00"
    demand.run(600, 1)
    assert demand.get(3) == 600


def test_synchronisations_back_that_follow_each_other_do_not_add_up_to_a_false_demand():
    demand = Demand(period=900, number_of_periods=1)
    demand.run(1200, 40)
    for _ in range(10):
        demand.client.device.shift(timedelta(seconds=-840))
        demand.run(1200, 1)
    averages = {}
    for _ in range(60):
        demand.run(1200, 1)
        averages[demand.time(7)] = int(demand.get(3))
    assert len(averages) >= 4
    assert max(averages.values()) == 1200  # the one that a jump began may be less
    assert list(averages.values())[2:] == [1200] * (len(averages) - 2)


def test_a_demand_that_nobody_asked_for_long_is_what_it_was_on_the_way():
    clock = StandingClock()
    register = DemandRegisterObject("1-0:1.4.0", period=1, number_of_periods=1)
    device = meter(ClockObject(), register, clock=clock)
    register._total = lambda: 1200.0 * device.measuring().timestamp()
    ends = []
    register._captured, captured = (
        lambda: (ends.append(int(register.stored(3))), captured()),
        register._captured,
    )
    register.call_reset()
    ends.clear()
    clock.move(days=7)
    device.advance()
    assert len(ends) <= 10_000
    assert set(ends) == {1200}


def test_a_demand_register_stands_still_while_its_mask_is_not_in_force():
    demand = Demand(period=900, number_of_periods=1)
    activation = make_object(
        6,
        "0-0:14.0.0",
        register_assignment=[(5, "1-0:1.4.0")],
        mask_list=[(b"day", [1]), (b"night", [])],
        active_mask=b"day",
    )
    demand.client.device.add(activation)
    demand.run(900, 20)
    assert (demand.get(2), demand.get(3)) == (300, 900)
    mask = "0.0.14.0.0.255"
    assert demand.client.set(6, mask, 4, OctetString(b"night")) is DataAccessResult.SUCCESS
    demand.run(9000, 5)
    demand.register.add(1e6)
    assert (demand.get(2), demand.get(3)) == (300, 900)
    demand.run(9000, 35)  # the period that it counted in has ended: 5 minutes of 900
    assert (demand.get(2), demand.get(3), demand.time(6)) == (0, 300, "12:30:00")
    assert demand.client.set(6, mask, 4, OctetString(b"day")) is DataAccessResult.SUCCESS
    demand.run(600, 15)
    assert (demand.get(3), demand.time(6)) == (600, "13:15:00")
