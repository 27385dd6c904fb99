"""A client and a server, each with its own protection, over nothing but octets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.acse import AARQ, RLRQ
from cosem.association.client.conversations.get import get
from cosem.association.client.conversations.set import set_attribute
from cosem.association.client.parameters import ALL_SERVICES_LN, AssociationParameters
from cosem.association.control_function import State
from cosem.association.server.groups import is_for_group
from cosem.association.server.indications import AuthenticationFailed
from cosem.association.server.profile import AssociationProfile
from cosem.errors import AssociationRefused, CosemError, ExceptionResponseError, SecurityError
from cosem.security.context import Side
from cosem.security.counters import VolatileCounter
from cosem.security.policy import SecurityPolicyV1
from cosem.security.status import KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.types.data import OctetString
from cosem.types.enumerations import (
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    Conformance,
)
from tests.association.client_driver import LONG, SHORT, Client
from tests.association.fakes import STOC, FakeClientHalf, FakeServerHalf
from tests.association.server_driver import Server
from tests.security.protecting import DEDICATED, HEAD_END, METER, SUITE_0, SUITE_1, SUITE_2, protection

F, K = ProtectionForm, KeyUsed
SIGNED = LayerOptions(F.GENERAL_SIGNING, K.SIGNING)


class Pair:
    """Both sides, and every octet that went between them."""

    def __init__(
        self,
        suite=SUITE_0,
        options=None,
        *,
        hls=False,
        dedicated=None,
        size=0xFFFF,
        policy=None,
        counter=9000,
        **facts,
    ):
        context = {} if options is None else {"options": options}
        policy = SecurityPolicyV1.NOTHING if policy is None else policy
        mechanism = AuthenticationMechanism.HLS_GMAC if hls else AuthenticationMechanism.LOWEST
        counter = VolatileCounter(counter)  # what is at rest at the server

        def of_client(title):
            made = protection(METER, title, suite=suite, policy=policy)
            made._session.counter = counter
            return made

        profile = {
            "application_context": ApplicationContext.LN_CIPHERED,
            "mechanism": mechanism,
            "system_title": METER,
            "protection": of_client,
            "authenticator": FakeServerHalf if hls else None,
            "protected_only": True,
            "conformance": ALL_SERVICES_LN
            & ~Conformance.GENERAL_BLOCK_TRANSFER,  # each APDU alone, in its blocks
        } | facts
        self.server = Server(AssociationProfile(**profile))
        self.client = Client(
            AssociationParameters(
                application_context=ApplicationContext.LN_CIPHERED,
                mechanism=mechanism,
                calling_ap_title=HEAD_END,
                dedicated_key=dedicated,
                client_max_receive_pdu_size=size,
            ),
            protection=protection(HEAD_END, None, suite=suite, side=Side.CLIENT, policy=policy, **context),
            authenticator=FakeClientHalf() if hls else None,
        )
        self.line: list[bytes] = []

    def run(self, exchange):
        while not exchange.done:
            sent = self.client.sent()
            assert sent, "the conversation waits, and nothing is on the line"
            for each in sent:
                self.line.append(bytes.fromhex(each))
                answer = self.server(each)
                assert answer is not None
                self.line.append(bytes.fromhex(answer))
                self.client.receive(answer)
        return exchange.result()

    def open(self):
        return self.run(self.client.association.open())

    def get(self, descriptor=LONG):
        return self.run(self.client.association.start(lambda context: get(context, descriptor)))


OPTIONS = {
    "service-specific": (SUITE_0, None),
    "suite 2": (SUITE_2, None),
    "authenticated": (SUITE_0, SecurityOptions((LayerOptions(encrypted=False),))),
    "general-glo": (SUITE_0, SecurityOptions((LayerOptions(F.GENERAL_GLO),))),
    "general-ciphering": (SUITE_0, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))),
    "wrapped": (SUITE_0, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),))),
    "one-pass": (SUITE_1, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ONE_PASS),))),
    "static": (SUITE_2, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.STATIC_UNIFIED),))),
    "signed": (SUITE_1, SecurityOptions((SIGNED,))),
    "signed within": (SUITE_2, SecurityOptions((LayerOptions(F.GENERAL_GLO), SIGNED))),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("hls", [False, True])
def test_an_association_is_opened_used_and_released(name, hls):
    suite, options = OPTIONS[name]
    if options is not None and any(
        layer.key in (K.ONE_PASS, K.STATIC_UNIFIED) or layer == SIGNED for layer in options.layers
    ):
        # The title of the meter is not known before it answers, and these keys are those of a title.
        pair = Pair(suite, options, hls=hls)
        pair.client.association.protection.learn_peer_title(METER)
    else:
        pair = Pair(suite, options, hls=hls)
    pair.open()
    value = pair.get()
    assert bytes(value[:3]) == b"\x01\x02\x03"
    assert pair.client.association.protection.peer_title == METER
    clear = b"\x01\x02\x03\x04\x05"
    on_line = [octets for octets in pair.line if clear in octets]
    encrypts = options is None or any(layer.encrypted and layer != SIGNED for layer in options.layers)
    assert bool(on_line) is not encrypts
    assert pair.run(pair.client.association.release()) is True
    assert pair.client.association.state is State.IDLE
    assert pair.server.association.state is State.IDLE


@pytest.mark.parametrize("hls", [False, True])
@pytest.mark.parametrize("general", [False, True])
def test_a_dedicated_key_is_used_once_both_sides_have_proved_who_they_are(hls, general):
    options = SecurityOptions((LayerOptions(F.GENERAL_GLO),)) if general else None
    pair = Pair(options=options, hls=hls, dedicated=DEDICATED)
    pair.open()
    tags = [octets[0] for octets in pair.line]
    if hls:
        assert tags == [0x60, 0x61, *([0xDB, 0xDB] if general else [0xCB, 0xCF])]
    pair.get()
    assert [octets[0] for octets in pair.line[-2:]] == ([0xDC, 0xDC] if general else [0xD0, 0xD4])
    assert all(DEDICATED not in octets for octets in pair.line)
    assert pair.server.association.security_status.key is K.DEDICATED
    pair.run(pair.client.association.release())
    assert decode(pair.line[-2]).user_information[0] == (0xDB if general else 0x21)
    pair.open()
    pair.get()
    assert pair.line[-1][0] == (0xDC if general else 0xD4)


def test_a_dedicated_key_before_the_passes_are_over_opens_nothing():
    pair = Pair(hls=True, dedicated=DEDICATED)
    exchange = pair.client.association.open()
    answer = pair.server(pair.client.sent()[0])
    early = protection(HEAD_END, METER, side=Side.CLIENT)
    early.hold_dedicated_key(DEDICATED)
    early.activate_dedicated_key()
    assert pair.server(early.protect(bytes.fromhex("C001C100010000800000FF0200")).hex()) == "D80105"
    pair.client.receive(answer)
    pair.run(exchange)


@pytest.mark.parametrize("size", [64, 100, 200, 1024])
@pytest.mark.parametrize("name", ["service-specific", "general-glo", "authenticated"])
def test_no_apdu_is_longer_than_agreed_with_its_protection(size, name):
    suite, options = OPTIONS[name]
    pair = Pair(suite, options, size=size)
    pair.open()
    pair.server.application.values["0.0.128.0.0.255", 2] = OctetString(bytes(range(256)) * 5)
    assert bytes(pair.get()) == bytes(range(256)) * 5
    lengths = [len(octets) for octets in pair.line[2:]]
    assert max(lengths) <= size
    assert max(lengths) >= min(size - 3, 1290), "and none is shorter than it needs to be"


def test_a_value_is_written_in_ciphered_blocks():
    pair = Pair(max_receive_pdu_size=100)
    pair.open()
    value = OctetString(bytes(range(250)))
    pair.run(pair.client.association.start(lambda context: set_attribute(context, LONG, value)))
    assert pair.server.application.values["0.0.128.0.0.255", 2] == value
    assert all(len(octets) <= 100 for octets in pair.line[2::2])


def test_a_request_in_clear_is_refused_where_protection_is_demanded():
    pair = Pair()
    pair.open()
    assert pair.server("C001C100010000800000FF0200") == "D80101"


def test_a_request_below_the_policy_is_refused_by_another_error_than_a_wrong_tag():
    policy = SecurityPolicyV1.AUTHENTICATED_REQUEST | SecurityPolicyV1.ENCRYPTED_REQUEST
    pair = Pair(policy=policy)
    pair.open()
    weak = protection(HEAD_END, METER, counter=0x01234600, side=Side.CLIENT)
    request = bytes.fromhex("C001C100010000800000FF0200")
    assert (
        pair.server(weak.protect(request, SecurityOptions((LayerOptions(encrypted=False),))).hex())
        == "D80101"
    )
    octets = bytearray(weak.protect(request))
    octets[-1] ^= 1
    assert pair.server(bytes(octets).hex()) == "D80105"
    assert pair.server(weak.protect(request).hex())[:2] == "CC", "the association goes on"


def test_a_replayed_request_is_refused_and_told_the_counter():
    pair = Pair()
    pair.open()
    pair.get()
    request = pair.line[-2]
    expected = int.from_bytes(request[3:7], "big") + 1
    assert pair.server(request.hex()) == f"D80106{expected:08X}"
    forged = bytearray(request)
    forged[-1] ^= 1
    assert pair.server(bytes(forged).hex()) == "D80105"


@pytest.mark.parametrize(
    ("write", "executed"),
    [
        ("C10181 00010000800100FF02 00 0A03414243", True),
        ("C101C1 00010000800100FF02 00 0A03414243", False),
        ("D9 80000001 00 01 02 00010000800100FF02 01 0A03414243", True),
        ("D9 C0000001 00 01 02 00010000800100FF02 01 0A03414243", False),
    ],
    ids=["set", "confirmed set", "access", "confirmed access"],
)
def test_a_broadcast_is_executed_where_it_is_unconfirmed_and_never_answered(write, executed):
    pair = Pair()
    pair.open()
    broadcast = protection(HEAD_END, METER, counter=5, side=Side.CLIENT)
    options = SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),))
    assert pair.server(broadcast.protect(bytes.fromhex(write), options).hex()) is None
    assert (pair.server.application.values["0.0.128.1.0.255", 2] == "ABC") is executed


WRITE = "C10181 00010000800100FF02 00 0A03414243"
IN_THE_NAME_OF_A_GROUP = {
    "service-specific": (LayerOptions(key=K.GLOBAL_BROADCAST),),
    "general-glo": (LayerOptions(F.GENERAL_GLO, K.GLOBAL_BROADCAST),),
    "general-ciphering": (LayerOptions(F.GENERAL_CIPHERING, K.GLOBAL_BROADCAST),),
}


@pytest.mark.parametrize("layers", IN_THE_NAME_OF_A_GROUP.values(), ids=IN_THE_NAME_OF_A_GROUP)
@pytest.mark.parametrize(
    "write", [WRITE, WRITE.replace("C10181", "C101C1")], ids=["unconfirmed", "confirmed"]
)
def test_no_refusal_of_what_came_under_the_broadcast_key_is_answered(layers, write):
    pair = Pair()
    pair.open()
    broadcast = protection(HEAD_END, METER, counter=5, side=Side.CLIENT)
    request = broadcast.protect(bytes.fromhex(write), SecurityOptions(layers))
    forged = request[:-1] + bytes((request[-1] ^ 1,))
    too_long = broadcast.protect(bytes.fromhex(write) + bytes(0x10000), SecurityOptions(layers))
    weak = broadcast.protect(
        bytes.fromhex(write), SecurityOptions(tuple(replace(each, encrypted=False) for each in layers))
    )
    received = {"genuine": request, "replayed": request, "forged": forged, "too long": too_long, "weak": weak}
    for what, octets in received.items():
        assert pair.server(octets.hex()) is None, what
    assert Server(pair.server.association.profile)(request.hex()) is None, "without an association"
    assert (pair.server.application.values["0.0.128.1.0.255", 2] == "ABC") is (write == WRITE)
    assert pair.get() is not None, "the association goes on"


def test_a_signature_around_does_not_make_a_meter_of_a_group_answer():
    pair = Pair(suite=SUITE_1)
    pair.open()
    broadcast = protection(HEAD_END, METER, suite=SUITE_1, counter=5, side=Side.CLIENT)
    options = SecurityOptions((LayerOptions(F.GENERAL_GLO, K.GLOBAL_BROADCAST), SIGNED))
    request = broadcast.protect(bytes.fromhex(WRITE), options)
    for octets in (request, request, request[:-1] + bytes((request[-1] ^ 1,))):
        assert pair.server(octets.hex()) is None


def test_only_whole_requests_under_the_broadcast_key_are_for_a_group():
    broadcast = protection(HEAD_END, METER, counter=5, side=Side.CLIENT)
    for layers in IN_THE_NAME_OF_A_GROUP.values():
        request = broadcast.protect(bytes.fromhex(WRITE), SecurityOptions(layers))
        assert is_for_group(request)
        assert not any(is_for_group(request[:size]) for size in range(len(request) - 12))
    single = broadcast.protect(bytes.fromhex(WRITE), SecurityOptions((LayerOptions(),)))
    assert not is_for_group(single)
    assert not is_for_group(bytes.fromhex(WRITE))


def test_an_answer_in_clear_below_in_kind_or_changed_is_never_a_value():
    for change in (
        lambda octets: bytes.fromhex("C40140000A03313233"),
        lambda octets: octets[:-1] + bytes((octets[-1] ^ 1,)),
        lambda octets: protection(METER, HEAD_END, counter=99999).protect(
            bytes.fromhex("C40140000A03313233"), SecurityOptions((LayerOptions(encrypted=False),))
        ),
    ):
        pair = Pair()
        pair.open()
        exchange = pair.client.association.start(lambda context: get(context, SHORT))
        pair.client.receive(change(bytes.fromhex(pair.server(pair.client.sent()[0]))))
        with pytest.raises(SecurityError):
            exchange.result()


def test_an_old_answer_is_never_a_value():
    pair = Pair()
    pair.open()
    pair.get(SHORT)
    old = pair.line[-1]
    exchange = pair.client.association.start(lambda context: get(context, SHORT))
    pair.client.sent()
    pair.client.receive(old)
    with pytest.raises(SecurityError):
        exchange.result()


def test_an_exception_response_in_clear_is_read():
    pair = Pair()
    pair.open()
    exchange = pair.client.association.start(lambda context: get(context, SHORT))
    pair.client.sent()
    pair.client.receive("D80105")
    with pytest.raises(ExceptionResponseError):
        exchange.result()


def test_a_meter_with_another_title_than_the_one_known_is_refused():
    pair = Pair()
    pair.client.association.protection.learn_peer_title(b"MMMOTHER")
    with pytest.raises(SecurityError):
        pair.open()
    assert pair.client.association.state is State.IDLE


def test_an_opening_in_clear_with_a_dedicated_key_is_refused():
    pair = Pair(protected_only=False)
    aarq = bytes.fromhex("6036A109060760857405080103A60A04084D4D4D0000000001BE1D041B")
    initiate = bytes.fromhex("01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0")
    body = aarq[2:-4] + bytes((0xBE, len(initiate) + 2, 0x04, len(initiate))) + initiate
    answer = pair.server((bytes((0x60, len(body))) + body).hex())
    assert decode(bytes.fromhex(answer)).user_information == bytes.fromhex("0E010006")


@pytest.mark.parametrize("size", [15, 17, 32])
def test_an_opening_with_a_dedicated_key_of_another_length_is_refused(size):
    pair = Pair(dedicated=bytes(size))
    with pytest.raises(CosemError):
        pair.open()
    assert pair.server.association.state is State.IDLE


def test_the_opening_says_nothing_of_the_key_that_is_wrong():
    pair = Pair()
    pair.client.association.protection = protection(
        HEAD_END, None, suite=SUITE_0, side=Side.CLIENT, counter=1
    )
    pair.client.association.protection._session.material = protection(
        suite=SUITE_0
    ).context.material.with_dedicated(None)
    octets = bytearray.fromhex((pair.client.association.open(), pair.client.sent())[1][0])
    octets[-1] ^= 1
    answer = decode(bytes.fromhex(pair.server(bytes(octets).hex())))
    assert answer.user_information == bytes.fromhex("0E010006")
    assert STOC not in answer.user_information


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_server_that_has_no_counter_left_says_so_and_gives_nothing_in_clear(left):
    pair = Pair(counter=0xFFFFFFFF - left)
    if not left:
        with pytest.raises(AssociationRefused, match="other-reason"):
            pair.open()
        assert pair.line[-1].hex() == "d80103"
        assert pair.server.association.state is State.IDLE
        return
    pair.open()
    for _ in range(left - 1):
        pair.get()
    with pytest.raises(ExceptionResponseError):
        pair.get()
    assert pair.line[-1].hex() == "d80103"


def under_the_group_key(apdu: str) -> bytes:
    """Return what another meter of the group can make, in the name of the head-end."""
    other = protection(HEAD_END, METER, counter=5000, side=Side.CLIENT)
    return other.protect(bytes.fromhex(apdu), SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),)))


def aarq_with(user_information: bytes) -> bytes:
    return encode(
        AARQ(
            application_context_name=ApplicationContext.LN_CIPHERED,
            calling_ap_title=HEAD_END,
            user_information=user_information,
        )
    )


@pytest.mark.parametrize("dedicated", ["00", "0110" + "AB" * 16])
def test_the_group_key_opens_no_association(dedicated):
    pair = Pair()
    forged = under_the_group_key(f"01{dedicated}000006 5F1F0400 001E1D FFFF")
    answer = pair.server(aarq_with(forged).hex())
    assert decode(bytes.fromhex(answer)).result is AssociationResult.REJECTED_PERMANENT
    assert pair.server.association.state is State.IDLE
    assert pair.server.application.of_kind(AuthenticationFailed) == [AuthenticationFailed(0, guessable=False)]
    pair.open()
    assert pair.get()


@pytest.mark.parametrize("lenient", [True, False])
def test_the_group_key_releases_no_association(lenient):
    pair = Pair(lenient_release=lenient)
    pair.open()
    forged = under_the_group_key("01000000065F1F0400001E1DFFFF")
    answer = pair.server(encode(RLRQ(user_information=forged)).hex())
    assert (answer is None) is not lenient, "who takes unprotected releases takes this one for that"
    assert (pair.server.association.state is State.ASSOCIATED) is not lenient
