"""Read, Write, UnconfirmedWrite and InformationReport at the server: refusals, sizes to the octet, ends of transfers."""

from __future__ import annotations

import pytest

from cosem.apdu import decode
from cosem.association.server.indications import (
    AbortIndication,
    Fault,
    InvokeMethod,
    MethodOutcome,
    ReadAttribute,
    WriteAttribute,
)
from cosem.association.server.profile import ServerLimits
from cosem.association.short_names.assignment import assign
from cosem.association.short_names.table import ShortNameTable
from cosem.errors import ConfigurationError, EncodeError, StateError, UnsupportedError
from cosem.types.data import OctetString, Unsigned
from cosem.types.enumerations import ActionResult, ApplicationContext, Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName
from cosem.types.making import trusted
from tests.association.fakes import SERVER_TITLE, FakeProtection
from tests.association.server_driver import Server
from tests.association.short_names.driver import (
    ALL,
    DIGITS,
    REFUSED,
    SHORT,
    TABLE,
    TEXT,
    UNMAPPED,
    open_request,
    opened_server,
    short_name_profile,
    without,
)

B = Conformance
READ_LONG, READ_SHORT = "0501020100", "0501020110"
WRITE_SHORT = "0601020110011105"
READ_NAMED_TWICE = "0502020110020110"
READ_ERROR, READ_SIZE, READ_UNSUPPORTED = "0E050300", "0E050301", "0E050302"
WRITE_ERROR, WRITE_SIZE, WRITE_UNSUPPORTED = "0E060300", "0E060301", "0E060302"


def read_block(number: int, part: str, *, last: bool = False) -> str:
    return f"050106{last:02X}{number:04X}{len(part) // 2:02X}{part}"


def write_block(number: int, part: str, *, last: bool = False) -> str:
    return f"060107{last:02X}{number:04X}0109{len(part) // 2:02X}{part}"


# --- single requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("0501020111", "0C010104"),  # no multiple of 8
        ("0501027770", "0C010104"),
        ("0501020000", "0C010104"),
        ("05010200F0", "0C010104"),
        ("0501020108", "0C010104"),
        ("0501021258", "0C010103"),  # a method is called, not looked at
        ("050104125800 0F00", "0C010000"),
        ("050104126000 0F00", "0C010103"),
        ("0501041258010F00", "0C010000"),  # some clients name selector 1 for methods
        ("0500", "0C00"),
        ("050203000002 0110", READ_UNSUPPORTED),  # detailed-access
        ("0502020110050001", READ_ERROR),  # blocks stand alone
        ("050205000105 0001", READ_ERROR),
        ("0502020110 0600000100", READ_ERROR),
        ("0501070000 01", READ_ERROR),
        ("0501410110", READ_UNSUPPORTED),
        ("050102", READ_UNSUPPORTED),
        ("05", READ_UNSUPPORTED),
        (f"{WRITE_SHORT[:-2]}", WRITE_UNSUPPORTED),
        ("060102011101 1105", "0D010104"),
        ("0601021258010F00", "0D0100"),
        ("0601021260010F00", "0D010103"),
        ("0601041258000001 0F00", "0D01010C"),
        ("0600 00", "0D00"),
        ("0602 020110 021258 01 1105", "0D02010C010C"),
        ("0601 020110 02 1105 1106", "0D01010C"),
        ("0602 020110 0700 0001 02 1105 0900", WRITE_ERROR),
        ("0601 050001 01 1105", WRITE_ERROR),
        ("0601 06000001 00 01 1105", WRITE_ERROR),
        ("06014101100111 05", WRITE_UNSUPPORTED),
        ("C001C100010000800100FF0200", "D80202"),
        ("C101C100010000800100FF02001105", "D80202"),
        ("C301C100120000800000FF0100", "D80202"),
    ],
)
def test_answers(request_, answer):
    server = opened_server()
    server.application.values.pop(("0.0.128.1.0.255", 1), None)
    assert server(request_.replace(" ", "")) == answer


