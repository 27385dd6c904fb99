"""What reaches which conversation: parallel requests, late answers, exceptions, notifications, release, loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.apdu import decode
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.notification import EventNotificationRequest
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.get import get
from cosem.association.client.conversations.set import set_unconfirmed
from cosem.association.client.parameters import AssociationParameters
from cosem.association.control_function import State
from cosem.errors import (
    ConfirmedServiceErrorReceived,
    CosemError,
    DecodeError,
    ExceptionResponseError,
    ProtocolError,
    SecurityError,
    StateError,
    TransportClosed,
    TransportTimeout,
)
from cosem.types.data import LongUnsigned
from cosem.types.enumerations import ApplicationContext
from cosem.types.logical_name import LogicalName
from tests.association.client_driver import LONG, Client, aare, initiate_response, opened_client
from tests.association.fakes import CLIENT_TITLE, FakeProtection

EVENT = "C20000030100010800FF02120005"
DATA_NOTIFICATION = "0F00000001001105"


def started(client: Client, **options):
    return client.association.start(lambda context: get(context, LONG), **options)


def test_answers_find_their_requests_in_any_order():
    client = opened_client(first=0)
    exchanges = [started(client) for _ in range(16)]
    assert [sent[4:6] for sent in client.sent()] == [f"{0x40 | number:02X}" for number in range(16)]
    for number in reversed(range(16)):
        client.receive(f"C401{0x40 | number:02X}0011{number:02X}")
    assert [exchange.result() for exchange in exchanges] == list(range(16))


def test_a_seventeenth_request_is_not_sent():
    client = opened_client(first=0)
    for _ in range(16):
        started(client)
    client.sent()
    exchange = started(client)
    with pytest.raises(StateError):
        exchange.result()
    assert client.sent() == []


def test_an_invoke_id_is_used_again_after_its_answer():
    client = opened_client(first=0)
    for number in range(40):
        exchange = started(client)
        assert client.sent() == [f"C001{0x40 | number % 16:02X}00010000800000FF0200"]
        client.receive(f"C401{0x40 | number % 16:02X}001105")
        assert exchange.result() == 5


def test_priority_is_asked_for_where_it_was_agreed_on():
    client = opened_client(first=0)
    started(client, high_priority=True)
    assert client.sent()[0][4:6] == "C0"
    client = opened_client(conformance="00BE1F", first=0)
    started(client, high_priority=True)
    assert client.sent()[0][4:6] == "40"


def test_the_answer_may_have_another_class_and_priority():
    client = opened_client(first=0)
    exchange = started(client)
    client.receive("C40180001105")
    assert exchange.result() == 5


def test_another_invoke_id_is_the_answer_to_nothing():
    client = opened_client()
    exchange = started(client)
    client.receive("C40142001106")
    assert not exchange.done
    assert client.association.unmatched == 1
    client.receive("C40141001105")
    assert exchange.result() == 5


@pytest.mark.parametrize(
    "late", ["C40141001106", "C4014103", "C501410 0", "C40141", "C402410000000001000100"]
)
def test_a_late_answer_is_never_that_of_another_request(late):
    client = opened_client()
    given_up = started(client)
    client.sent()
    client.association.cancel(given_up, TransportTimeout("no answer"))
    with pytest.raises(TransportTimeout):
        given_up.result()
    others = [started(client) for _ in range(15)]
    assert "41" not in [sent[4:6] for sent in client.sent()]
    with pytest.raises(StateError):
        started(client).result()
    client.receive(late.replace(" ", ""))
    assert not any(exchange.done for exchange in others)
    assert any("late answer dropped" in finding for finding in client.association.findings)
    again = started(client)
    assert client.sent()[0][4:6] == "41"
    client.receive("C40141001105")
    assert again.result() == 5


def test_a_cancelled_transfer_is_over():
    client = opened_client()
    exchange = started(client)
    client.receive("C40241000000000100010 9".replace(" ", ""))
    client.association.cancel(exchange, TransportTimeout("no answer"))
    client.sent()
    client.receive("C40241010000000200020100")
    assert client.sent() == []
    with pytest.raises(TransportTimeout):
        exchange.result()
    client.association.cancel(exchange, TransportClosed("again"))
    with pytest.raises(TransportTimeout):
        exchange.result()


# --- errors of whole requests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "facts"),
    [
        ("D80101", (1, 1, None)),
        ("D80202", (2, 2, None)),
        ("D80106000000FF", (1, 6, 255)),
        ("D8034D", (3, 77, None)),
    ],
)
def test_an_exception_response_ends_the_oldest_request(octets, facts):
    client = opened_client()
    first, second = started(client), started(client)
    client.receive(octets)
    with pytest.raises(ExceptionResponseError) as caught:
        first.result()
    error = caught.value
    assert (error.state_error, error.service_error, error.invocation_counter) == facts
    assert not second.done
    client.receive("C40142001105")
    assert second.result() == 5


def test_a_confirmed_service_error_does_so_too():
    client = opened_client()
    exchange = started(client)
    client.receive("0E050302")
    with pytest.raises(ConfirmedServiceErrorReceived) as caught:
        exchange.result()
    assert (caught.value.service, caught.value.error_group, caught.value.error) == (5, 3, 2)
    assert "service-unsupported" in str(caught.value)


@pytest.mark.parametrize("octets", ["D80101", "0E050302", "C40141001105", "0C01001105", "6300", "0D0100"])
def test_an_answer_that_nobody_waits_for_is_counted(octets):
    client = opened_client()
    client.receive(octets)
    assert client.association.unmatched == 1
    assert client.sent() == []


def test_an_answer_that_cannot_be_read_fails_its_own_request_only():
    client = opened_client()
    first, second = started(client), started(client)
    client.receive("C4014107")
    with pytest.raises(DecodeError):
        first.result()
    assert not second.done
    client.receive("C4014907")
    assert not second.done
    client.receive("C40142001105")
    assert second.result() == 5


def test_rubbish_fails_all_and_their_answers_find_nobody():
    client = opened_client(first=0)
    exchanges = [started(client), started(client)]
    client.receive("FFFF")
    for exchange in exchanges:
        with pytest.raises(DecodeError):
            exchange.result()
    client.sent()
    after = [started(client) for _ in range(14)]
    assert not {"40", "41"} & {sent[4:6] for sent in client.sent()}
    client.receive("C40140001105")
    assert not any(exchange.done for exchange in after)


def test_the_echo_of_a_request_is_no_answer():
    client = opened_client()
    exchange = started(client)
    (request,) = client.sent()
    for octets in (request, request[:-2], "C101" + request[4:]):
        client.receive(octets)
    assert not exchange.done
    client.receive("C40141001105")
    assert exchange.result() == 5


# --- what the server sends by itself ------------------------------------------------------------------------------------


def test_notifications_are_kept_apart_from_answers():
    client = opened_client()
    exchange = started(client)
    client.receive(EVENT)
    client.receive(DATA_NOTIFICATION)
    client.receive("C40141001105")
    assert exchange.result() == 5
    assert [type(each.apdu).__name__ for each in client.association.notifications] == [
        "EventNotificationRequest",
        "DataNotification",
    ]
    assert client.association.notifications[0].apdu.attribute_value == 5


def test_an_event_notification_tells_when_of_what_and_the_value():
    client = opened_client()
    client.receive(EVENT)
    client.receive("C2010C07E5010101FF00000080000000030100010800FF0200")
    without_time, with_time = (each.apdu for each in client.association.notifications)
    target = CosemAttributeDescriptor(3, LogicalName("1.0.1.8.0.255"), 2)
    assert without_time == EventNotificationRequest(None, target, LongUnsigned(5))
    assert with_time == EventNotificationRequest(bytes.fromhex("07E5010101FF000000800000"), target, None)


def test_notifications_come_in_every_state():
    client = Client()
    client.receive(EVENT)
    exchange = client.association.open()
    client.receive(EVENT)
    assert not exchange.done
    client.receive(aare())
    client.association.release()
    client.receive(EVENT)
    client.receive("6300")
    client.receive(EVENT)
    assert len(client.association.notifications) == 4


@pytest.mark.parametrize("octets", ["C2", "C200", "0F000000", EVENT[:-2], "18", "C201"])
def test_a_notification_that_cannot_be_read_hurts_nobody(octets):
    client = opened_client()
    exchange = started(client)
    client.receive(octets)
    assert not exchange.done
    assert len(client.association.notifications) == 0
    assert "notification dropped" in client.association.findings[-1]


def test_notifications_are_bounded():
    client = opened_client(most_notifications=3)
    for number in range(5):
        client.receive(f"{EVENT[:-2]}{number:02X}")
    assert [each.apdu.attribute_value for each in client.association.notifications] == [2, 3, 4]
    assert client.association.notifications_dropped == 2


# --- protection --------------------------------------------------------------------------------------------------------


def ciphered_client(conformance: str = "00FE1F") -> Client:
    parameters = AssociationParameters(
        application_context=ApplicationContext.LN_CIPHERED, calling_ap_title=CLIENT_TITLE
    )
    client = Client(parameters, protection=FakeProtection())
    client.association.open()
    client.sent()
    client.receive(
        aare(
            application_context_name=ApplicationContext.LN_CIPHERED,
            user_information=FakeProtection().protect(initiate_response(conformance=conformance)),
        )
    )
    assert client.association.state is State.ASSOCIATED
    return client


def test_requests_go_out_protected_and_answers_must_come_so():
    client = ciphered_client()
    exchange = started(client)
    (request,) = client.sent()
    assert FakeProtection().unprotect(bytes.fromhex(request))[0].hex()[:4] == "c001"
    client.receive(FakeProtection().protect(bytes.fromhex("C40140001105")))
    assert exchange.result() == 5
    exchange = started(client)
    client.receive("C40141001106")
    with pytest.raises(SecurityError):
        exchange.result()


def test_a_clear_answer_with_another_invoke_id_is_no_reason_to_allow_any():
    client = ciphered_client()
    exchange = started(client)
    client.receive("C40145001106")
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    with pytest.raises(TransportTimeout) as caught:
        exchange.result()
    assert "any_invoke_id" not in str(caught.value)
    assert client.association.unmatched == 1


def test_a_forged_answer_gives_no_value():
    client = ciphered_client()
    exchange = started(client)
    client.receive(FakeProtection().protect(bytes.fromhex("C40140001105"))[:-1] + b"\x00")
    with pytest.raises(SecurityError):
        exchange.result()


def test_a_notification_says_whether_it_was_protected():
    client = ciphered_client()
    client.receive(EVENT)
    client.receive(FakeProtection().protect(bytes.fromhex(EVENT)))
    assert [each.security_status for each in client.association.notifications] == [None, "protected"]


def test_an_exception_in_clear_is_heard():
    client = ciphered_client()
    exchange = started(client)
    client.receive("D80105")
    with pytest.raises(ExceptionResponseError) as caught:
        exchange.result()
    assert caught.value.in_clear
    exchange = started(client)
    client.receive(FakeProtection().protect(bytes.fromhex("D80105")))
    with pytest.raises(ExceptionResponseError) as caught:
        exchange.result()
    assert not caught.value.in_clear


# --- release and loss --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("6300", True),
        ("6303800100", True),
        ("6303800101", False),
        ("630380011E", False),
        ("6303800163", False),
        ("D80101", False),
        ("0E010600", False),
    ],
)
def test_release(answer, normal):
    client = opened_client()
    exchange = client.association.release()
    assert client.association.state is State.ASSOCIATION_RELEASE_PENDING
    assert client.sent() == ["6203800100"]
    with pytest.raises(
        StateError, match=r"^a data service is not .* being released \(the client is being closed\)$"
    ):
        started(client)
    with pytest.raises(StateError):
        client.association.release()
    client.receive(answer)
    assert exchange.result() is normal
    assert client.association.state is State.IDLE


def test_what_cannot_be_sent_while_the_client_is_closed_says_so():
    client = opened_client()
    exchange = client.association.release()
    for send in (
        lambda: client.association.confirm_notification(decode(bytes.fromhex("0F00000001001107"))),
        lambda: client.association.send_unconfirmed(lambda _: pytest.fail("nothing is sent")),
    ):
        with pytest.raises(StateError, match="being closed"):
            send()
    client.receive("6300")
    assert exchange.result()
    with pytest.raises(StateError, match=r"there is no association .*closed"):
        started(client)


def test_a_release_whose_answer_cannot_be_read_is_a_release():
    client = opened_client()
    exchange = client.association.release()
    client.receive("63FF")
    with pytest.raises(DecodeError):
        exchange.result()
    assert client.association.state is State.IDLE


def test_a_release_without_an_answer_is_a_release():
    client = opened_client()
    exchange = client.association.release()
    client.association.cancel(exchange, TransportTimeout("no answer"))
    assert client.association.state is State.IDLE


def test_what_waits_when_the_association_is_released_fails():
    client = opened_client()
    waiting = started(client)
    exchange = client.association.release()
    client.receive("6300")
    assert exchange.result() is True
    with pytest.raises(ProtocolError, match="released"):
        waiting.result()


def test_a_client_that_lost_track_may_release_without_an_association():
    client = Client()
    exchange = client.association.release()
    assert client.sent() == ["6203800100"]
    client.receive("6303800100")
    assert exchange.result() is True
    assert client.association.state is State.IDLE


def test_the_release_of_an_unconfirmed_association_is_sent():
    client = Client(AssociationParameters(confirmed=False))
    client.association.open()
    client.sent()
    client.association.send_unconfirmed(lambda context: set_unconfirmed(context, LONG, None))
    exchange = client.association.release()
    assert exchange.result() is True
    assert client.sent()[-1] == "6203800100"
    assert client.association.state is State.IDLE


def test_the_release_of_a_ciphered_association_carries_the_initiate_request():
    client = ciphered_client()
    exchange = client.association.release()
    rlrq = decode(bytes.fromhex(client.sent()[0]))
    assert FakeProtection().unprotect(rlrq.user_information)[0][:1] == b"\x01"
    client.receive("6303800100")
    assert exchange.result() is True
    assert not client.association.protecting


@pytest.mark.parametrize("releasing", [False, True])
def test_a_lost_connection_fails_everything(releasing):
    client = opened_client()
    exchanges = [started(client), started(client)]
    if releasing:
        exchanges.append(client.association.release())
    client.receive("C40241000000000100010 9".replace(" ", ""))
    client.association.lost(TransportClosed("gone"))
    for exchange in exchanges:
        with pytest.raises(TransportClosed):
            exchange.result()
    assert client.association.state is State.IDLE
    assert client.sent() == []
    with pytest.raises(StateError):
        started(client)


def test_who_waits_is_told_once():
    client = opened_client()
    told = []
    exchange = started(client)
    exchange.on_done = told.append
    with pytest.raises(StateError):
        exchange.result()
    client.receive("C40141001105")
    client.receive("C40141001106")
    client.association.lost(TransportClosed("gone"))
    assert told == [exchange]
    assert exchange.result() == 5


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_octets_end_requests_by_our_errors_only(messages):
    client = opened_client()
    exchanges = [started(client), started(client)]
    for octets in messages:
        client.receive(octets)
        client.receive(b"\xc4\x01\x41" + octets)
        client.receive(b"\xc4\x02\x42" + octets)
    client.sent()
    client.association.lost(TransportClosed("gone"))
    for exchange in exchanges:
        assert exchange.done
        try:
            exchange.result()
        except CosemError:
            continue
        assert exchange.done


def test_an_association_is_what_a_context_tells():
    association: ClientAssociation = opened_client(500).association
    context = association.context(high_priority=True)
    assert context.max_request_size == 500
    assert context.conformance == association.negotiated.conformance
    assert context.transfer_limits is association.transfer_limits
    assert context.new_invoke_id().high_priority
