"""Reading, writing and calling: every way to name things, lists, refusals, conversions."""

from __future__ import annotations

import pickle
import threading
from decimal import Decimal

import pytest

from cosem.association.server.indications import MethodOutcome
from cosem.classes import Clock, Register
from cosem.client.session import Session
from cosem.errors import (
    AccessError,
    ActionError,
    ConfigurationError,
    ConversionError,
    EncodeError,
    ExceptionResponseError,
    StateError,
    UnsupportedError,
)
from cosem.types.data import (
    ABSENT,
    NULL_DATA,
    Array,
    DoubleLongUnsigned,
    Integer,
    Long,
    LongUnsigned,
    OctetString,
    Unsigned,
)
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.client.meter import (
    CLOCK,
    DEMAND,
    ENERGY,
    LIST,
    MAXIMUM,
    NOW,
    ODD,
    SERVICES,
    VOLTAGE,
    Meter,
    connected,
    without,
)


@pytest.mark.parametrize(
    "target", ["1-0:1.8.0:3", "1.0.1.8.0.255:3", "0100010800FF.scaler_unit", " 1-0:1.8.0.scaler_unit"]
)
def test_a_target_may_name_its_attribute(target):
    client, _ = connected(Meter())
    scaler_unit = client.get(ENERGY, 3)
    assert client.get(target) == client.get(target, 3 if ":3" in target else "scaler_unit") == scaler_unit
    assert [result.value for result in client.get_many([target, (target,)])] == [scaler_unit] * 2
    assert client.read(target).attribute == 3
    client.set(target, 3 if ":3" in target else "scaler_unit", scaler_unit)
    with pytest.raises(ConversionError, match="but 4 was asked for"):
        client.get(target, 4)


@pytest.mark.parametrize("target", ["1-0:1.8.0:", "1-0:1.8.0:speed:", "energy:3", "energy.value"])
def test_a_target_that_means_nothing_or_two_things_is_refused(target):
    client, _ = connected(Meter())
    with pytest.raises(ConversionError):
        client.get(target)


@pytest.mark.parametrize("number", [1000, -129, 128])
def test_numbers_out_of_range_are_told_in_words(number):
    client, _ = connected(Meter())
    for ask in (lambda: client.get("1-0:1.8.0", number), lambda: client.get("1-0:1.8.0", number, class_id=3)):
        with pytest.raises(ConversionError, match=rf"^attribute {number} is outside -128\.\.127$"):
            ask()
    with pytest.raises(ConversionError, match=rf"^method {number} is outside"):
        client.call("1-0:1.8.0", number)
    with pytest.raises(ConversionError, match=r"^class_id 70000 is outside"):
        client.get("1-0:1.8.0", class_id=70000)


def test_a_truth_value_becomes_what_the_class_says():
    meter = Meter()
    meter.values[8, CLOCK, 3] = Long(0)
    meter.values[8, CLOCK, 8] = False
    client, _ = connected(meter)
    client.set("0-0:1.0.0", "time_zone", True)
    assert type(client.get("0-0:1.0.0", "time_zone")) is Long
    client.set("0-0:1.0.0", "daylight_savings_enabled", True)
    assert client.get("0-0:1.0.0", "daylight_savings_enabled") is True
    with pytest.raises(EncodeError):
        client.set("0-0:1.0.0", "time", True)


def test_null_data_is_sent_where_it_may_be_or_is_meant():
    meter = Meter()
    meter.values[1, "0.0.96.1.0.255", 2] = Unsigned(1)
    meter.values[8, CLOCK, 3] = Long(-60)
    client, _ = connected(meter)
    client.set("0-0:96.1.0", "value", None, class_id=1)
    assert meter.values[1, "0.0.96.1.0.255", 2] is None
    before = len(meter.received)
    with pytest.raises(
        EncodeError, match=r"time_zone: None would be null-data, but long is wanted; NULL_DATA sends"
    ):
        client.set("0-0:1.0.0", "time_zone", None)
    assert [result.error for result in client.set_many([("0-0:1.0.0", 3, NULL_DATA)])] == [None]
    assert len(meter.received) == before + 1
    assert meter.values[8, CLOCK, 3] is None
    assert repr(NULL_DATA) == "NULL_DATA"