@pytest.mark.parametrize("request_", [READ_SHORT, "0502020110041208 01 090101", WRITE_SHORT])
def test_every_truncation_is_refused_and_does_nothing(request_):
    octets = bytes.fromhex(request_)
    for size in range(1, len(octets)):
        server = opened_server()
        answer = server(octets[:size])
        assert answer == (READ_UNSUPPORTED if octets[0] == 5 else WRITE_UNSUPPORTED)
        assert not server.application.of_kind(ReadAttribute)
        assert not server.application.of_kind(WriteAttribute)


@pytest.mark.parametrize(
    ("bit", "request_", "answer"),
    [
        (B.READ, READ_SHORT, READ_UNSUPPORTED),
        (B.READ, "0501050001", READ_UNSUPPORTED),
        (B.READ, read_block(1, ""), READ_UNSUPPORTED),
        (B.MULTIPLE_REFERENCES, READ_NAMED_TWICE, "0C0201FA01FA"),
        (B.PARAMETERIZED_ACCESS, "050104120801090101", "0C0101FA"),
        (B.PARAMETERIZED_ACCESS, "05010412580000", "0C0101FA"),
        (B.BLOCK_TRANSFER_WITH_GET_OR_READ, read_block(1, "00"), "0C0101FA"),
        (B.WRITE, WRITE_SHORT, WRITE_UNSUPPORTED),
        (B.WRITE, write_block(1, "00"), WRITE_UNSUPPORTED),
        (B.MULTIPLE_REFERENCES, "060202011002011002 1105 1105", "0D0201FA01FA"),
        (B.PARAMETERIZED_ACCESS, "060104120801090101 01 1105", "0D0101FA"),
        (B.BLOCK_TRANSFER_WITH_SET_OR_WRITE, write_block(1, "00"), "0D0101FA"),
    ],
)
def test_what_was_not_agreed_on_is_refused_and_does_nothing(bit, request_, answer):
    server = opened_server(1200, without(bit))
    assert server(request_.replace(" ", "")) == answer
    assert not server.application.of_kind(ReadAttribute)
    assert not server.application.of_kind(WriteAttribute)
    assert not server.application.of_kind(InvokeMethod)
    assert len(server.association.transfers) == 0


def test_unconfirmed_writes_are_never_answered():
    server = opened_server()
    for request in ("16010201100111 05", "1601020110", "16", "160107000001010900", "1602020110020110011105"):
        assert server(request.replace(" ", "")) is None
    assert len(server.application.of_kind(WriteAttribute)) == 1
    for bit in (B.UNCONFIRMED_WRITE, B.MULTIPLE_REFERENCES, B.PARAMETERIZED_ACCESS):
        server = opened_server(1200, without(bit))
        request = {
            B.UNCONFIRMED_WRITE: "1601020110011105",
            B.MULTIPLE_REFERENCES: "160202011002011002 11051105",
            B.PARAMETERIZED_ACCESS: "160104120801090101011105",
        }[bit]
        assert server(request.replace(" ", "")) is None
        assert not server.application.of_kind(WriteAttribute)


def test_an_unconfirmed_association_reads_nothing_and_executes_unconfirmed_writes_only():
    server = Server(short_name_profile(), opened=open_request(response_allowed=False))
    assert server.opening_answer is None
    for request in (READ_SHORT, WRITE_SHORT, read_block(1, "00"), "1601020110011105"):
        assert server(request) is None
    assert server.application.of_kind(ReadAttribute) == []
    assert server.application.of_kind(WriteAttribute) == [
        WriteAttribute(1, SHORT.instance_id, 2, Unsigned(5))
    ]


def test_without_an_association_requests_are_refused():
    server = Server(short_name_profile())
    assert server(READ_SHORT) == "0E050201"
    assert server(WRITE_SHORT) == "0E060201"
    assert server("1601020110011105") is None
    assert server.application.seen == []


