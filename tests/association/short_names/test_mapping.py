"""The mapping of GET, SET, ACTION and EventNotification to services of short names: every row of tables 39 to 45.

Each row is carried out by the client, octet by octet, and the same octets by the server.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from cosem.apdu import decode
from cosem.apdu.action import ActionResponseWithOptionalData as Response
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.notification import EventNotificationRequest
from cosem.apdu.variable_access import InformationReportRequest
from cosem.association.client.conversations.mapped import (
    action,
    action_unconfirmed,
    action_with_list,
    get,
    get_with_list,
    set_attribute,
    set_unconfirmed,
    set_with_list,
)
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.association.short_names.reports import event_notifications
from cosem.association.short_names.table import ShortNameTable
from cosem.errors import ProtocolError
from cosem.types.data import ABSENT, Integer, OctetString, Unsigned, VisibleString
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.association.short_names.driver import (
    BUFFER,
    CAPTURE,
    DIGITS,
    FIFTY,
    LONG,
    REFUSED,
    RESET,
    RETURNING,
    SELECTION,
    SHORT,
    TABLE,
    TEXT,
    opened_client,
    opened_server,
)
from tests.vectors import vector

R, A = DataAccessResult, ActionResult
ONE = OctetString(b"\x01")
GIVEN = "0A03303030"
DONE = Response(A.SUCCESS, ABSENT)
DENIED = Response(A.READ_WRITE_DENIED, ABSENT)


class Row(NamedTuple):
    service: Any
    messages: list[str]
    result: Any
    size: int = 1200
    returned: Any = TEXT


def annex_d(table: int, *numbers: int) -> list[str]:
    return [vector("xdlms", f"D.{table}.SN.{number}").octets.hex().upper() for number in numbers]


def read_blocks(first: str) -> list[str]:
    """Return a Read request without its tag in blocks of 33 octets, each but the last acknowledged."""
    assert 66 < len(first) <= 132
    last = first[66:]
    return [
        f"0501 06 00 0001 21 {first[:66]}".replace(" ", ""),
        "0C01030001",
        f"0501 06 01 0002 {len(last) // 2:02X} {last}".replace(" ", ""),
    ]


def write_blocks(first: str) -> list[str]:
    """Return a Write request without its tag in blocks of 31 octets, each but the last acknowledged."""
    assert 62 < len(first) <= 124
    last = first[62:]
    return [
        f"0601 07 00 0001 01 09 1F {first[:62]}".replace(" ", ""),
        "0D01020001",
        f"0601 07 01 0002 01 09 {len(last) // 2:02X} {last}".replace(" ", ""),
    ]


ROWS = {
    # Table 39: GET and Read
    "T39 GET.request NORMAL: variable-name": Row(
        lambda context: get(context, SHORT), ["0501020110", f"0C0100{GIVEN}"], TEXT
    ),
    "T39 GET.request NORMAL with Access_Selection: parameterized-access": Row(
        lambda context: get(context, BUFFER, SELECTION), ["050104120801090101", f"0C0100{GIVEN}"], TEXT
    ),
    "T39 GET.request WITH-LIST: n variable-names": Row(
        lambda context: get_with_list(context, [(LONG, None), (SHORT, None)]),
        annex_d(3, 1, 2),
        (FIFTY, TEXT),
    ),
    "T39 GET.request WITH-LIST with Access_Selection: n of both": Row(
        lambda context: get_with_list(context, [(SHORT, None), (BUFFER, SELECTION)]),
        ["0502020110041208 01 090101", f"0C0200{GIVEN}00{GIVEN}"],
        (TEXT, TEXT),
    ),
    "T39 GET.request NEXT: block-number-access": Row(
        lambda context: get(context, LONG), annex_d(4, 1, 2, 3, 4), FIFTY, 40
    ),
    "T39 GET.response NORMAL Data: data": Row(lambda context: get(context, LONG), annex_d(2, 1, 2), FIFTY),
    "T39 GET.response NORMAL Data_Access_Result: data-access-error": Row(
        lambda context: get(context, REFUSED), ["0501020108", "0C010104"], R.OBJECT_UNDEFINED
    ),
    "T39 GET.response WITH-LIST: n data and data-access-errors": Row(
        lambda context: get_with_list(context, [(REFUSED, None), (SHORT, None)]),
        ["050202010802 0110", f"0C02010400{GIVEN}"],
        (R.OBJECT_UNDEFINED, TEXT),
    ),
    "T39 GET.response ONE-BLOCK, LAST-BLOCK: data-block-result": Row(
        lambda context: get_with_list(context, [(LONG, None), (SHORT, None)]),
        annex_d(5, 1, 2, 3, 4),
        (FIFTY, TEXT),
        40,
    ),
    # Table 40: ACTION and Read
    "T40 ACTION.request NORMAL: parameterized-access": Row(
        lambda context: action(context, RETURNING, ONE),
        ["050104FA3000090101", f"0C0100{GIVEN}"],
        Response(A.SUCCESS, TEXT),
    ),
    "T40 ACTION.request NORMAL without parameters: parameterized-access with null-data": Row(
        lambda context: action(context, RETURNING),
        ["050104FA300000", f"0C0100{GIVEN}"],
        Response(A.SUCCESS, TEXT),
    ),
    "T40 ACTION.request WITH-LIST: n parameterized-accesses": Row(
        lambda context: action_with_list(context, [RETURNING, RESET], [ONE, Integer(0)]),
        ["0502 04FA3000090101 041258000F00", f"0C0200{GIVEN}0000"],
        (Response(A.SUCCESS, TEXT), DONE),
    ),
    "T40 ACTION.request FIRST-BLOCK, ONE-BLOCK, LAST-BLOCK: read-data-block-access": Row(
        lambda context: action(context, RETURNING, FIFTY),
        [*read_blocks(f"0104FA30000932{DIGITS}"), f"0C0100{GIVEN}"],
        Response(A.SUCCESS, TEXT),
        40,
    ),
    "T40 ACTION.request WITH-LIST-AND-FIRST-BLOCK: read-data-block-access": Row(
        lambda context: action_with_list(context, [RETURNING, CAPTURE], [FIFTY, Integer(0)]),
        [*read_blocks(f"0204FA30000932{DIGITS}041260000F00"), f"0C0200{GIVEN}0103"],
        (Response(A.SUCCESS, TEXT), DENIED),
        40,
    ),
    "T40 ACTION.request NEXT: block-number-access": Row(
        lambda context: action(context, RETURNING, ONE),
        ["050104FA3000090101", *annex_d(4, 2, 3, 4)],
        Response(A.SUCCESS, FIFTY),
        40,
        FIFTY,
    ),
    "T40 ACTION.response NORMAL Action_Result: data-access-error": Row(
        lambda context: action_with_list(context, [RETURNING, CAPTURE], [ONE, None]),
        ["0502 04FA3000090101 0412600000", f"0C0200{GIVEN}0103"],
        (Response(A.SUCCESS, TEXT), DENIED),
    ),
    "T40 ACTION.response ONE-BLOCK, LAST-BLOCK: data-block-result": Row(
        lambda context: action_with_list(context, [RETURNING, CAPTURE], [ONE, None]),
        [
            "0502 04FA3000090101 0412600000",
            f"0C01 02 00 0001 21 02 00 0932 {DIGITS[:58]}",
            "0501050001",
            f"0C01 02 01 0002 17 {DIGITS[58:]} 0103",
        ],
        (Response(A.SUCCESS, FIFTY), DENIED),
        40,
        FIFTY,
    ),
    "T40 ACTION.response NEXT: block-number": Row(
        lambda context: action(context, RETURNING, FIFTY),
        [*read_blocks(f"0104FA30000932{DIGITS}"), *annex_d(4, 2, 3, 4)],
        Response(A.SUCCESS, FIFTY),
        40,
        FIFTY,
    ),
    # Table 41: SET and Write
    "T41 SET.request NORMAL: variable-name and data": Row(
        lambda context: set_attribute(context, LONG, FIFTY), annex_d(6, 1, 2), R.SUCCESS
    ),
    "T41 SET.request NORMAL with Access_Selection: parameterized-access and data": Row(
        lambda context: set_attribute(context, BUFFER, Unsigned(5), SELECTION),
        ["060104120801090101011105", "0D0100"],
        R.SUCCESS,
    ),
    "T41 SET.request WITH-LIST: n variable-names and data": Row(
        lambda context: set_with_list(context, [(LONG, None), (SHORT, None)], [FIFTY, TEXT]),
        annex_d(7, 1, 2),
        (R.SUCCESS, R.SUCCESS),
    ),
    "T41 SET.request FIRST-BLOCK, ONE-BLOCK, LAST-BLOCK: write-data-block-access": Row(
        lambda context: set_attribute(context, LONG, FIFTY), annex_d(8, 1, 2, 3, 4), R.SUCCESS, 40
    ),
    "T41 SET.request WITH-LIST-AND-FIRST-BLOCK: write-data-block-access": Row(
        lambda context: set_with_list(context, [(LONG, None), (SHORT, None)], [FIFTY, TEXT]),
        annex_d(9, 1, 2, 3, 4, 5, 6),
        (R.SUCCESS, R.SUCCESS),
        40,
    ),
    "T41 SET.response NORMAL Data_Access_Result: data-access-error": Row(
        lambda context: set_attribute(context, REFUSED, ONE),
        ["060102010801090101", "0D010104"],
        R.OBJECT_UNDEFINED,
    ),
    "T41 SET.response WITH-LIST: n successes and data-access-errors": Row(
        lambda context: set_with_list(context, [(REFUSED, None), (SHORT, None)], [ONE, TEXT]),
        [f"0602020108020110 02 090101 {GIVEN}", "0D02010400"],
        (R.OBJECT_UNDEFINED, R.SUCCESS),
    ),
    "T41 SET.response ACK-BLOCK: block-number": Row(
        lambda context: set_attribute(context, SHORT, FIFTY),
        [*write_blocks(f"01020110010932{DIGITS}"), "0D0100"],
        R.SUCCESS,
        40,
    ),
    "T41 SET.response LAST-BLOCK: success or data-access-error": Row(
        lambda context: set_attribute(context, REFUSED, FIFTY),
        [*write_blocks(f"01020108010932{DIGITS}"), "0D010104"],
        R.OBJECT_UNDEFINED,
        40,
    ),
    "T41 SET.response LAST-BLOCK-WITH-LIST: n successes and data-access-errors": Row(
        lambda context: set_with_list(context, [(REFUSED, None), (SHORT, None)], [FIFTY, True]),
        [*write_blocks(f"02020108020110020932{DIGITS}0301"), "0D02010400"],
        (R.OBJECT_UNDEFINED, R.SUCCESS),
        40,
    ),
    # Table 42: ACTION and Write
    "T42 ACTION.request NORMAL: variable-name and data": Row(
        lambda context: action(context, RESET, Integer(0)), ["0601021258010F00", "0D0100"], DONE
    ),
    "T42 ACTION.request NORMAL without parameters: variable-name and null-data": Row(
        lambda context: action(context, RESET), ["06010212580100", "0D0100"], DONE
    ),
    "T42 ACTION.request WITH-LIST: n variable-names and data": Row(
        lambda context: action_with_list(context, [RESET, CAPTURE], [Integer(0), Integer(0)]),
        ["0602021258021260020F000F00", "0D02000103"],
        (DONE, DENIED),
    ),
    "T42 ACTION.request FIRST-BLOCK, ONE-BLOCK, LAST-BLOCK: write-data-block-access": Row(
        lambda context: action(context, RESET, FIFTY),
        [*write_blocks(f"01021258010932{DIGITS}"), "0D0100"],
        DONE,
        40,
    ),
    "T42 ACTION.request WITH-LIST-AND-FIRST-BLOCK: write-data-block-access": Row(
        lambda context: action_with_list(context, [RESET, CAPTURE], [FIFTY, Integer(0)]),
        [*write_blocks(f"02021258021260020932{DIGITS}0F00"), "0D02000103"],
        (DONE, DENIED),
        40,
    ),
    "T42 ACTION.response NORMAL Action_Result: data-access-error": Row(
        lambda context: action(context, CAPTURE, Integer(0)), ["0601021260010F00", "0D010103"], DENIED
    ),
    "T42 ACTION.response NEXT: block-number": Row(
        lambda context: action(context, CAPTURE, FIFTY),
        [*write_blocks(f"01021260010932{DIGITS}"), "0D010103"],
        DENIED,
        40,
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_client(row):
    service, messages, result, size, _ = ROWS[row]
    client = opened_client(size)
    exchange = client.association.start(service)
    assert client.converse(exchange, *messages) == result
    assert client.association.findings == []


@pytest.mark.parametrize("row", ROWS)
def test_server(row):
    _, messages, _, size, returned = ROWS[row]
    server = opened_server(size)
    server.application.returns["0.0.40.0.0.255", 3] = MethodOutcome(A.SUCCESS, returned)
    for request, answer in list(pairwise(messages))[::2]:
        assert server(request) == answer.replace(" ", "")
    assert len(server.association.transfers) == 0


@pytest.mark.parametrize("row", [row for row in ROWS if row.startswith("T41")])
def test_server_writes_what_was_sent(row):
    server = opened_server(ROWS[row].size)
    server.application.values.update(
        dict.fromkeys([("0.0.128.0.0.255", 2), ("0.0.128.1.0.255", 2)], VisibleString(""))
    )
    for request in ROWS[row].messages[::2]:
        server(request)
    written = server.application.of_kind(WriteAttribute)
    assert written
    for each in written:
        key = str(each.instance_id), each.attribute_id
        assert server.application.values.get(key, each.value) == each.value


UNCONFIRMED = {
    "T43 SET.request NORMAL unconfirmed: UnconfirmedWrite variable-name and data": (
        lambda context: set_unconfirmed(context, SHORT, Unsigned(5)),
        "16010201100111 05",
        WriteAttribute(1, SHORT.instance_id, 2, Unsigned(5)),
    ),
    "T43 SET.request NORMAL unconfirmed with Access_Selection: UnconfirmedWrite parameterized-access": (
        lambda context: set_unconfirmed(context, BUFFER, Unsigned(5), SELECTION),
        "160104120801090101011105",
        WriteAttribute(7, BUFFER.instance_id, 2, Unsigned(5), SELECTION),
    ),
    "T44 ACTION.request NORMAL unconfirmed: UnconfirmedWrite variable-name and data": (
        lambda context: action_unconfirmed(context, RESET, Integer(0)),
        "1601021258010F00",
        InvokeMethod(7, RESET.instance_id, 1, Integer(0)),
    ),
    "T44 ACTION.request NORMAL unconfirmed without parameters: UnconfirmedWrite null-data": (
        lambda context: action_unconfirmed(context, RESET),
        "16010212580100",
        InvokeMethod(7, RESET.instance_id, 1, ABSENT),
    ),
}


@pytest.mark.parametrize("row", UNCONFIRMED)
def test_client_unconfirmed(row):
    service, octets, _ = UNCONFIRMED[row]
    client = opened_client()
    client.association.send_unconfirmed(service)
    outgoing = client.association.next_outgoing()
    assert outgoing.octets == bytes.fromhex(octets)
    assert not outgoing.confirmed


@pytest.mark.parametrize("row", UNCONFIRMED)
def test_server_unconfirmed(row):
    _, octets, indication = UNCONFIRMED[row]
    server = opened_server()
    assert server(octets.replace(" ", "")) is None
    assert server.application.seen[-1] == indication


EVENT = CosemAttributeDescriptor(1, LogicalName("0.0.128.1.0.255"), 2)
MOMENT = bytes.fromhex("07E8020F040B1E0000000000")
REPORTS = {
    "T45 EventNotification: InformationReport of one variable": (
        "1800 01 020110 01 1105",
        (EventNotificationRequest(None, EVENT, Unsigned(5)),),
    ),
    "T45 EventNotification with Time: InformationReport with current-time": (
        f"18010F{b'20240215113000Z'.hex()} 01 020110 01 1105",
        (EventNotificationRequest(MOMENT, EVENT, Unsigned(5)),),
    ),
    "T45 EventNotification several times: InformationReport of a list": (
        "1800 02 020110 020100 02 1105 1106",
        (
            EventNotificationRequest(None, EVENT, Unsigned(5)),
            EventNotificationRequest(None, LONG, Unsigned(6)),
        ),
    ),
}


@pytest.mark.parametrize("row", REPORTS)
def test_client_takes_reports(row):
    octets, events = REPORTS[row]
    client = opened_client()
    client.receive(octets)
    (notification,) = client.association.notifications
    assert event_notifications(TABLE, notification.apdu) == events


@pytest.mark.parametrize("row", REPORTS)
def test_server_sends_reports(row):
    octets, events = REPORTS[row]
    server = opened_server()
    items = [(event.cosem_attribute_descriptor, event.attribute_value) for event in events]
    assert server.association.information_report(items, events[0].time) == [bytes.fromhex(octets)]


def test_a_report_of_an_unknown_variable_is_kept_as_it_is():
    report = decode(bytes.fromhex("1800 03 027770 020110 021258 03 1105 1106 1107"))
    kept, event, method = event_notifications(TABLE, report)
    assert kept == decode(bytes.fromhex("1800 01 027770 01 1105"))
    assert event == EventNotificationRequest(None, EVENT, Unsigned(6))
    assert isinstance(method, InformationReportRequest)
    assert event_notifications(ShortNameTable(), report)[1] == decode(bytes.fromhex("1800 01 020110 01 1106"))


def test_a_report_of_more_variables_than_values_is_refused():
    report = decode(bytes.fromhex("1800 02 020110 020100 01 1105"))
    with pytest.raises(ProtocolError, match="2 variables and 1 values"):
        event_notifications(TABLE, report)


def test_every_indication_of_a_row_names_the_object():
    server = opened_server()
    server("0502020110041208 01 090101")
    assert server.application.of_kind(ReadAttribute) == [
        ReadAttribute(1, SHORT.instance_id, 2),
        ReadAttribute(7, BUFFER.instance_id, 2, SELECTION),
    ]
