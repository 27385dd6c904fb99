"""A meter that is silent, late, broken or hostile: one clear error, and the association usable or closed, never half."""

from __future__ import annotations

import itertools

import pytest

from cosem.apdu import decode, encode
from cosem.client.session import Session
from cosem.errors import (
    AssociationRefused,
    CosemError,
    DecodeError,
    ExceptionResponseError,
    FrameError,
    LinkError,
    ProtocolError,
    StateError,
    TransportClosed,
    TransportTimeout,
    UnsupportedError,
)
from cosem.transport.timeouts import Timeouts
from cosem.types.data import DoubleLongUnsigned, OctetString
from cosem.types.enumerations import AuthenticationMechanism, DataAccessResult
from tests.client.meter import ENERGY, ODD, SILENCE, VOLTAGE, Meter, connected

GET = b"\xc0\x01"


def silent_for(meter: Meter, count: int, kind: bytes = GET) -> None:
    """Let the meter not answer the next requests of a kind."""
    left = [count]

    def bend(apdu):
        if apdu[: len(kind)] == kind and left[0]:
            left[0] -= 1
            return SILENCE
        return None

    meter.bend = bend


def test_a_read_is_repeated_under_another_invoke_id():
    meter = Meter()
    silent_for(meter, 1)
    client, channel = connected(meter)
    assert client.get(ENERGY, class_id=3) == 12_345_678
    assert [request[2] & 0x0F for request in meter.received[1:]] == [0, 1]
    assert channel.time == pytest.approx(10.0)


def test_after_the_retries_the_time_out_is_reported_and_the_association_is_usable():
    meter = Meter()
    silent_for(meter, 2)
    client, channel = connected(meter)
    with pytest.raises(TransportTimeout, match=r"^no answer within 10 s to GET 1-0:1\.8\.0 attribute 2$"):
        client.get(ENERGY, class_id=3)
    assert channel.time == pytest.approx(20.0)
    assert client.associated
    assert client.get(ENERGY, class_id=3) == 12_345_678


def test_writing_and_calling_are_not_repeated_unless_asked_for():
    for repeat, requests in ((False, 1), (True, 2)):
        for kind, action in (
            (b"\xc1", lambda client: client.set(ENERGY, 2, DoubleLongUnsigned(1), class_id=3)),
            (b"\xc3", lambda client: client.call(ENERGY, 1, class_id=3)),
        ):
            meter = Meter()
            silent_for(meter, 1, kind)
            client, _ = connected(meter, session=Session(repeat_writes=repeat))
            if repeat:
                action(client)
            else:
                with pytest.raises(TransportTimeout):
                    action(client)
            assert len(meter.received) == 1 + requests


def test_a_late_answer_is_never_taken_for_the_answer_to_another_request():
    meter = Meter()
    late: list[bytes] = []

    def bend(apdu):
        if apdu[5:11] == bytes((1, 0, 32, 7, 0, 255)):
            late.append(bytes.fromhex("C401") + apdu[2:3] + bytes.fromhex("00 12 0063"))
            return SILENCE
        return None

    meter.bend = bend
    client, channel = connected(meter, session=Session(retries=0))
    with pytest.raises(TransportTimeout):
        client.get(VOLTAGE, class_id=3)
    channel.push(late[0])
    assert client.get(ENERGY, class_id=3) == 12_345_678
    assert client.findings[-1] == "late answer dropped: GetResponseNormal"


def test_an_answer_to_nothing_is_counted_and_dropped():
    meter = Meter()
    client, channel = connected(meter)
    channel.push(bytes.fromhex("C401C9001163"))
    assert client.get(ENERGY, class_id=3) == 12_345_678
    assert "answer without request dropped: GetResponseNormal" in client.findings


def test_sixteen_requests_into_silence_end_the_association_and_say_what_helps():
    meter = Meter()
    silent_for(meter, 100)
    client, _ = connected(meter, session=Session(retries=0))
    for _ in range(16):
        with pytest.raises(TransportTimeout):
            client.get(ENERGY, class_id=3)
    with pytest.raises(TransportClosed, match=r"answers are lost, or the meter is slow .* reopen"):
        client.get(ENERGY, class_id=3)
    assert not client.associated
    assert client._connection.lost is not None


