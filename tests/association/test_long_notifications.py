"""EventNotification and InformationReport that are longer than the client takes: in general blocks, both roles."""

from __future__ import annotations

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.notification import EventNotificationRequest
from cosem.apdu.variable_access import InformationReportRequest, VariableName
from cosem.association.client.conversations.get import get
from cosem.association.short_names.reports import event_notifications
from cosem.errors import UnsupportedError
from cosem.types.data import OctetString
from cosem.types.enumerations import Conformance
from tests.association import client_driver as logical
from tests.association import server_driver
from tests.association.fakes import FakeProtection
from tests.association.server_driver import Server
from tests.association.short_names import driver as short

LN, SN = "20FF1F", "3C1B20"
"""Everything of logical names, and of short ones, with general block transfer."""
VALUE = OctetString(bytes(range(200)))
MOMENT = bytes.fromhex("07EA0B19030C000000000000")


def event(size: int = 40, conformance: str = LN) -> list[bytes]:
    server = server_driver.opened_server(size, conformance)
    return server.association.event_notification(logical.LONG, VALUE, MOMENT)


def report(size: int = 40, conformance: str = SN) -> list[bytes]:
    offered = Conformance.from_octets(bytes.fromhex(conformance))
    server = Server(
        short.short_name_profile(conformance=offered), opened=short.open_request(conformance, size)
    )
    return server.association.information_report([(short.LONG, VALUE), (short.SHORT, VALUE)])


def test_a_long_event_goes_in_blocks_that_want_no_answer():
    blocks = event()
    assert len(blocks) == 7
    assert all(len(block) <= 40 for block in blocks)
    decoded = [decode(block) for block in blocks]
    assert [each.block_number for each in decoded] == list(range(1, 8))
    assert all((each.window, each.streaming, each.block_number_ack) == (0, False, 0) for each in decoded)
    assert [each.last_block for each in decoded] == [False] * 6 + [True]
    whole = b"".join(each.block_data for each in decoded)
    assert whole == encode(EventNotificationRequest(MOMENT, logical.LONG, VALUE))


def test_a_long_event_arrives_whole_in_any_order():
    client = logical.opened_client(conformance=LN)
    blocks = event()
    for block in reversed(blocks):
        assert not client.association.notifications
        client.receive(block)
    (notification,) = client.association.notifications
    assert notification.apdu == EventNotificationRequest(MOMENT, logical.LONG, VALUE)
    assert client.sent() == []


def test_a_long_report_becomes_events_with_logical_names():
    client = short.opened_client(conformance=SN)
    blocks = report()
    assert len(blocks) > 1
    for block in blocks:
        client.receive(block)
    (notification,) = client.association.notifications
    assert notification.apdu == InformationReportRequest(
        None, (VariableName(0x0100), VariableName(0x0110)), (VALUE, VALUE)
    )
    assert event_notifications(short.TABLE, notification.apdu) == (
        EventNotificationRequest(None, short.LONG, VALUE),
        EventNotificationRequest(None, short.SHORT, VALUE),
    )


def test_a_long_event_arrives_while_an_answer_comes_in_blocks():
    """Neither disturbs the other: what wants no answer is told from what does by its window of 0."""
    client = logical.opened_client(conformance=LN)
    server = server_driver.opened_server(40, LN)
    exchange = client.association.start(lambda context: get(context, logical.LONG))
    (request,) = client.sent()
    events = event()
    server.association.blocks.spoken = True
    answer = server(request)
    while not exchange.done:
        if events:
            client.receive(events.pop(0))
        client.receive(answer)
        for octets in client.sent():
            answer = server(octets)
    for block in events:
        client.receive(block)
    assert exchange.result() == server.application.values["0.0.128.0.0.255", 2]
    (notification,) = client.association.notifications
    assert notification.apdu.attribute_value == VALUE


def test_an_event_of_which_a_block_is_lost_never_arrives_and_the_next_one_does():
    client = logical.opened_client(conformance=LN)
    blocks = event()
    for block in [*blocks[:3], *blocks[4:]]:
        client.association.receive(block, 1.0)
    assert not client.association.notifications
    for block in blocks:
        client.association.receive(block, 10.0)
    assert len(client.association.notifications) == 1


def test_a_long_event_is_ciphered_whole_and_then_cut():
    server = server_driver.opened_server(40, LN)
    server.association.protection = FakeProtection()
    blocks = server.association.event_notification(logical.LONG, VALUE)
    whole = b"".join(decode(block).block_data for block in blocks)
    assert FakeProtection().unprotect(whole)[0] == encode(EventNotificationRequest(None, logical.LONG, VALUE))


@pytest.mark.parametrize("send", [event, report])
def test_what_is_long_needs_general_blocks(send):
    without = {event: "00FF1F", report: short.ALL}[send]
    with pytest.raises(UnsupportedError, match="octets, the client takes 40"):
        send(conformance=without)
