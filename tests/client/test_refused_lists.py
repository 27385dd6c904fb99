"""Lists that the meter refuses as a whole: what was done stays known, and one bad item stops no other."""

from __future__ import annotations

import pickle

import pytest

from cosem.apdu.common import CosemMethodDescriptor
from cosem.client.batch import Call, Read, Write
from cosem.client.operations.services import call_list
from cosem.client.session import Session
from cosem.errors import AccessError, ActionError, ExceptionResponseError, TransportClosed, TransportTimeout
from cosem.types.data import Unsigned
from cosem.types.enumerations import Conformance
from cosem.types.logical_name import LogicalName
from tests.association.fakes import FakeProtection
from tests.association.test_client_routing import ciphered_client
from tests.client.meter import ENERGY, ODD, SERVICES, SILENCE, VOLTAGE, Meter, connected

NOT_POSSIBLE, OTHER, TOO_LONG = b"\xd8\x01\x01", b"\xd8\x01\x03", b"\xd8\x01\x04"
ONE_BY_ONE = SERVICES & ~Conformance.MULTIPLE_REFERENCES
ACCESS = Conformance.ACCESS | SERVICES
ONLY_ACCESS = Conformance.ACCESS
SET, SET_LIST, ACTION_LIST = b"\xc1\x01", b"\xc1\x04", b"\xc3\x03"


def client_of(conformance=SERVICES):
    meter = Meter(conformance=conformance)
    return meter, connected(meter, conformance=conformance)[0]


def refuses(*starts: bytes, after: int = 0, answer: bytes = NOT_POSSIBLE):
    """Return what refuses every request that begins so, but the first ones."""
    seen = [0]

    def bend(apdu):
        if not apdu.startswith(starts):
            return None
        seen[0] += 1
        return answer if seen[0] > after else None

    return bend


def refused_as_a_whole(result):
    return isinstance(result.error, ExceptionResponseError)


def test_a_refused_list_is_written_one_by_one():
    meter, client = client_of()
    meter.bend = refuses(SET_LIST)
    results = client.set_many(
        [(ODD, 2, Unsigned(1), 1), (ENERGY, 9, Unsigned(2), 3), (ODD, 2, Unsigned(3), 1)]
    )
    assert [result.ok for result in results] == [True, False, True]
    assert isinstance(results[1].error, AccessError)
    assert [value for _, _, value in meter.written] == [1, 3]
    assert meter.kinds() == ["C104", "C101", "C101", "C101"]


def test_what_was_written_before_a_refused_portion_stays_known():
    meter, client = client_of()
    meter.bend = refuses(SET_LIST, SET, after=1)
    results = client.set_many([(ODD, 2, Unsigned(number % 256), 1) for number in range(260)])
    assert [result.ok for result in results] == [True] * 255 + [False] * 5
    assert all(map(refused_as_a_whole, results[255:]))
    assert len(meter.written) == 255


@pytest.mark.parametrize("conformance", [ONE_BY_ONE, SERVICES, ACCESS, ONLY_ACCESS])
def test_one_object_that_the_meter_refuses_to_speak_of_stops_no_other(conformance):
    meter, client = client_of(conformance)
    bad = bytes.fromhex("0100002a0000ff")  # class 1, 0-0:42.0.0: in any request, the whole is refused

    def bend(apdu):
        return NOT_POSSIBLE if bad in apdu else None

    meter.bend = bend
    name = "0.0.42.0.0.255"
    read = client.get_many([(ENERGY, 2, 3), (name, 2, 1), (VOLTAGE, 2, 3)])
    assert [result.value for result in (read[0], read[2])] == [12_345_678, 2304]
    assert refused_as_a_whole(read[1])
    with pytest.raises(ExceptionResponseError):
        _ = read[1].value
    written = client.set_many([(ODD, 2, Unsigned(5), 1), (name, 2, Unsigned(6), 1), (ODD, 2, Unsigned(7), 1)])
    assert [result.ok for result in written] == [True, False, True]
    assert refused_as_a_whole(written[1])
    readings = client.read_many([ENERGY, name, VOLTAGE])
    assert [result.ok for result in readings] == [True, False, True]
    mixed = client.access(
        [Write(ODD, 2, Unsigned(9), class_id=1), Read(name, 2, class_id=1), Call(ENERGY, 1, class_id=3)]
    )
    assert [result.ok for result in mixed] == [True, False, True]
    assert refused_as_a_whole(mixed[1])