def test_a_line_that_loses_answers_now_and_then_is_usable_for_ever():
    meter = Meter()
    count = itertools.count()
    meter.bend = lambda apdu: SILENCE if apdu[:1] == b"\xc0" and next(count) % 3 == 0 else None
    client, _ = connected(meter, session=Session(retries=0))
    right = lost = 0
    for _ in range(300):
        try:
            right += client.get(ENERGY, class_id=3) == 12_345_678
        except TransportTimeout:
            lost += 1
    assert (right, lost) == (200, 100)
    assert client.associated


def test_octets_that_trickle_in_do_not_prolong_the_wait():
    meter = Meter()
    client, channel = connected(meter, session=Session(retries=0))
    answer = bytes.fromhex("0001 0001 0010 0009 C401C00006")

    class Dripping:
        def __init__(self):
            self.left = list(answer)

        def __bool__(self):
            return True

        def popleft(self):
            channel.time += 9.0
            return bytes((self.left.pop(0),))

    meter.bend = lambda _: SILENCE
    channel.incoming = Dripping()
    with pytest.raises(TransportTimeout):
        client.get(ENERGY, class_id=3)
    assert channel.time <= 20.0


def test_the_whole_operation_has_a_deadline_too():
    meter = Meter()

    def slow(apdu):
        if apdu[:2] == b"\xc0\x02":
            channel.time += 8.0

    meter.values[1, ODD, 2] = OctetString(bytes(2000))
    meter.bend = slow
    client, channel = connected(
        meter, client_max_receive_pdu_size=64, timeouts=Timeouts(transfer=60.0), session=Session(retries=5)
    )
    with pytest.raises(TransportTimeout, match="not finished within 60 s"):
        client.get(ODD, class_id=1)
    assert client.associated
    assert client.get(ENERGY, class_id=3) == 12_345_678


def test_a_transfer_that_stops_in_the_middle_is_started_again_from_its_beginning():
    meter = Meter()
    meter.values[1, ODD, 2] = OctetString(bytes(range(150)))
    silent_for(meter, 1, b"\xc0\x02")
    client, _ = connected(meter, client_max_receive_pdu_size=64)
    assert client.get(ODD, class_id=1) == bytes(range(150))
    # After a block that did not come, never the next one: a fresh request, under a fresh invoke-id.
    assert meter.kinds()[:3] == ["C001", "C002", "C001"]


def test_a_meter_that_stops_for_good_in_a_transfer_is_a_time_out():
    meter = Meter()
    meter.values[1, ODD, 2] = OctetString(bytes(range(150)))
    silent_for(meter, 100, b"\xc0\x02")
    client, _ = connected(meter, client_max_receive_pdu_size=64)
    with pytest.raises(TransportTimeout):
        client.get(ODD, class_id=1)
    assert client.associated


def test_the_connection_closing_in_the_middle_of_an_answer_is_told_at_once():
    meter = Meter()
    client, channel = connected(meter)
    meter.bend = lambda _: SILENCE
    channel.incoming.append(bytes.fromhex("0001 0001 0010 0009 C401"))
    channel.incoming.append(TransportClosed("10.0.0.7:4059 closed the connection"))
    with pytest.raises(
        TransportClosed, match=r"^10\.0\.0\.7:4059 closed the connection during GET 1-0:1\.8\.0 attribute 2$"
    ):
        client.get(ENERGY, class_id=3)
    assert not client.associated
    assert channel.closed
    with pytest.raises(TransportClosed, match="closed the connection"):
        client.get(ENERGY, class_id=3)
    client.close()
    client.close()