def test_a_client_that_another_thread_uses_refuses_at_once():
    meter = Meter()
    client, channel = connected(meter)
    raised: list[Exception] = []

    def ask():
        for request in (lambda: client.get("1-0:1.8.0"), client.release):
            try:
                request()
            except StateError as error:
                raised.append(error)

    receive = channel.receive

    def receive_while_another_asks(timeout):
        if not raised:
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        return receive(timeout)

    channel.receive = receive_while_another_asks
    value = client.get("1-0:1.8.0")
    assert [str(error) for error in raised] == [
        "a request is not allowed while another thread uses this client (give each its own)",
        "a release is not allowed while another thread uses this client (give each its own)",
    ]
    assert client.get("1-0:1.8.0") == value


@pytest.mark.parametrize(
    "target",
    [
        "1-0:1.8.0",
        "1-0:1.8.0*255",
        "1.0.1.8.0.255",
        "0100010800FF",
        bytes.fromhex("0100010800FF"),
        [1, 0, 1, 8, 0, 255],
        LogicalName(ENERGY),
    ],
    ids=str,
)
def test_an_object_is_named_in_every_written_form(target):
    client, _ = connected(Meter())
    assert client.get(target) == 12_345_678
    assert client.get(target, 3) == (-3, 30)


def test_an_attribute_is_named_by_number_name_or_declaration():
    client, _ = connected(Meter())
    for attribute in (2, "value", Register.value):
        value = client.get(ENERGY, attribute)
        assert type(value) is DoubleLongUnsigned
    assert client.get(CLOCK, Clock.time, class_id=Clock) == NOW
    assert client.get(CLOCK, "time", class_id=8) == NOW


def test_an_entry_of_the_object_list_is_a_target_with_its_class():
    meter = Meter()
    client, _ = connected(meter)
    entry = next(entry for entry in client.objects() if str(entry.logical_name) == VOLTAGE)
    meter.received.clear()
    assert client.get(entry) == 2304
    assert meter.received[0][3:5] == b"\x00\x03"


@pytest.mark.parametrize("target", ["1.8", "no name", b"12", 5, None, ""])
def test_what_names_no_object_is_said_before_anything_is_sent(target):
    meter = Meter()
    client, _ = connected(meter)
    with pytest.raises(ConversionError):
        client.get(target)
    assert meter.kinds() == []


def test_an_unknown_attribute_name_is_an_error_of_ours():
    client, _ = connected(Meter())
    with pytest.raises(ConversionError, match="Register has no attribute 'velocity'"):
        client.get(ENERGY, "velocity", class_id=3)