def test_without_a_table_there_is_no_object_but_the_association():
    server = opened_server(short_names=None)
    assert server(READ_SHORT) == "0C010104"
    assert server("050102FA08") == "0C010104"
    assert server.application.of_kind(ReadAttribute) == [ReadAttribute(12, LogicalName("0.0.40.0.0.255"), 2)]


def test_the_table_of_the_moment_counts():
    objects = [(1, 0, LogicalName("0.0.128.1.0.255"))]
    tables = [ShortNameTable(assign(objects, first=0x1000)), ShortNameTable(assign(objects, first=0x2000))]
    server = opened_server(short_names=lambda: tables[0])
    assert server("0501021008") == "0C01000A03303030"
    tables.pop(0)
    assert server("0501021008") == "0C010104"
    assert server("0501022008") == "0C01000A03303030"


def test_what_cannot_be_sent_is_a_fault_of_the_application():
    server = opened_server()
    server.application.values["0.0.128.1.0.255", 2] = object()
    server.application.returns["0.0.40.0.0.255", 3] = MethodOutcome(
        ActionResult.SUCCESS, trusted(Unsigned)(999)
    )
    assert server("0502020110 04FA300000".replace(" ", "")) == "0C0201FA01FA"
    faults = server.application.of_kind(Fault)
    assert [type(fault.subject) for fault in faults] == [ReadAttribute, InvokeMethod]
    assert all(isinstance(fault.error, EncodeError) for fault in faults)


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (MethodOutcome(), "0C010000"),
        (MethodOutcome(return_parameters=None), "0C010000"),
        (MethodOutcome(return_parameters=DataAccessResult.SUCCESS), "0C010000"),
        (MethodOutcome(return_parameters=DataAccessResult.OTHER_REASON), "0C0101FA"),
        (MethodOutcome(ActionResult.LONG_ACTION_ABORTED), "0C01010F"),
        (MethodOutcome(ActionResult.TYPE_UNMATCHED, TEXT), "0C01010C"),
    ],
)
def test_outcomes_of_methods(outcome, answer):
    server = opened_server()
    server.application.returns["1.0.99.1.0.255", 1] = outcome
    assert server("05010412580000") == answer


def test_success_is_no_value():
    server = opened_server()
    server.application.values["0.0.128.1.0.255", 2] = DataAccessResult.SUCCESS
    assert server(READ_SHORT) == "0C0101FA"