def test_methods_of_a_refused_list_are_called_one_by_one_where_none_was_called():
    meter, client = client_of()
    meter.bend = refuses(ACTION_LIST)
    results = client.call_many([(ENERGY, 1, None, 3), (VOLTAGE, 1, None, 3), (ENERGY, 1, None, 3)])
    assert [result.ok for result in results] == [True, False, True]
    assert isinstance(results[1].error, ActionError)
    assert meter.kinds() == ["C303", "C301", "C301", "C301"]


@pytest.mark.parametrize("answer", [OTHER, TOO_LONG])
def test_methods_that_may_have_been_called_are_not_called_again(answer):
    meter, client = client_of()
    meter.bend = refuses(ACTION_LIST, answer=answer)
    results = client.call_many([(ENERGY, 1, None, 3)] * 2)
    assert all(map(refused_as_a_whole, results))
    assert meter.kinds() == ["C303"]


def test_methods_are_not_called_again_once_a_block_of_the_answer_has_come():
    """Whoever answers has executed, whatever an exception-response says then."""
    meter, client = client_of()

    def bend(apdu):
        if apdu.startswith(ACTION_LIST):
            return bytes([0xC7, 0x02, apdu[2]]) + bytes.fromhex("00000000010102")
        return NOT_POSSIBLE if apdu.startswith(b"\xc3\x02") else None

    meter.bend = bend
    results = client.call_many([(ENERGY, 1, None, 3)] * 2)
    assert all(map(refused_as_a_whole, results))
    assert all(result.error.answer_begun for result in results)
    assert meter.kinds() == ["C303", "C302"]


@pytest.mark.parametrize("conformance", ["00FE1F", "20FE1F"])
@pytest.mark.parametrize("protected", [False, True])
def test_methods_are_not_called_again_because_of_what_may_be_forged(conformance, protected):
    client = ciphered_client(conformance)
    methods = [CosemMethodDescriptor(3, LogicalName(ENERGY), 1)] * 2
    exchange = client.association.start(lambda context: call_list(context, Session(), methods, [None, None]))
    client.sent()
    client.receive(FakeProtection().protect(NOT_POSSIBLE) if protected else NOT_POSSIBLE)
    assert bool(client.sent()) is protected  # it is called again, alone
    if not protected:
        assert [(error.in_clear, error.service_error) for error in exchange.result()] == [(True, 1)] * 2


@pytest.mark.parametrize(("answer", "requests"), [(OTHER, 1), (NOT_POSSIBLE, 3)])
def test_a_refused_access_request_with_methods_is_divided_only_if_nothing_was_done(answer, requests):
    meter, client = client_of(ONLY_ACCESS)
    meter.bend = refuses(b"\xd9", answer=answer)
    results = client.access([Call(ENERGY, 1, class_id=3), Read(ENERGY, 2, class_id=3)])
    assert all(map(refused_as_a_whole, results))
    assert len(meter.kinds()) == requests


def test_after_a_refused_half_nothing_more_is_done_where_the_first_error_ends_all():
    meter, client = client_of(ONLY_ACCESS)
    meter.bend = refuses(b"\xd9")
    results = client.access([Read(ENERGY, 2, class_id=3), Read(VOLTAGE, 2, class_id=3)], break_on_error=True)
    assert refused_as_a_whole(results[0])
    assert isinstance(results[1].error, AccessError)
    assert len(meter.kinds()) == 2