def test_a_meter_that_drips_is_told_from_a_silent_one():
    meter = Meter()
    client, channel = connected(meter, session=Session(retries=0))
    meter.bend = lambda _: SILENCE
    channel.incoming.append(bytes.fromhex("0001 0001 0010 0009 C401"))
    with pytest.raises(TransportTimeout, match=r"no answer within 10 s to GET [^,]+, though 10 octets came$"):
        client.get(ENERGY, class_id=3)


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x00\x02\x00\x01\x00\x10\x00\x00",
        b"/ISk5MT174-0001\r\n",
        b"\x7e\xa0",
    ],
    ids=["http", "version 2", "telegram", "hdlc"],
)
def test_what_is_no_wrapper_is_told_and_the_connection_is_closed(garbage):
    meter = Meter()
    client, channel = connected(meter)
    meter.bend = lambda _: SILENCE
    channel.incoming.append(garbage)
    with pytest.raises(FrameError, match="this is no DLMS/COSEM wrapper"):
        client.get(ENERGY, class_id=3)
    assert channel.closed


@pytest.mark.parametrize(
    "answer", ["", "FF", "C4", "C401C0", "C401C000", "C401C00006", "C404C000", "00", "C401C00023FF"]
)
def test_an_answer_that_cannot_be_read_is_an_error_and_the_next_request_works(answer):
    meter = Meter()
    client, _ = connected(meter, session=Session(retries=0))
    meter.bend = lambda _: bytes.fromhex(answer)
    with pytest.raises((DecodeError, TransportTimeout)):
        client.get(ENERGY, class_id=3)
    meter.bend = lambda _: None
    assert client.get(ENERGY, class_id=3) == 12_345_678


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("C501C000", "get-response expected, SetResponseNormal received"),
        ("C701C00000", "get-response expected, ActionResponseNormal received"),
        ("C403C0010006000000FF", "get-response expected, GetResponseWithList received"),
    ],
)
def test_an_answer_of_another_service_is_an_error(answer, words):
    meter = Meter()
    client, _ = connected(meter)
    meter.bend = lambda apdu: bytes.fromhex(answer)[:2] + apdu[2:3] + bytes.fromhex(answer)[3:]
    with pytest.raises(ProtocolError, match=words):
        client.get(ENERGY, class_id=3)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_with_fewer_or_more_results_shifts_no_values(count):
    meter = Meter()
    client, _ = connected(meter)

    def bend(apdu):
        if apdu[:2] != b"\xc0\x03":
            return None
        return b"\xc4\x03" + apdu[2:3] + bytes((count,)) + bytes.fromhex("00117B") * count

    meter.bend = bend
    with pytest.raises(ProtocolError, match=f"2 results expected, {count} received"):
        client.get_many([(ENERGY, 2, 3), (VOLTAGE, 2, 3)])


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1, 3), "block 2 expected, block 3"),
        ((2,), "block 1 expected, block 2"),
        ((1, 2, 1), "block 3 expected, block 1"),
    ],
)
def test_blocks_out_of_order_are_an_error(numbers, words):
    meter = Meter()
    client, _ = connected(meter)
    left = list(numbers)

    def bend(apdu):
        number = left.pop(0)
        return b"\xc4\x02" + apdu[2:3] + b"\x00" + number.to_bytes(4, "big") + b"\x00\x02\x09\x08"

    meter.bend = bend
    with pytest.raises(ProtocolError, match=words):
        client.get(ENERGY, class_id=3)


def test_empty_blocks_for_ever_are_an_error():
    meter = Meter()
    client, _ = connected(meter)
    number = [0]

    def bend(apdu):
        number[0] += 1
        return b"\xc4\x02" + apdu[2:3] + b"\x00" + number[0].to_bytes(4, "big") + b"\x00\x00"

    meter.bend = bend
    with pytest.raises(ProtocolError, match="blocks without octets in a row"):
        client.get(ENERGY, class_id=3)
    assert number[0] < 20


def test_an_exception_response_ends_the_request_and_nothing_else():
    meter = Meter()
    client, _ = connected(meter)
    meter.bend = lambda _: bytes.fromhex("D80101")
    with pytest.raises(
        ExceptionResponseError, match=r"service-not-allowed \(1\), operation-not-possible \(1\)"
    ):
        client.get(ENERGY, class_id=3)
    meter.bend = lambda _: None
    assert client.get(ENERGY, class_id=3) == 12_345_678