# --- sizes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [12, 13, 39, 40, 41, 134, 135, 136, 137, 262, 263, 264, 265, 266, 1000])
@pytest.mark.parametrize("length", [0, 1, 30, 127, 128, 300, 2000])
def test_blocks_fill_the_size_of_the_client_to_the_octet(size, length):
    server = opened_server(size)
    value = OctetString((bytes(range(256)) * 8)[:length])
    server.application.values["0.0.128.0.0.255", 2] = value
    answer = server(READ_LONG)
    sizes = []
    joined = b""
    number = 0
    while isinstance(getattr(decode(bytes.fromhex(answer)).result[0], "raw_data", None), bytes):
        block = decode(bytes.fromhex(answer)).result[0]
        number += 1
        assert block.block_number == number
        sizes.append(len(answer) // 2)
        joined += block.raw_data
        if block.last_block:
            break
        answer = server(f"050105{number:04X}")
    if not sizes:
        assert len(answer) // 2 <= size
        joined = bytes.fromhex(answer)[1:]
    assert decode(b"\x0c" + joined).result == (value,)
    assert max(sizes, default=0) <= size
    assert all(each >= size - 1 for each in sizes[:-1])
    assert len(server.association.transfers) == 0


def test_without_block_transfer_a_long_answer_is_refused():
    server = opened_server(40, without(B.BLOCK_TRANSFER_WITH_GET_OR_READ))
    assert server(READ_LONG) == "0C0101FA"
    assert server("0502020100020110") == "0C0201FA01FA"
    assert server(f"0514{'020110' * 20}") == READ_SIZE
    for length, answer in [(35, f"0C01000923{'00' * 35}"), (36, "0C0101FA")]:
        server.application.values["0.0.128.0.0.255", 2] = OctetString(bytes(length))
        assert server(READ_LONG) == answer


def test_an_answer_beyond_the_limit_is_not_begun():
    server = opened_server(40, limits=ServerLimits(answer=54))
    assert server(READ_LONG)[:8] == "0C010200"
    server = opened_server(40, limits=ServerLimits(answer=53))
    assert server(READ_LONG) == READ_SIZE
    assert server(f"0503{'020100' * 3}") == READ_SIZE
    assert len(server.application.of_kind(ReadAttribute)) == 2
    assert len(server.association.transfers) == 0


def test_an_answer_of_more_blocks_than_numbers_is_not_begun():
    server = opened_server(12)
    server.application.values["0.0.128.0.0.255", 2] = OctetString(bytes(5 * 65535))
    assert server(READ_LONG) == READ_SIZE
    assert len(server.association.transfers) == 0
    server.application.values["0.0.128.0.0.255", 2] = OctetString(bytes(5 * 65535 - 7))
    assert server(READ_LONG).startswith("0C0102000001")


def test_results_that_could_not_be_told_are_not_brought_about():
    server = opened_server(40)
    assert server(f"0612{'020110' * 18}12{'1105' * 18}") == "0D12" + "00" * 18
    server = opened_server(40)
    assert server(f"0614{'020110' * 20}14{'1105' * 20}") == WRITE_SIZE
    assert server.application.of_kind(WriteAttribute) == []


def test_a_request_longer_than_the_server_takes():
    server = opened_server(max_receive_pdu_size=40)
    assert server(f"0510{'020110' * 16}") == READ_SIZE
    assert server(f"0610{'020110' * 16}10{'1105' * 16}") == WRITE_SIZE
    assert server(f"1610{'020110' * 16}10{'1105' * 16}") is None
    assert server.application.of_kind(ReadAttribute) == []


def test_a_size_without_room_for_one_octet_in_a_block_is_told():
    server = Server(short_name_profile(pre_established=True, client_max_receive_pdu_size=7))
    assert server(READ_LONG) == READ_SIZE
    assert len(server.association.transfers) == 0


def test_what_is_ciphered_fits_as_well():
    profile = short_name_profile(
        application_context=ApplicationContext.SN_CIPHERED,
        protection=FakeProtection,
        system_title=SERVER_TITLE,
        client_system_title=b"MMMCLIEN",
        pre_established=True,
        client_max_receive_pdu_size=44,
    )
    server = Server(profile)
    protection = FakeProtection()
    answer = bytes.fromhex(server(protection.protect(bytes.fromhex(READ_LONG))))
    assert len(answer) == 44
    clear, _ = protection.unprotect(answer)
    assert clear.hex().upper() == f"0C01020000012101000932{DIGITS[:58]}"


# --- long answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "answer"),
    [
        ([READ_LONG, "0501050000"], "0C010113"),
        ([READ_LONG, "0501050002"], "0C010113"),
        ([READ_LONG, "050105FFFF"], "0C010113"),
        (["0501050001"], "0C010110"),
        (["0501050000"], "0C010110"),
        ([READ_LONG, "0501050001", "0501050002"], "0C010110"),
        ([READ_LONG, "0501050007", "0501050001"], "0C010110"),
        ([READ_LONG, READ_SHORT, "0501050001"], "0C010110"),
        ([READ_LONG, WRITE_SHORT, "0501050001"], "0C010110"),
        ([READ_LONG, "0500", "0501050001"], "0C010110"),
        ([READ_LONG, read_block(1, "00"), "0501050001"], "0C010110"),
        ([READ_LONG, write_block(1, "00"), "0501050001"], "0C010110"),
        ([READ_LONG, read_block(2, "00")], "0C010110"),
        ([READ_LONG, write_block(2, "00")], "0D010112"),
        ([READ_LONG, "1601020110011105", "0501050001"], f"0C0102010002 15 {DIGITS[58:]}"),
        ([READ_LONG, READ_LONG, "0501050001"], f"0C0102010002 15 {DIGITS[58:]}"),
    ],
)
def test_what_ends_a_long_answer_and_what_does_not(requests, answer):
    server = opened_server(40)
    for request in requests[:-1]:
        server(request)
    assert server(requests[-1]) == answer.replace(" ", "")


