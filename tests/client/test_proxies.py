"""Objects of a meter as objects of Python, typed by the declaration of their class."""

from __future__ import annotations

import pytest

from cosem.association.server.indications import MethodOutcome
from cosem.classes import Clock, DisconnectControl, ExtendedRegister, Limiter, Register
from cosem.client.operations.objects import entries_of
from cosem.errors import AccessError, ConfigurationError, ConversionError
from cosem.types.data import Array, DoubleLongUnsigned, Long, Unsigned
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit, Unit
from tests.client.meter import (
    CLOCK,
    ENERGY,
    LIST,
    MAXIMUM,
    Meter,
    access,
    connected,
    connected_async,
    run_virtual,
)


def test_an_attribute_is_read_when_it_is_looked_at_and_means_what_its_class_says():
    meter = Meter()
    client, _ = connected(meter)
    clock = client[Clock]
    assert isinstance(clock, Clock)
    assert str(clock.time) == "2026-11-24 12:00:00+01:00"
    assert clock.logical_name == LogicalName(CLOCK)
    assert meter.kinds() == ["C001"]
    assert repr(clock) == "<Clock 0.0.1.0.0.255 of meter>"


def test_an_object_is_had_by_its_name_too():
    client, _ = connected(Meter())
    assert isinstance(client["1-0:1.8.0"], Register)
    assert client["1-0:1.8.0"].logical_name == LogicalName(ENERGY)
    assert str(client[LogicalName(CLOCK)].time) == "2026-11-24 12:00:00+01:00"
    for wrong in ("energy", 5, None):
        with pytest.raises(ConversionError):
            client[wrong]


def test_an_object_is_had_by_its_name_without_asking():
    async def talk():
        client, _ = await connected_async(Meter())
        assert str(await client["0-0:1.0.0"].time) == "2026-11-24 12:00:00+01:00"
        with pytest.raises(ConfigurationError, match="is not known"):
            client["0-0:200.1.2"]

    run_virtual(talk)


def test_an_attribute_of_a_class_is_a_key_to_its_value():
    meter = Meter()
    client, _ = connected(meter)
    assert str(client[Clock.time]) == "2026-11-24 12:00:00+01:00"
    assert meter.kinds() == ["C001"]
    client.objects()
    with pytest.raises(ConfigurationError, match="2 objects of class Register"):
        _ = client[Register.value]
    with pytest.raises(ConfigurationError, match="every class has a logical_name: say of which object"):
        _ = client[Clock.logical_name]
    assert client.value(Clock.logical_name, CLOCK) == LogicalName(CLOCK)


def test_an_attribute_is_written_when_it_is_assigned():
    meter = Meter()
    client, _ = connected(meter)
    energy = client.object("1-0:1.8.0", Register)
    energy.scaler_unit = {"scaler": 0, "unit": 30}
    assert energy.scaler_unit == ScalerUnit(0, Unit(30))
    with pytest.raises(AttributeError, match="Register has no attribute 'speed'"):
        energy.speed = 3


def test_a_method_is_called_with_its_parameter():
    meter = Meter()
    given: list[object] = []

    def shift(parameters):
        given.append(parameters)
        return MethodOutcome()

    meter.methods[8, CLOCK, 6] = shift
    client, _ = connected(meter)
    assert client[Clock].shift_time(30) is None
    assert given == [30]
    assert type(given[0]) is Long


def test_the_class_of_an_object_is_found_out():
    client, _ = connected(Meter())
    assert isinstance(client.object(MAXIMUM), Register | ExtendedRegister)
    client.objects()
    maximum = client.object(MAXIMUM)
    assert isinstance(maximum, ExtendedRegister)
    assert maximum.value == 4711


def test_a_proxy_is_a_target_with_its_class():
    meter = Meter()
    client, _ = connected(meter)
    assert client.get(client.object(ENERGY, Register)) == 12_345_678


def test_an_object_of_a_class_without_usual_name_is_found_in_the_list():
    meter = Meter()
    meter.values[15, LIST, 2] = Array([access(1, "0.0.96.1.0.255"), access(3, ENERGY)])
    client, _ = connected(meter)
    assert client[Register].logical_name == LogicalName(ENERGY)
    assert client[DisconnectControl].logical_name == LogicalName("0.0.96.3.10.255")


def test_which_of_several_objects_is_meant_is_not_guessed():
    client, _ = connected(Meter())
    with pytest.raises(
        ConfigurationError, match=r"2 objects of class Register: 1-0:1\.8\.0\*255, 1-0:32\.7\.0\*255"
    ):
        _ = client[Register]


def test_of_several_objects_the_usual_one_is_meant():
    meter = Meter()
    meter.values[15, LIST, 2] = Array([access(8, "0.0.1.0.1.255"), access(8, CLOCK)])
    client, _ = connected(meter)
    client.objects()
    assert client[Clock].logical_name == LogicalName(CLOCK)


def test_many_objects_are_not_all_named():
    meter = Meter()
    meter.values[15, LIST, 2] = Array([access(3, f"1.0.{number}.8.0.255") for number in range(1, 101)])
    client, _ = connected(meter)
    with pytest.raises(
        ConfigurationError, match=r"has 100 objects of class Register: .* and 95 more; name one"
    ) as caught:
        _ = client[Register]
    assert len(str(caught.value)) < 250


def test_a_class_that_the_meter_does_not_have_is_an_error():
    meter = Meter()
    meter.values[15, LIST, 2] = Array([])
    client, _ = connected(meter)
    with pytest.raises(ConfigurationError, match="no Register is known"):
        _ = client[Register]
    with pytest.raises(AccessError):
        _ = client[Limiter].threshold_active


def test_a_class_that_the_standard_does_not_have_is_an_error():
    meter = Meter()
    meter.values[15, LIST, 2] = Array([access(9999, "0.0.199.9.9.255")])
    client, _ = connected(meter)
    client.objects()
    with pytest.raises(ConversionError, match="class 9999"):
        client.object("0.0.199.9.9.255")


def test_proxies_of_the_asynchronous_client_are_awaited():
    async def test():
        meter = Meter()
        meter.methods[8, CLOCK, 6] = MethodOutcome()
        client, _ = await connected_async(meter)
        clock = client[Clock]
        assert (await clock.time).year == 2026
        assert await clock.shift_time(5) is None
        energy = await client.object(ENERGY)
        assert await energy.value == 12_345_678
        assert energy.logical_name == LogicalName(ENERGY)
        with pytest.raises(AttributeError, match=r"await meter\.set"):
            clock.time_zone = 60
        with pytest.raises(ConfigurationError, match=r"read objects\(\) first"):
            _ = client[Register]
        await client.objects()
        with pytest.raises(ConfigurationError, match="2 objects of class Register"):
            _ = client[Register]
        assert (await client[ENERGY].scaler_unit).scaler == -3
        await client.close()

    run_virtual(test)


def test_the_entry_that_was_met_first_wins():
    entries = entries_of(Array([access(3, ENERGY), access(3, "1.0.2.8.0.255")]), print)
    assert entries[0].logical_name == LogicalName(ENERGY)
    assert DoubleLongUnsigned(1) == Unsigned(1)