def test_notifications_in_between_are_kept_and_the_request_still_pairs():
    meter = Meter()
    notification = bytes.fromhex("0F00000001 00 0203 1101 1102 1103")
    meter.bend = lambda apdu: None if apdu[:1] != b"\xc0" else [notification, *bare(meter, apdu)]
    client, channel = connected(meter)
    assert client.get(ENERGY, class_id=3) == 12_345_678
    assert [list(each.apdu.notification_body) for each in client.notifications()] == [[1, 2, 3]]
    assert list(client.notifications(timeout=5)) == []
    assert channel.time == pytest.approx(5.0)


def bare(meter: Meter, apdu: bytes) -> list[bytes]:
    bend, meter.bend = meter.bend, lambda _: None
    try:
        meter.received.pop()
        return meter.answers(apdu)
    finally:
        meter.bend = bend


def test_notifications_that_nobody_fetches_are_bounded_and_counted():
    meter = Meter()
    client, channel = connected(meter)
    for number in range(300):
        channel.push(bytes.fromhex(f"0F{number:08X}00 11 01"))
    client.get(ENERGY, class_id=3)
    kept = list(client.notifications())
    assert len(kept) == 256
    assert client.notifications_dropped == 44
    assert kept[0].apdu.long_invoke_id_and_priority == 44


def test_a_callback_takes_notifications_as_they_arrive():
    meter = Meter()
    client, channel = connected(meter)
    seen: list[object] = []
    client.on_notification(seen.append)
    channel.push(bytes.fromhex("0F00000007 00 1101"))
    client.get(ENERGY, class_id=3)
    assert len(seen) == 1
    assert list(client.notifications()) == []


def test_an_interrupt_in_the_middle_gives_the_request_up_and_the_next_one_works():
    meter = Meter()
    client, channel = connected(meter)
    meter.bend = lambda apdu: SILENCE
    channel.incoming.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        client.get(ENERGY, class_id=3)
    meter.bend = lambda _: None
    channel.push(bytes.fromhex("C401C000117B"))  # the answer to the request that was given up
    assert client.get(ENERGY, class_id=3) == 12_345_678


def test_an_error_of_the_callers_own_progress_function_reaches_the_caller():
    meter = Meter()
    meter.values[1, ODD, 2] = OctetString(bytes(500))
    client, _ = connected(meter, client_max_receive_pdu_size=64)

    def progress(octets):
        raise RuntimeError(f"{octets} are enough")

    with pytest.raises(RuntimeError, match="are enough"):
        client.get(ODD, class_id=1, progress=progress)
    assert client.get(ENERGY, class_id=3) == 12_345_678


def test_releasing_tells_whether_the_meter_agreed_and_ends_the_association():
    client, _ = connected(Meter())
    assert client.release()
    assert not client.associated
    with pytest.raises(StateError):
        client.get(ENERGY, class_id=3)


def test_closing_releases_first_and_waits_no_longer_than_for_a_release():
    meter = Meter()
    client, channel = connected(meter)
    client.close()
    assert meter.received[-1][0] == 0x62
    assert channel.closed
    silent = Meter()
    client, channel = connected(silent)
    silent.bend = lambda _: SILENCE
    client.close()
    assert channel.time == pytest.approx(2.0)
    assert channel.closed


def test_aborting_closes_at_once_without_release():
    meter = Meter()
    client, channel = connected(meter)
    client.abort()
    assert channel.closed
    assert meter.kinds() == []
    with pytest.raises(TransportClosed):
        client.get(ENERGY, class_id=3)


def test_leaving_the_context_releases_even_after_an_error():
    meter = Meter()
    client, channel = connected(meter)
    with pytest.raises(ZeroDivisionError), client:
        _ = 1 / 0
    assert meter.received[-1][0] == 0x62
    assert channel.closed