def test_blocks_are_a_snapshot():
    server = opened_server(40)
    server(READ_LONG)
    server.application.values["0.0.128.0.0.255", 2] = OctetString(b"changed")
    assert server("0501050001") == f"0C010201000215{DIGITS[58:]}"


def test_over_datagrams_the_last_block_may_be_asked_for_again():
    server = opened_server(40, repeat_blocks=True)
    server(READ_LONG)
    second = server("0501050001")
    assert server("0501050001") == second
    assert server("0501050002") == "0C010110"


# --- long requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "answer"),
    [
        ([read_block(2, "00")], "0C010110"),
        ([read_block(0, "00")], "0C010110"),
        ([read_block(2, "00", last=True)], "0C010110"),
        ([read_block(1, "00"), read_block(3, "00")], "0C010113"),
        ([read_block(1, "00"), read_block(0, "00")], "0C010113"),
        ([read_block(1, "00"), read_block(3, "00"), read_block(2, "00")], "0C010110"),
        (
            [read_block(1, "0102"), read_block(1, "0102"), read_block(2, "0110", last=True)],
            "0C01000A03303030",
        ),
        ([read_block(1, "0102"), READ_SHORT, read_block(2, "0110", last=True)], "0C010110"),
        ([read_block(1, "0102"), WRITE_SHORT, read_block(2, "0110", last=True)], "0C010110"),
        ([read_block(1, "0102"), write_block(2, "00")], "0D010112"),
        ([read_block(1, "0102"), "0501050001"], "0C010110"),
        ([read_block(1, "", last=True)], READ_UNSUPPORTED),
        ([read_block(1, "0102", last=True)], READ_UNSUPPORTED),
        ([read_block(1, "01050001", last=True)], READ_ERROR),
        ([read_block(1, "0106010001020110", last=True)], READ_ERROR),
        ([read_block(number, "") for number in range(1, 18)], "0C01010F"),
        ([write_block(2, "00")], "0D010112"),
        ([write_block(0, "00")], "0D010112"),
        ([write_block(1, "00"), write_block(3, "00")], "0D010113"),
        ([write_block(1, "00"), write_block(3, "00"), write_block(2, "00")], "0D010112"),
        ([write_block(1, "0102"), write_block(1, "0102"), write_block(2, "0110011105", last=True)], "0D0100"),
        ([write_block(1, "0102"), READ_SHORT, write_block(2, "0110011105", last=True)], "0D010112"),
        ([write_block(1, "0102"), read_block(2, "00")], "0C010110"),
        ([write_block(1, "", last=True)], WRITE_UNSUPPORTED),
        ([write_block(1, "010201100111", last=True)], WRITE_UNSUPPORTED),
        ([write_block(1, "01070100010109 00".replace(" ", ""), last=True)], WRITE_ERROR),
        (["060107000001011105"], "0D01010C"),
        (["0601070000010200090100"], "0D01010C"),
        (["06010700000100"], "0D01010C"),
        ([write_block(number, "") for number in range(1, 18)], "0D010111"),
    ],
)
def test_what_comes_of_long_requests(requests, answer):
    server = opened_server()
    for request in requests[:-1]:
        assert server(request)[:6] != "0E0503"
    assert server(requests[-1]) == answer
    assert len(server.association.transfers) == 0


def test_collected_octets_are_bounded():
    server = opened_server(limits=ServerLimits(reassembly=100))
    assert server(read_block(1, "00" * 100)) == "0C01030001"
    assert server(read_block(2, "00")) == "0C01010F"
    assert server(write_block(1, "00" * 101)) == "0D010111"
    assert len(server.association.transfers) == 0


