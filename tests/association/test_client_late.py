"""Requests that were given up, and errors that name no request: what may be repeated, and which invoke-ids rest."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from cosem.apdu.common import CosemMethodDescriptor
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.access import AccessItem, action_item
from cosem.association.client.conversations.get import get
from cosem.association.client.refused import Refused
from cosem.association.control_function import State
from cosem.client.operations import access_services, services
from cosem.client.session import Session
from cosem.errors import ExceptionResponseError, ReplayError, StateError, TransportClosed, TransportTimeout
from cosem.types.data import LongUnsigned
from cosem.types.logical_name import LogicalName
from tests.association.client_driver import LONG, Client, opened_client
from tests.association.fakes import FakeProtection
from tests.association.server_driver import opened_server
from tests.association.test_client_routing import ciphered_client

NOT_POSSIBLE = "D80101"
SCRIPTS = [CosemMethodDescriptor(9, LogicalName(f"0.0.10.0.{number}.255"), 1) for number in (100, 101)]
ACCESS_TOO = "00FE5F"
"""Conformance with ACCESS besides the services of logical names."""


def reading(client: Client):
    return client.association.start(lambda context: get(context, LONG))


def calling(client: Client):
    return client.association.start(
        lambda context: services.call_list(context, Session(), SCRIPTS, [LongUnsigned(1)] * 2)
    )


def calling_by_access(client: Client):
    items: list[AccessItem] = [action_item(script, LongUnsigned(1)) for script in SCRIPTS]
    return client.association.start(lambda context: access_services.all_of(context, Session(), items))


def given_up(client: Client):
    exchange = reading(client)
    (request,) = client.sent()
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    return request[4:6]


def over_datagrams(client: Client) -> Client:
    client.association.parameters = replace(client.association.parameters, keeps_order=False)
    return client


def is_of_another(outcome) -> bool:
    return isinstance(outcome, ExceptionResponseError) and outcome.of_another


# --- methods are called once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "conformance"), [(calling, "00FE1F"), (calling_by_access, ACCESS_TOO)])
def test_methods_are_not_repeated_when_the_error_may_answer_a_request_that_was_given_up(call, conformance):
    client = opened_client(conformance=conformance)
    given_up(client)
    exchange = call(client)
    assert len(client.sent()) == 1
    client.receive(NOT_POSSIBLE)
    assert client.sent() == []
    assert all(map(is_of_another, exchange.result()))


@pytest.mark.parametrize(("call", "conformance"), [(calling, "00FE1F"), (calling_by_access, ACCESS_TOO)])
def test_methods_are_not_repeated_when_the_error_may_answer_another_open_request(call, conformance):
    client = opened_client(conformance=conformance)
    exchange, other = call(client), reading(client)
    assert len(client.sent()) == 2
    client.receive(NOT_POSSIBLE)
    assert client.sent() == []
    assert all(map(is_of_another, exchange.result()))
    assert not other.done


@pytest.mark.parametrize(("call", "conformance"), [(calling, "00FE1F"), (calling_by_access, ACCESS_TOO)])
def test_methods_are_not_repeated_where_an_error_may_have_come_twice(call, conformance):
    client = over_datagrams(opened_client(conformance=conformance))
    exchange = call(client)
    assert len(client.sent()) == 1
    client.receive(NOT_POSSIBLE)
    assert client.sent() == []
    assert all(map(is_of_another, exchange.result()))


@pytest.mark.parametrize(("call", "conformance"), [(calling, "00FE1F"), (calling_by_access, ACCESS_TOO)])
def test_methods_are_repeated_one_by_one_when_the_error_can_only_mean_them(call, conformance):
    client = opened_client(conformance=conformance)
    call(client)
    assert len(client.sent()) == 1
    client.receive(NOT_POSSIBLE)
    assert len(client.sent()) == 1


# --- invoke-ids rest, and come back -----------------------------------------------------------------------------------


def test_the_true_answer_after_an_error_of_another_request_finds_nobody():
    client = opened_client(first=0)
    given_up(client)
    exchange = reading(client)
    (request,) = client.sent()
    client.receive(NOT_POSSIBLE)
    with pytest.raises(ExceptionResponseError, match="it may refuse one of those"):
        exchange.result()
    client.receive(f"C401{request[4:6]}001105")
    assert client.association.unmatched == 0
    assert client.association.findings[-1] == "late answer dropped: GetResponseNormal"


def test_a_meter_that_refuses_everything_after_one_lost_answer_uses_no_invoke_ids_up():
    client = opened_client(first=0)
    lost = given_up(client)
    for _ in range(100):
        exchange = reading(client)
        (request,) = client.sent()
        assert request[4:6] != lost
        client.receive(NOT_POSSIBLE)
        with pytest.raises(ExceptionResponseError):
            exchange.result()
    assert client.association.state is State.ASSOCIATED


def answered_from(client: Client, start: float, answers: int) -> None:
    for number in range(answers):
        exchange = reading(client)
        (request,) = client.sent()
        client.association.receive(bytes.fromhex(f"C401{request[4:6]}001105"), start + number)
        assert exchange.result() == 5


@pytest.mark.parametrize(("seconds", "answers", "free"), [(80, 4, True), (79, 4, False), (1000, 3, False)])
def test_an_invoke_id_comes_back_when_no_answer_can_come(seconds, answers, free):
    client = opened_client(first=0)
    client.association.tick(0.0, 10.0)
    lost = given_up(client)
    answered_from(client, 0.0, answers)
    client.association.tick(seconds)
    used = set()
    for _ in range(16):
        used.add(f"{int(client.association.new_invoke_id()):02X}")
    assert (lost in used) is free


def test_silence_makes_no_answer_too_late():
    client = opened_client(first=0)
    client.association.tick(0.0, 1.0)
    for number in range(16):
        client.association.tick(10.0 * number)
        given_up(client)
    # A line that was interrupted gives out all that it holds.
    client.receive("C40140001106")
    assert client.association.findings[-1] == "late answer dropped: GetResponseNormal"
    exchange = reading(client)
    assert client.sent()[0][4:6] == "40"
    client.receive("C40140001105")
    assert exchange.result() == 5


def test_without_a_free_invoke_id_and_without_an_open_request_the_association_is_given_up():
    client = opened_client(first=0)
    for _ in range(16):
        given_up(client)
    with pytest.raises(TransportClosed, match=r"^16 .* answers are lost, or the meter is slow .*; reopen"):
        reading(client).result()
    assert client.association.state is State.IDLE
    assert isinstance(client.association.lost_by, TransportClosed)


def test_while_requests_are_open_the_error_says_what_helps():
    client = opened_client(first=0)
    given_up(client)
    for _ in range(15):
        reading(client)
    with pytest.raises(StateError, match="ask for fewer at once; answers are lost, or the meter is slow"):
        reading(client).result()
    assert client.association.state is State.ASSOCIATED


def test_errors_booked_on_the_wrong_request_use_no_invoke_ids_up():
    client = opened_client(first=0)
    association: ClientAssociation = client.association
    for number in itertools.count(1):
        association.tick(number * 20.0, 10.0)
        first, second = reading(client), reading(client)
        wanted, _ = (request[4:6] for request in client.sent())
        client.receive(NOT_POSSIBLE)  # it means the second
        client.receive(f"C401{wanted}001105")
        assert first.done
        association.timed_out(second, TransportTimeout("no answer"))
        assert second.done
        answered_from(client, number * 20.0, 2)
        if number == 100:
            break
    assert association.state is State.ASSOCIATED


def used_next(client: Client) -> set[str]:
    """Return the next sixteen invoke-ids."""
    return {f"{int(client.association.new_invoke_id()):02X}" for _ in range(16)}


def test_an_invoke_id_rests_as_long_as_the_patience_of_its_own_request_says():
    client = opened_client(first=0)
    answered_from(client, 0.0, 1)
    client.association.tick(1.0, 600.0)  # of a request that was answered
    exchange = reading(client)
    client.association.tick(1.0, 0.5)
    (request,) = client.sent()
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    answered_from(client, 2.0, 4)
    client.association.tick(5.0)
    assert request[4:6] in used_next(client)


@pytest.mark.parametrize("end", ["cancel", "timed_out"])
def test_an_invoke_id_rests_no_shorter_because_others_wait_less(end):
    client = opened_client(first=0)
    exchange = reading(client)
    client.association.tick(0.0, 600.0)
    (request,) = client.sent()
    reading(client)
    client.association.tick(0.0, 0.5)
    client.sent()
    getattr(client.association, end)(exchange, TransportTimeout("no answer"))
    answered_from(client, 2.0, 4)
    client.association.tick(4799.0)
    assert request[4:6] not in used_next(client)
    client.association.tick(4800.0)
    assert request[4:6] in used_next(client)


def test_lost_answers_after_one_long_time_out_do_not_end_the_association():
    client = opened_client(first=0)
    client.association.tick(0.0, 600.0)
    client.association.tick(0.0, 0.5)
    for second in range(0, 300, 10):
        client.association.tick(second)
        given_up(client)
        answered_from(client, second, 5)
    assert client.association.state is State.ASSOCIATED


@pytest.mark.parametrize("spoil", ["lose", "answer without a name"])
def test_errors_whose_other_request_gets_no_answer_use_no_invoke_ids_up(spoil):
    client = opened_client(first=0)
    association = client.association
    association.tick(0.0, 10.0)
    for moment in range(0, 50_000, 1000):
        first, second = reading(client), reading(client)
        client.sent()
        client.receive(NOT_POSSIBLE)
        assert first.done
        if spoil == "lose":
            association.timed_out(second, TransportTimeout("no answer"))
        else:
            client.receive("FF")  # nobody can say whose it is
        assert second.done
        answered_from(client, moment + 200.0, 20)
    assert len(used_next(client)) == 16


def test_a_request_that_nobody_answered_makes_no_other_one_refused():
    refused = Refused()
    assert refused.one_of([1, 2, 3]) == set()
    refused.aged([3])  # the refused one, for all that is known
    assert refused.answered(2) == set()
    assert 1 in refused
    refused.aged([1])
    assert refused.one_of([4]) == {4}


# --- what was protected before ----------------------------------------------------------------------------------------


def test_where_the_order_is_kept_a_repeated_answer_is_refused_at_once():
    client = ciphered_client()
    exchange = reading(client)
    client.association.protection.replayed = True
    client.receive(FakeProtection().protect(bytes.fromhex("C40140001106")))
    with pytest.raises(ReplayError):
        exchange.result()


def test_a_repeated_answer_is_put_aside_and_the_true_one_is_waited_for():
    client = over_datagrams(ciphered_client())
    protection = client.association.protection
    exchange = reading(client)
    client.sent()
    protection.replayed = True
    client.receive(FakeProtection().protect(bytes.fromhex("C40140001106")))
    assert not exchange.done
    assert "repeated or overtaken message dropped" in client.association.findings[-1]
    protection.replayed = False
    client.receive(FakeProtection().protect(bytes.fromhex("C40140001105")))
    assert exchange.result() == 5


def test_a_meter_whose_counter_went_back_is_told_from_a_silent_one():
    client = over_datagrams(ciphered_client())
    exchange = reading(client)
    client.sent()
    client.association.protection.replayed = True
    client.receive(FakeProtection().protect(bytes.fromhex("C40140001106")))
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    with pytest.raises(TransportTimeout, match=r"what came had been protected before: .*77"):
        exchange.result()


@pytest.mark.parametrize("keeps_order", [True, False])
def test_a_server_tells_of_a_repeated_request_only_where_the_order_is_kept(keeps_order):
    server = opened_server(keeps_order=keeps_order)
    protection = FakeProtection()
    server.association.protection = protection
    request = protection.protect(bytes.fromhex("C0014000010000800100FF0200"))
    assert server(request) != []
    protection.replayed = True
    assert bool(server(request)) is keeps_order


def test_a_repeated_answer_in_clear_belongs_to_nothing_where_answers_may_come_twice():
    client = over_datagrams(opened_client(first=0))
    exchange = reading(client)
    client.sent()
    first = "C402400000000001000109"
    client.receive(first)
    assert len(client.sent()) == 1
    client.receive(first)
    assert client.sent() == []
    assert not exchange.done
    client.receive("C40240010000000200020141")
    assert exchange.result() == b"A"


# --- answers that may come twice --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [0, 8, 9, 12])
def test_a_value_that_stays_the_same_is_no_repetition_however_many_invoke_ids_rest(lost):
    client = over_datagrams(opened_client(first=0))
    for _ in range(lost):
        given_up(client)
    answered_from(client, 0.0, 40)
    assert "repeated answer dropped: C4" not in client.association.findings


def test_a_value_that_stays_the_same_is_no_repetition_with_one_invoke_id_for_all_answers():
    client = over_datagrams(opened_client(any_invoke_id=True))
    for _ in range(3):
        exchange = reading(client)
        client.sent()
        client.receive("C401C0001105")
        assert exchange.result() == 5


@pytest.mark.parametrize("lost", [0, 8, 13])
def test_a_repetition_among_the_next_two_answers_is_never_taken_for_a_new_one(lost):
    client = over_datagrams(opened_client(first=0))
    for _ in range(lost):
        given_up(client)
    answers: list[str] = []
    for number in range(40):
        exchange = reading(client)
        (request,) = client.sent()
        for former in answers[-2:]:
            client.receive(former)
        assert not exchange.done
        answers.append(f"C401{request[4:6]}0011{number:02X}")
        client.receive(answers[-1])
        assert exchange.result() == number


def test_without_an_invoke_id_that_is_old_enough_the_association_is_given_up():
    client = over_datagrams(opened_client(first=0))
    for _ in range(14):
        given_up(client)
    answered_from(client, 0.0, 2)
    with pytest.raises(TransportClosed, match="reopen"):
        reading(client).result()


def test_of_requests_at_once_each_gets_an_invoke_id_as_long_as_there_are_some():
    client = over_datagrams(opened_client(first=0))
    answered_from(client, 0.0, 16)
    open_requests = [reading(client) for _ in range(16)]
    for request in client.sent():
        client.receive(f"C401{request[4:6]}001105")
    assert [each.result() for each in open_requests] == [5] * 16