def test_no_answer_to_the_aarq_is_a_time_out():
    meter = Meter()
    meter.bend = lambda _: SILENCE
    with pytest.raises(TransportTimeout, match="no answer within 10 s"):
        connected(meter)


@pytest.mark.parametrize("secret", [None, b"wrong"], ids=["no password", "wrong password"])
def test_a_refused_association_says_result_source_diagnostic_and_likely_cause(secret):
    meter = Meter(mechanism=AuthenticationMechanism.LLS, secret=lambda: b"12345678")
    mechanism = AuthenticationMechanism.LOWEST if secret is None else AuthenticationMechanism.LLS
    with pytest.raises(AssociationRefused) as caught:
        connected(meter, mechanism=mechanism, secret=secret)
    error = caught.value
    assert error.result in {1, 2}
    assert error.source == "acse-service-user"
    assert "password" in error.hint
    text = str(error)
    assert text.startswith("association refused: rejected-")
    assert "\n" not in text
    assert "12345678" not in text


def test_the_right_password_opens():
    meter = Meter(mechanism=AuthenticationMechanism.LLS, secret=lambda: b"12345678")
    client, _ = connected(meter, mechanism=AuthenticationMechanism.LLS, secret=b"12345678")
    assert client.associated
    assert "12345678" not in repr(client) + repr(client.parameters)


@pytest.mark.parametrize(
    "answer", ["", "00", "61", "6100", "D80101", "0E010603", "C401C000117B", "63030A0100"]
)
def test_whatever_comes_in_place_of_an_aare_is_one_error_of_ours(answer):
    meter = Meter()
    meter.bend = lambda _: bytes.fromhex(answer)
    with pytest.raises(CosemError) as caught:
        connected(meter)
    assert "\n" not in str(caught.value)


def test_strict_makes_tolerated_deviations_errors():
    trailing = bytes.fromhex("C401C000117B FF")
    for strict in (False, True):
        meter = Meter()
        client, _ = connected(meter, strict=strict)
        meter.bend = lambda apdu: trailing
        if strict:
            with pytest.raises(DecodeError):
                client.get(ENERGY, class_id=3)
        else:
            assert client.get(ENERGY, class_id=3) == 123
            assert "trailing-octets" in client.findings


def test_units_cut_anywhere_are_the_same_to_the_client():
    for cut in (1, 2, 7, 8, 9):
        client, _ = connected(Meter(), cut=cut)
        assert client.get(ENERGY, class_id=3) == 12_345_678


def test_an_association_that_is_pre_established_sends_no_aarq_and_no_rlrq():
    meter = Meter(pre_established=True)
    client, channel = connected(meter, opened=False, pre_established=True)
    assert client.get(ENERGY, class_id=3) == 12_345_678
    client.close()
    assert {request[0] for request in meter.received} == {0xC0}
    assert channel.closed


def test_an_observer_sees_all_octets_and_apdus_of_both_directions():
    from cosem.transport.observing import Observer

    class Notes(Observer):
        def __init__(self):
            self.seen = []

        def octets_sent(self, octets):
            self.seen.append((">", octets))

        def octets_received(self, octets):
            self.seen.append(("<", octets))

        def apdu_sent(self, apdu):
            self.seen.append(("out", apdu))

        def apdu_received(self, apdu):
            self.seen.append(("in", apdu))

    notes = Notes()
    client, _ = connected(Meter(), observer=notes)
    del notes.seen[:]
    client.get(ENERGY, class_id=3)
    request, octets, answer_octets, answer = notes.seen
    assert request[0] == "out"
    assert encode(decode(request[1])) == request[1]
    assert octets == (">", bytes.fromhex("00010010 0001 000D") + request[1])
    assert answer_octets[0] == "<"
    assert answer == ("in", answer_octets[1][8:])


def test_the_representation_tells_state_and_peer_and_no_secret():
    meter = Meter()
    client, _ = connected(meter)
    assert repr(client) == "<Client meter client=16 server=1 ASSOCIATED>"
    client.abort()
    assert repr(client) == "<Client meter client=16 server=1 LOST>"