def test_a_bomb_in_few_octets_is_not_built():
    server = opened_server()
    bomb = "0104FA300001" + "0101" * 100
    assert server(f"05{bomb}") == READ_SIZE
    assert server(f"050106010001 81CE {bomb}".replace(" ", "")) == READ_SIZE
    bomb = "0102011001" + "0101" * 100
    assert server(f"06{bomb}") == WRITE_SIZE
    assert server(f"060107010001 01 09 81CD {bomb}".replace(" ", "")) == WRITE_SIZE
    assert server("0583FFFFFF020110") == READ_UNSUPPORTED
    assert server("0683FFFFFF020110") == WRITE_UNSUPPORTED
    assert server.application.of_kind(InvokeMethod) == server.application.of_kind(WriteAttribute) == []


@pytest.mark.parametrize(
    ("first", "second", "gone"),
    [
        (READ_LONG, "0501050001", "0C010110"),
        (read_block(1, "00"), read_block(2, "00"), "0C010110"),
        (write_block(1, "00"), write_block(2, "00"), "0D010112"),
    ],
)
def test_a_silent_client_loses_its_transfer(first, second, gone):
    server = opened_server(40, limits=ServerLimits(progress=30, transfer=120))
    server(first)
    assert server.association.deadline() == 30
    server.now = 30.0
    assert server(second) == gone
    server(first)
    server.association.tick(60.0)
    assert len(server.association.transfers) == 0
    for end in ("6200", open_request(ALL, 40)):
        server = opened_server(40)
        server(first)
        server(end)
        assert len(server.association.transfers) == 0
    server = opened_server(40)
    server(first)
    assert isinstance(server.association.abort("gone"), AbortIndication)
    assert len(server.association.transfers) == 0


# --- InformationReport ----------------------------------------------------------------------------------


def test_reports_need_what_was_agreed_on_and_fit():
    association = opened_server(1200, without(B.INFORMATION_REPORT)).association
    with pytest.raises(UnsupportedError, match="information-report"):
        association.information_report([(0x0110, TEXT)])
    association = opened_server(1200, without(B.MULTIPLE_REFERENCES)).association
    assert association.information_report([(SHORT, TEXT)]) == [bytes.fromhex("180001020110010A03303030")]
    with pytest.raises(UnsupportedError, match="multiple-references"):
        association.information_report([(SHORT, TEXT), (SHORT, TEXT)])
    association = opened_server(12).association
    (octets,) = association.information_report([(0x0110, TEXT)])
    assert len(octets) == 12
    with pytest.raises(UnsupportedError, match="13 octets, the client takes 12"):
        association.information_report([(0x0110, OctetString(bytes(4)))])
    with pytest.raises(ConfigurationError, match=r"1\.0\.1\.8\.0\.255 attribute 2 has no short name"):
        association.information_report([(UNMAPPED, TEXT)])
    with pytest.raises(EncodeError):
        association.information_report([(REFUSED, TEXT)], b"\xff" * 12)


def test_reports_are_sent_without_an_association_and_ciphered_within_one():
    server = Server(short_name_profile())
    assert server.association.information_report([(0x0110, None)]) == [bytes.fromhex("1800010201100100")]
    profile = short_name_profile(
        application_context=ApplicationContext.SN_CIPHERED,
        protection=FakeProtection,
        system_title=SERVER_TITLE,
        client_system_title=b"MMMCLIEN",
        pre_established=True,
    )
    (octets,) = Server(profile).association.information_report([(SHORT, None)])
    assert FakeProtection().unprotect(octets)[0].hex().upper() == "1800010201100100"


def test_no_report_while_the_association_is_being_released():
    server = opened_server()
    processing = server.association.process(bytes.fromhex("6200"), 0.0)
    next(processing)
    with pytest.raises(StateError):
        server.association.information_report([(0x0110, None)])
    processing.close()


def test_the_table_is_that_of_the_driver():
    assert len(TABLE) == 4
