"""A time that was read can be written back: it goes out as it came, whatever it means to a program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import cosem
from cosem.classes import ActivityCalendar, Clock
from cosem.client.batch import Read, Write
from cosem.server import AccessRights, LogicalDevice, serve_in_thread
from cosem.server.objects.clock import ClockObject
from cosem.server.objects.making import make_object
from cosem.types.data import OctetString
from cosem.types.date_time import Date, DateTime
from tests.client.meter import CLOCK, NOW, Meter, connected

MOMENT = DateTime(bytes(NOW))
CALENDAR = "0.0.13.0.0.255"
ATTRIBUTES = ["time", "daylight_savings_begin", "daylight_savings_end"]


def meter_with(form: type) -> Meter:
    """Return a meter whose clock has its times as octet-string, or as date-time."""
    meter = Meter()
    for number in (2, 5, 6):
        meter.values[8, CLOCK, number] = form(bytes(NOW))
    return meter


def sent(meter: Meter) -> list[object]:
    return [value for _, _, value in meter.written]


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("form", [OctetString, DateTime])
def test_a_time_that_was_read_goes_back_as_it_came(name, form):
    meter = meter_with(form)
    client, _ = connected(meter)
    clock = client[Clock]
    setattr(clock, name, getattr(clock, name))
    (value,) = sent(meter)
    assert type(value) is form
    assert bytes(value) == bytes(NOW)


@pytest.mark.parametrize("form", [OctetString, DateTime])
def test_every_way_of_writing_and_reading_minds_the_form(form):
    meter = meter_with(form)
    client, _ = connected(meter)
    (found,) = client.get_many([(CLOCK, 2, 8)])
    assert type(found.value) is form
    moment = MOMENT.to_datetime()
    client.set(CLOCK, 2, MOMENT, class_id=8)
    client.set(CLOCK, 2, moment, class_id=8)
    client.set_many([(CLOCK, 2, MOMENT, 8)])
    client.access([Read(CLOCK, 5, class_id=8), Write(CLOCK, 5, MOMENT, class_id=8)])
    client.access([Write(CLOCK, 5, MOMENT, class_id=8)])
    kinds = [type(value) for value in sent(meter)]
    assert kinds[:3] == [form] * 3
    assert kinds[-1] is form


def test_a_meter_that_changes_the_form_is_followed_and_one_that_was_not_asked_gets_octets():
    meter = meter_with(DateTime)
    client, _ = connected(meter)
    client.set(CLOCK, 2, MOMENT, class_id=8)
    meter.values[8, CLOCK, 2] = MOMENT
    client.get(CLOCK, 2, class_id=8)
    client.set(CLOCK, 2, MOMENT, class_id=8)
    meter.values[8, CLOCK, 2] = NOW
    client.get(CLOCK, 2, class_id=8)
    client.set(CLOCK, 2, MOMENT, class_id=8)
    assert [type(value) for value in sent(meter)] == [OctetString, DateTime, OctetString]


def test_what_the_class_leaves_open_and_what_does_not_fit_is_of_the_type_that_it_says():
    meter = meter_with(OctetString)
    client, _ = connected(meter)
    meter.values[1, "0.0.96.1.0.255", 2] = NOW
    client.set("0.0.96.1.0.255", 2, MOMENT, class_id=1)
    client.set(CLOCK, 5, Date(bytes.fromhex("07EA0B1802")), class_id=8)
    assert [type(value) for value in sent(meter)] == [DateTime, Date]


def test_our_server_keeps_the_form_of_an_attribute_whatever_is_written():
    """Written as a date-time, which the class allows, it is shown as before afterwards."""
    clock = ClockObject("0-0:1.0.0")
    recorded = make_object(20, CALENDAR, activate_passive_calendar_time=OctetString(bytes(NOW)))
    device = LogicalDevice("ABC0000000000001", objects=[clock, recorded])
    device.add_association(16, AccessRights.full())
    assert clock.set(5, MOMENT).name == "SUCCESS"
    assert type(clock.get(5)) is OctetString
    assert recorded.set(10, MOMENT).name == "SUCCESS"
    assert type(recorded.get(10)) is OctetString
    recorded._values[10] = MOMENT  # as it is taken down of a meter
    assert recorded.set(10, NOW).name == "SUCCESS"
    assert type(recorded.get(10)) is DateTime
    recorded.put("activate_passive_calendar_time", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1))
    assert type(recorded.get(10)) is DateTime
    with serve_in_thread(device) as url, cosem.connect(url) as meter:
        calendar = meter[ActivityCalendar]
        calendar.activate_passive_calendar_time = calendar.activate_passive_calendar_time
        assert type(meter.get(CALENDAR, 10)) is DateTime