def test_errors_below_are_link_errors_and_results_of_the_meter_are_not():
    assert issubclass(TransportTimeout, LinkError)
    assert issubclass(TransportTimeout, TimeoutError)
    assert DataAccessResult(3) is DataAccessResult.READ_WRITE_DENIED


def test_an_unconfirmed_association_sends_and_never_waits():
    meter = Meter(pre_established=True, confirmed=False)
    client, channel = connected(meter, opened=False, pre_established=True, confirmed=False)
    client.set(ENERGY, 2, DoubleLongUnsigned(9), class_id=3)
    assert meter.values[3, ENERGY, 2] == 9
    assert client.call(ENERGY, 1) is None
    assert [request[2] & 0x40 for request in meter.received] == [0, 0]
    for action in (
        lambda: client.get(ENERGY, class_id=3),
        lambda: client.get_many([ENERGY, VOLTAGE]),
        lambda: client.set_many([(ENERGY, 2, DoubleLongUnsigned(1), 3)] * 2),
        lambda: client.call_many([(ENERGY, 1)] * 2),
        client.objects,
    ):
        with pytest.raises(UnsupportedError, match="unconfirmed services only"):
            action()
    with pytest.raises(UnsupportedError, match="give the class_id"):
        client.set(ODD, 2, DoubleLongUnsigned(1))
    assert len(meter.received) == 2
    assert channel.time == 0


def test_opening_an_unconfirmed_association_waits_for_nothing():
    meter = Meter()
    client, channel = connected(meter, confirmed=False)
    assert meter.received[0][0] == 0x60
    assert client.associated
    client.set(ENERGY, 2, DoubleLongUnsigned(9), class_id=3)
    assert meter.values[3, ENERGY, 2] == 9
    client.close()
    assert meter.received[-1][0] == 0x62
    assert channel.time == 0


def test_a_confirmed_association_may_send_without_asking_for_an_answer():
    meter = Meter()
    client, _ = connected(meter)
    client.set(ENERGY, 2, DoubleLongUnsigned(9), class_id=3, confirmed=False)
    assert client.call(ENERGY, 1, class_id=3, confirmed=False) is None
    assert meter.values[3, ENERGY, 2] == 9
    assert client.get(ENERGY, class_id=3) == 9


def test_what_asks_for_no_answer_must_fit_into_one_request():
    meter = Meter(max_receive_pdu_size=64)
    client, _ = connected(meter)
    with pytest.raises(UnsupportedError, match="the server takes 64"):
        client.set(ODD, 2, OctetString(bytes(100)), class_id=1, confirmed=False)


def _always_answering_with_invoke_id_0(meter):
    def bend(apdu):
        return [each[:2] + bytes([each[2] & 0xF0]) + each[3:] for each in bare(meter, apdu)]

    meter.bend = lambda apdu: None if apdu[0] != 0xC0 else again(meter, bend, apdu)


def again(meter, bend, apdu):
    outer = meter.bend
    meter.bend = lambda _: None
    meter.received.append(apdu)
    try:
        return bend(apdu)
    finally:
        meter.bend = outer


def test_a_meter_that_does_not_echo_invoke_ids_is_told_and_can_be_allowed():
    for allowed in (False, True):
        meter = Meter()
        client, channel = connected(meter, any_invoke_id=allowed, session=Session(retries=0))
        _always_answering_with_invoke_id_0(meter)
        assert client.get(ENERGY, class_id=3) == 12_345_678
        if allowed:
            assert client.get(VOLTAGE, class_id=3) == 2304
            assert "invoke-id-not-echoed: 1 was asked for, 0 answered" in client.findings
            meter.bend = lambda _: SILENCE
            with pytest.raises(TransportTimeout):
                client.get(ENERGY, class_id=3)
            # A late answer could not be told from the next one.
            assert channel.closed
        else:
            with pytest.raises(
                TransportTimeout, match="but one with invoke-id 0 instead of 1: allow any_invoke_id"
            ):
                client.get(VOLTAGE, class_id=3)
            assert client.associated