def test_a_refusal_says_object_attribute_reason_and_likely_cause_and_pickles():
    client, _ = connected(Meter())
    with pytest.raises(AccessError) as caught:
        client.get(ENERGY, 9, class_id=3)
    error = caught.value
    assert error.result is DataAccessResult.OBJECT_UNDEFINED
    assert str(error) == (
        "Register 1.0.1.8.0.255 attribute 9: object-undefined (4)."
        " Likely: the meter has no such object or attribute, or hides it from this client address"
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert client.get(ENERGY) == 12_345_678


def test_a_class_that_nobody_knows_is_looked_up_once():
    meter = Meter()
    client, _ = connected(meter)
    assert client.get(ODD) == 7
    assert client.get(ODD) == 7
    assert [request[5:11] for request in meter.received[1:]] == [
        bytes(LogicalName(LIST)),
        bytes(LogicalName(ODD)),
        bytes(LogicalName(ODD)),
    ]


def test_a_class_that_was_guessed_wrongly_is_put_right_by_the_object_list():
    meter = Meter()
    meter.values[4, "1.0.1.8.1.255", 2] = Unsigned(9)
    meter.values[15, LIST, 2] = Array([*meter.values[15, LIST, 2], _listed(4, "1.0.1.8.1.255")])
    client, _ = connected(meter)
    assert client.get("1-0:1.8.1") == 9
    requests = len(meter.received)
    assert client.get("1-0:1.8.1") == 9
    assert len(meter.received) == requests + 1


def _listed(class_id, name):
    from tests.client.meter import access

    return access(class_id, name)


def test_an_object_that_is_not_in_the_list_is_said_to_be_missing():
    client, _ = connected(Meter())
    with pytest.raises(AccessError, match="the object list of this association has no such object"):
        client.get("0-0:199.1.2")


def test_many_are_read_in_one_request_and_a_refusal_stops_nothing():
    meter = Meter()
    client, _ = connected(meter)
    energy, missing, scaler = client.get_many([ENERGY, (ENERGY, 9, 3), (VOLTAGE, "scaler_unit", Register)])
    assert meter.kinds() == ["C003"]
    assert energy.ok
    assert (energy.value, energy.class_id, energy.number) == (12_345_678, 3, 2)
    assert not missing.ok
    with pytest.raises(AccessError, match="object-undefined"):
        _ = missing.value
    assert scaler.value == (-1, 35)


def test_many_are_read_one_by_one_where_lists_were_not_agreed_on():
    meter = Meter(conformance=without(Conformance.MULTIPLE_REFERENCES))
    client, _ = connected(meter)
    assert [result.value for result in client.get_many([ENERGY, VOLTAGE])] == [12_345_678, 2304]
    assert meter.kinds() == ["C001", "C001"]


def test_no_items_are_no_request():
    meter = Meter()
    client, _ = connected(meter)
    assert client.get_many([]) == []
    assert client.set_many([]) == []
    assert client.call_many([]) == []
    assert meter.kinds() == []


@pytest.mark.parametrize("size", [64, 65, 74, 100, 1000])
def test_a_list_is_split_so_that_no_request_is_longer_than_the_meter_takes(size):
    meter = Meter(max_receive_pdu_size=size)
    client, _ = connected(meter)
    items = [(ENERGY, number, 3) for number in (2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2)]
    results = client.get_many(items)
    assert [result.number for result in results] == [item[1] for item in items]
    assert all(result.ok for result in results)
    assert max(len(request) for request in meter.received[1:]) <= size
    if size == 64:
        assert [request[3] for request in meter.received[1:]] == [5, 5, 3]


def test_a_list_that_is_refused_as_a_whole_is_read_one_by_one():
    for refusal in ("D80202", "C401C001FA"):
        meter = Meter()
        meter.bend = lambda apdu, refusal=refusal: (
            _with_invoke_id(apdu, refusal) if apdu[:2] == b"\xc0\x03" else None
        )
        client, _ = connected(meter)
        assert [result.value for result in client.get_many([ENERGY, VOLTAGE])] == [12_345_678, 2304]
        assert meter.kinds() == ["C003", "C001", "C001"]


def _with_invoke_id(request: bytes, answer: str) -> bytes:
    octets = bytearray.fromhex(answer)
    if octets[0] == 0xC4:
        octets[2] = request[2]
    return bytes(octets)


def test_writing_makes_the_type_of_a_plain_value():
    meter = Meter()
    client, _ = connected(meter)
    client.set(ENERGY, 2, 5)
    assert meter.written[-1] == (ENERGY, 2, 5)
    assert type(meter.written[-1][2]) is DoubleLongUnsigned  # the type of the present value
    client.set(ENERGY, "value", Long(-3))
    assert type(meter.written[-1][2]) is Long
    client.set(ENERGY, "scaler_unit", {"scaler": -2, "unit": 30})
    assert meter.values[3, ENERGY, 3] == (-2, 30)


def test_writing_what_does_not_fit_is_an_error_of_ours():
    meter = Meter()
    client, _ = connected(meter)
    with pytest.raises(EncodeError):
        client.set(ENERGY, 2, "much")
    assert meter.written == []


def test_a_refused_write_says_so():
    client, _ = connected(Meter())
    with pytest.raises(AccessError, match="read-write-denied"):
        client.set(ENERGY, 9, Unsigned(1), class_id=3)


def test_many_are_written_in_one_request_with_a_result_each():
    meter = Meter()
    client, _ = connected(meter)
    done, refused = client.set_many([(ENERGY, 2, DoubleLongUnsigned(1)), (ENERGY, 9, Unsigned(1), 3)])
    assert meter.kinds() == ["C104"]
    assert done.ok
    assert done.value is None
    assert not refused.ok
    assert refused.error.result is DataAccessResult.READ_WRITE_DENIED


def test_a_long_value_is_written_in_blocks_and_progress_is_told():
    meter = Meter(max_receive_pdu_size=64)
    meter.values[1, ODD, 2] = OctetString(b"")
    client, _ = connected(meter)
    seen: list[int] = []
    client.set(ODD, 2, OctetString(bytes(range(200))), class_id=1, progress=seen.append)
    assert meter.values[1, ODD, 2] == bytes(range(200))
    assert seen == sorted(seen)
    assert len(seen) > 3
    assert max(map(len, meter.received)) <= 64


def test_a_method_is_called_with_the_dummy_that_the_standard_wants():
    meter = Meter()
    given: list[object] = []

    def reset(parameters):
        given.append(parameters)
        return MethodOutcome()

    meter.methods[3, ENERGY, 1] = reset
    client, _ = connected(meter)
    assert client.call(ENERGY, 1) is None
    assert client.call(ENERGY, "reset") is None
    assert client.call(ENERGY, Register.reset, ABSENT) is None
    assert given == [Integer(0), Integer(0), ABSENT]
    assert type(given[0]) is Integer


def test_what_a_method_returns_comes_back():
    meter = Meter()
    meter.methods[1, ODD, 7] = MethodOutcome(ActionResult.SUCCESS, OctetString(b"done"))
    meter.methods[1, ODD, 8] = MethodOutcome(ActionResult.SUCCESS, DataAccessResult.OTHER_REASON)
    client, _ = connected(meter)
    assert client.call(ODD, 7, class_id=1) == b"done"
    with pytest.raises(ActionError, match="other-reason"):
        client.call(ODD, 8, class_id=1)


def test_a_refused_method_says_so():
    client, _ = connected(Meter())
    with pytest.raises(
        ActionError, match=r"Clock 0\.0\.1\.0\.0\.255 method 6 \(shift_time\): object-undefined"
    ):
        client.call(CLOCK, "shift_time", 10, class_id=8)


def test_many_methods_are_called_in_one_request_with_a_result_each():
    meter = Meter()
    meter.methods[1, ODD, 7] = MethodOutcome(ActionResult.SUCCESS, Unsigned(3))
    client, _ = connected(meter)
    done, returned, refused = client.call_many([(ENERGY, 1), (ODD, 7, Unsigned(1), 1), (ODD, 9, None, 1)])
    assert meter.kinds() == ["C303"]
    assert done.value is None
    assert returned.value == 3
    assert isinstance(refused.error, ActionError)


def test_a_reading_has_value_unit_and_where_they_come_from():
    meter = Meter()
    client, _ = connected(meter)
    reading = client.read("1-0:1.8.0")
    assert reading.value == Decimal("12345.678")
    assert str(reading) == "12345.678 Wh"
    assert reading.raw == 12_345_678
    assert (reading.class_id, reading.attribute, reading.scaler_origin) == (3, 2, "meter")
    assert reading.name == "Active energy import (+A), total"
    assert meter.kinds() == ["C003"]
    client.read("1-0:1.8.0")
    assert meter.kinds() == ["C003", "C001"]  # scaler and unit are read once


def test_a_reading_without_scaler_is_raw_and_says_so():
    meter = Meter()
    del meter.values[3, ENERGY, 3]
    client, _ = connected(meter)
    reading = client.read(ENERGY)
    assert (reading.value, reading.unit, reading.scaler_origin) == (12_345_678, "", "refused")


@pytest.mark.parametrize("listed", [True, False])
def test_a_refusal_of_the_scaler_that_names_nothing_is_an_error_of_the_reading(listed):
    meter = Meter()
    client, _ = connected(
        meter, conformance=SERVICES if listed else SERVICES & ~Conformance.MULTIPLE_REFERENCES
    )
    scaler = bytes.fromhex("0003 0100010800ff 03")
    meter.bend = lambda apdu: bytes.fromhex("D80101") if scaler in apdu else None
    with pytest.raises(ExceptionResponseError):
        client.read("1-0:1.8.0")
    good, bad = client.read_many([(VOLTAGE, 2, 3), (ENERGY, 2, 3)])
    assert str(good.value) == "230.4 V"
    assert isinstance(bad.error, ExceptionResponseError)
    meter.bend = lambda _: None
    assert str(client.read("1-0:1.8.0")) == "12345.678 Wh"


@pytest.mark.parametrize(
    ("result", "requests"),
    [
        (DataAccessResult.OBJECT_UNAVAILABLE, 2),
        (DataAccessResult.TEMPORARY_FAILURE, 2),
        (DataAccessResult.HARDWARE_FAULT, 2),
        (DataAccessResult.OTHER_REASON, 2),
        (DataAccessResult.READ_WRITE_DENIED, 1),
        (DataAccessResult.OBJECT_UNDEFINED, 1),
    ],
)
def test_only_a_refusal_that_lasts_is_remembered(result, requests):
    meter = Meter()
    client, _ = connected(meter, conformance=SERVICES & ~Conformance.MULTIPLE_REFERENCES)
    scaler = meter.values[3, ENERGY, 3]
    meter.values[3, ENERGY, 3] = result
    reading = client.read(ENERGY, class_id=3)
    assert (reading.value, reading.unit, reading.scaler_origin) == (12_345_678, "", "refused")
    meter.values[3, ENERGY, 3] = scaler
    meter.received.clear()
    reading = client.read(ENERGY, class_id=3)
    assert len(meter.received) == requests
    assert reading.unit == ("Wh" if requests == 2 else "")


def test_extended_and_demand_registers_tell_status_and_time():
    client, _ = connected(Meter())
    maximum = client.read(MAXIMUM, class_id=4)
    assert (maximum.value, maximum.unit, maximum.status) == (Decimal(4711), "W", 8)
    assert maximum.capture_time.isoformat() == "2026-11-24T12:00:00+01:00"
    demand = client.read(DEMAND, "last_average_value", class_id=5)
    assert (demand.value, demand.unit) == (Decimal(900), "W")
    assert demand.capture_time.year == 2026


def test_other_classes_read_as_their_declaration_says():
    client, _ = connected(Meter())
    assert str(client.read(CLOCK).value) == "2026-11-24 12:00:00+01:00"
    assert client.read("0-0:42.0.0").value == "COSEM0000000001"


def test_many_readings_take_one_request_and_a_refusal_stops_nothing():
    meter = Meter()
    client, _ = connected(meter)
    energy, nothing, voltage = client.read_many([ENERGY, ("1-0:2.8.0", 2, 3), VOLTAGE])
    assert meter.kinds() == ["C003"]
    assert str(energy.value) == "12345.678 Wh"
    assert str(voltage.value) == "230.4 V"
    assert isinstance(nothing.error, AccessError)


def test_a_reading_puts_a_wrongly_guessed_class_right():
    meter = Meter()
    meter.values[4, "1.0.1.8.1.255", 2] = Unsigned(9)
    meter.values[15, LIST, 2] = Array([*meter.values[15, LIST, 2], _listed(4, "1.0.1.8.1.255")])
    client, _ = connected(meter)
    assert client.read("1-0:1.8.1").class_id == 4


def test_the_clock_is_read_and_set():
    meter = Meter()
    client, _ = connected(meter)
    moment = client.clock().to_datetime()
    assert moment.isoformat() == "2026-11-24T12:00:00+01:00"
    client.set_clock(moment.replace(hour=13))
    assert meter.values[8, CLOCK, 2] == bytes.fromhex("07EA0B18020D0000 00FFC400")


def test_what_was_not_agreed_on_is_an_error_of_ours():
    meter = Meter(conformance=without(Conformance.SET))
    client, _ = connected(meter)
    with pytest.raises(UnsupportedError, match="writing an attribute needs set"):
        client.set(ENERGY, 2, DoubleLongUnsigned(1))
    assert meter.kinds() == []


@pytest.mark.parametrize("items", [[()], [(1, 2, 3, 4, 5)]])
def test_an_item_of_a_list_that_is_none_is_an_error_of_ours(items):
    client, _ = connected(Meter())
    with pytest.raises(ConfigurationError):
        client.get_many(items)


def test_the_same_attribute_may_be_asked_for_twice():
    client, _ = connected(Meter())
    assert [result.value for result in client.get_many([ENERGY, ENERGY])] == [12_345_678] * 2
    assert [str(result.value) for result in client.read_many([ENERGY, ENERGY])] == ["12345.678 Wh"] * 2


def test_knowledge_of_the_meter_can_be_handed_on():
    session = Session()
    client, _ = connected(Meter(), session=session)
    client.read(ENERGY)
    meter = Meter()
    client, _ = connected(meter, session=session)
    client.read(ENERGY)
    assert meter.kinds() == ["C001"]
    assert LongUnsigned(1) == 1


def test_a_wrong_guess_is_put_right_although_the_list_was_read_for_another_item_of_the_same_batch():
    client, _ = connected(Meter())
    demand, unknown = client.get_many(["1-0:1.6.0", "0-0:198.0.0"])
    assert demand.value == 4711
    assert not unknown.ok