def test_what_was_done_before_a_refused_access_request_stays_known():
    meter, client = client_of(ACCESS)
    meter.bend = refuses(b"\xd9", after=1)
    results = client.set_many([(ODD, 2, Unsigned(number % 256), 1) for number in range(258)])
    assert [result.ok for result in results] == [True] * 255 + [False] * 3
    assert all(map(refused_as_a_whole, results[255:]))


def test_a_single_request_that_is_refused_raises():
    meter, client = client_of(ONLY_ACCESS)
    meter.bend = refuses(b"\xd9")
    for operation in (
        lambda: client.get(ENERGY, class_id=3),
        lambda: client.set(ODD, 2, Unsigned(1), class_id=1),
        lambda: client.call(ENERGY, 1, class_id=3),
    ):
        with pytest.raises(ExceptionResponseError):
            operation()


@pytest.mark.parametrize("result", [3, 4, 250])
def test_one_refusal_for_a_whole_list_is_none_of_its_items(result):
    meter, client = client_of()

    def bend(apdu):
        one = {b"\xc0\x03": b"\xc4\x01", b"\xc1\x04": b"\xc5\x01"}.get(apdu[:2])
        choice = b"\x01" if apdu[:1] == b"\xc0" else b""
        return one and one + apdu[2:3] + choice + bytes([result])

    meter.bend = bend
    assert [each.ok for each in client.get_many([(ENERGY, 2, 3), (VOLTAGE, 2, 3)])] == [True, True]
    written = client.set_many([(ODD, 2, Unsigned(1), 1), (ENERGY, 9, Unsigned(2), 3)])
    assert [each.ok for each in written] == [True, False]
    assert meter.kinds() == ["C003", "C001", "C001", "C104", "C101", "C101"]


# --- what is known when the answer to a later request does not come -------------------------------------------------------


def silent_after(count: int, *starts: bytes):
    """Return what leaves every further request of these kinds without an answer."""
    left = [count]

    def bend(apdu):
        if not apdu.startswith(starts):
            return None
        left[0] -= 1
        return SILENCE if left[0] < 0 else None

    return bend


WRITES = [(ODD, 2, Unsigned(number % 256), 1) for number in range(260)]
CALLS = [(ENERGY, 1, None, 3)] * 260
BATCH = [
    *(Write(ODD, 2, Unsigned(1), 1) for _ in range(130)),
    *(Call(ENERGY, 1, class_id=3) for _ in range(130)),
]


@pytest.mark.parametrize(
    ("conformance", "act", "kinds", "requests", "known"),
    [
        (SERVICES, lambda client: client.set_many(WRITES), SET_LIST, 1, 255),
        (ONE_BY_ONE, lambda client: client.set_many(WRITES), SET, 7, 7),
        (ACCESS, lambda client: client.set_many(WRITES), b"\xd9", 1, 255),
        (SERVICES, lambda client: client.call_many(CALLS), ACTION_LIST, 1, 255),
        (ACCESS, lambda client: client.call_many(CALLS), b"\xd9", 1, 255),
        (ACCESS, lambda client: client.access(BATCH), b"\xd9", 1, 255),
        (SERVICES, lambda client: client.access(BATCH), b"\xc3\x01", 3, 133),
        (SERVICES, lambda client: client.set_many(WRITES), SET_LIST, 0, 0),
    ],
)
@pytest.mark.parametrize("lost", [False, True])
def test_an_error_in_the_middle_of_a_list_takes_along_what_is_known(
    conformance, act, kinds, requests, known, lost
):
    meter = Meter(conformance=conformance)
    client, channel = connected(meter, conformance=conformance)
    bend = meter.bend = silent_after(requests, kinds)

    def losing(apdu):
        answer = bend(apdu)
        if answer is SILENCE:
            channel.incoming.append(TransportClosed("hung up"))
        return answer

    if lost:
        meter.bend = losing
    with pytest.raises(TransportClosed if lost else TransportTimeout) as caught:
        act(client)
    results = caught.value.results
    assert [result.ok for result in results] == [True] * known
    assert len(meter.written) in (known, min(known, 130), 0)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert [result.number for result in copy.results] == [result.number for result in results]
