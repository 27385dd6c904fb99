"""The server's association besides its services: release, abort, protection, notifications, any octets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.apdu import decode
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.control_function import State
from cosem.association.server.indications import (
    AbortIndication,
    DecipheringFailed,
    ReadAttribute,
    ReleaseIndication,
)
from cosem.association.server.profile import AssociationProfile
from cosem.errors import EncodeError, StateError, UnsupportedError
from cosem.types.data import LongUnsigned, OctetString, VisibleString
from cosem.types.enumerations import AssociationStatus
from tests.association.fakes import CLIENT_TITLE, FakeProtection
from tests.association.openings import C, aarq, ciphered, initiate, secret
from tests.association.server_driver import (
    LONG,
    SHORT,
    Server,
    conformance_without,
    get,
    name,
    open_request,
    opened_server,
)
from tests.association.test_server_authentication import pending


def test_release():
    server = opened_server()
    assert server("6203800100") == "6303800100"
    assert server.association.state is State.IDLE
    assert server.association.status is AssociationStatus.NON_ASSOCIATED
    assert server.application.of_kind(ReleaseIndication) == [ReleaseIndication(0)]
    assert server(get(LONG)) == "D80101"


@pytest.mark.parametrize("request_", ["6200", "6203800100", "6203800101", "620380011E"])
def test_release_without_an_association_is_answered_and_tells_nobody(request_):
    server = Server(AssociationProfile())
    assert server(request_) == "6303800100"
    assert server.application.seen == []


@pytest.mark.parametrize("request_", ["62", "6201", "6203800200", "620100", "6280"])
def test_a_broken_release_is_no_release(request_):
    server = opened_server()
    assert server(request_) is None
    assert server.association.state is State.ASSOCIATED
    assert server.association.ignored == 1


def test_abort():
    server = opened_server()
    assert server.association.abort("cable pulled") == AbortIndication("cable pulled")
    assert server.association.state is State.IDLE
    assert server.association.abort("again") is None
    assert server(get(LONG)) == "D80101"


def ciphered_server(**facts) -> Server:
    request = aarq(C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, user_information=secret(initiate()))
    return Server(ciphered(**facts), opened=request)


def test_a_ciphered_association_is_not_released_by_anybody():
    protect, unprotect = FakeProtection().protect, FakeProtection().unprotect
    information = protect(bytes.fromhex("01000000065F1F0400007E1F04B0"))
    genuine = (
        "62"
        f"{len(information) + 4:02X}BE{len(information) + 2:02X}04{len(information):02X}" + information.hex()
    )
    no_initiate = protect(bytes.fromhex("C001C1000F0000280000FF0200"))
    other = (
        "62"
        f"{len(no_initiate) + 4:02X}BE{len(no_initiate) + 2:02X}04{len(no_initiate):02X}" + no_initiate.hex()
    )
    for request in ("6200", "6203800100", genuine[:-2] + "00", other):
        server = ciphered_server()
        assert server(request) is None
        assert server.association.state is State.ASSOCIATED
        assert server.association.ignored == 1
        forged = request == genuine[:-2] + "00"
        assert server.association.forgeries == forged
        assert server.application.of_kind(DecipheringFailed) == [DecipheringFailed(CLIENT_TITLE, 1)] * forged
    server = ciphered_server()
    answer = decode(bytes.fromhex(server(genuine)))
    assert server.association.state is State.IDLE
    assert unprotect(answer.user_information)[0].hex()[:2] == "08"
    lenient = ciphered_server(lenient_release=True)
    assert lenient("6200") == "6303800100"


def test_forged_releases_count_with_other_forgeries_and_a_genuine_request_ends_the_count():
    server = ciphered_server()
    server.association.limits = replace(server.association.limits, forgeries=2)
    request = FakeProtection().protect(bytes.fromhex(get(SHORT)))
    forged = bytes((*request[:-1], request[-1] ^ 1))
    released = bytes((0x62, len(forged) + 4, 0xBE, len(forged) + 2, 0x04, len(forged))) + forged
    assert [server(each) for each in (forged, released, forged)] == ["D80105", None, None]
    assert [each.ignored for each in server.application.of_kind(DecipheringFailed)] == [False, False, True]
    assert server.association.ignored == 2
    assert server(request) is not None
    assert server.association.forgeries == 0
    server.association.protection.replayed = True
    assert server(released) is None  # a counter that was used before is no attempt to forge
    assert server.association.forgeries == 0


def test_an_answer_is_protected_as_its_request_was():
    server = ciphered_server()
    protect, unprotect = FakeProtection().protect, FakeProtection().unprotect
    answer = bytes.fromhex(server(protect(bytes.fromhex(get(SHORT)))))
    assert unprotect(answer)[0].hex().upper() == "C401C1000A03303030"
    assert server(get(SHORT)) == "C401C1000A03303030"
    assert ciphered_server(protected_only=False)(get(SHORT)) == "C401C1000A03303030"


def test_what_is_not_genuine_is_not_deciphered():
    server = ciphered_server()
    request = bytearray(FakeProtection().protect(bytes.fromhex(get(SHORT))))
    request[-1] ^= 1
    assert server(bytes(request)) == "D80105"
    server.association.protection.replayed = True
    assert server(FakeProtection().protect(bytes.fromhex(get(SHORT)))) == "D801060000004D"
    assert opened_server()(FakeProtection().protect(bytes.fromhex(get(SHORT)))) == "D80105"


def test_a_clear_request_in_between_does_not_undress_a_ciphered_one():
    server = ciphered_server()
    slow = server.association.process(FakeProtection().protect(bytes.fromhex(get(SHORT))), 0.0)
    assert isinstance(next(slow), ReadAttribute)
    assert server(get(SHORT, invoke_id="C2")) == "C401C2000A03303030"
    with pytest.raises(StopIteration) as stop:
        slow.send(VisibleString("000"))
    (answer,) = stop.value.value
    assert FakeProtection().unprotect(answer)[0].hex().upper() == "C401C1000A03303030"


def test_an_answer_that_comes_after_the_end_is_no_answer_of_the_next_association():
    server = opened_server()
    slow = server.association.process(bytes.fromhex(get(SHORT)), 0.0)
    assert isinstance(next(slow), ReadAttribute)
    server(open_request())
    with pytest.raises(StopIteration) as stop:
        slow.send(VisibleString("000"))
    assert stop.value.value == []


def test_sizes_count_the_protection():
    server = ciphered_server()
    server.association.context = type(server.association.context)(
        server.association.context.conformance | 0x1000, 40
    )
    answer = bytes.fromhex(server(FakeProtection().protect(bytes.fromhex(get(LONG)))))
    assert len(answer) == 40
    assert FakeProtection().unprotect(answer)[0][:2] == b"\xc4\x02"


def test_urgent_is_what_was_agreed_to_be():
    assert opened_server().association.is_urgent(bytes.fromhex(get(LONG, invoke_id="C1")))
    assert not opened_server().association.is_urgent(bytes.fromhex(get(LONG, invoke_id="41")))
    assert not opened_server(conformance=conformance_without(9)).association.is_urgent(
        bytes.fromhex(get(LONG))
    )
    assert not opened_server().association.is_urgent(b"\xc0\x01")


TARGET = CosemAttributeDescriptor(3, name("1.0.1.8.0.255"), 2)


def test_event_notification():
    server = opened_server()
    assert server.association.event_notification(TARGET, LongUnsigned(5)) == [
        bytes.fromhex("C20000030100010800FF02120005")
    ]
    time = bytes.fromhex("07E5010101FF000000800000")
    assert server.association.event_notification(TARGET, None, time) == [
        bytes.fromhex("C2010C07E5010101FF00000080000000030100010800FF0200")
    ]
    (octets,) = Server(AssociationProfile()).association.event_notification(TARGET, None)
    assert octets[:2] == b"\xc2\x00"


def test_an_event_notification_that_the_association_did_not_agree_on():
    server = opened_server(conformance=conformance_without(22))
    with pytest.raises(UnsupportedError):
        server.association.event_notification(TARGET, None)
    server = Server(AssociationProfile(), opened=open_request(response_allowed="0100"))
    assert server.association.state is State.ASSOCIATED
    with pytest.raises(UnsupportedError):
        server.association.event_notification(TARGET, None)


def test_an_event_notification_fits_the_client():
    server = opened_server(40)
    (fits,) = server.association.event_notification(TARGET, OctetString(bytes(40 - 13)))
    assert len(fits) == 40
    with pytest.raises(UnsupportedError):
        server.association.event_notification(TARGET, OctetString(bytes(40 - 12)))
    with pytest.raises(EncodeError):
        server.association.event_notification(TARGET, 5)


def test_no_event_notification_before_the_client_has_proved_who_it_is():
    with pytest.raises(StateError):
        pending().association.event_notification(TARGET, None)


@given(st.binary(max_size=60))
def test_any_octets_have_at_most_one_answer_and_leave_the_association_usable(octets):
    server = opened_server(40)
    server(octets)
    if server.association.state is State.ASSOCIATED:
        assert server(get(SHORT)) == "C401C1000A03303030"
    else:
        assert octets[:1] in (b"\x60", b"\x62")
