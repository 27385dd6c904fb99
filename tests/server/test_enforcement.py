"""What policy and access rights demand is checked on every request, item by item, and on every answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.action import ActionRequestNormal, ActionRequestWithList
from cosem.apdu.common import (
    CosemAttributeDescriptor,
    CosemAttributeDescriptorWithSelection,
    CosemMethodDescriptor,
)
from cosem.apdu.get import GetRequestNext, GetRequestNormal, GetRequestWithList
from cosem.apdu.set import SetRequestNormal, SetRequestWithList
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.association.server.indications import DecipheringFailed
from cosem.security.context import SecurityContext
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounter, VolatileCounterStore
from cosem.security.material import material_of
from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1
from cosem.security.protection import Protection
from cosem.security.status import KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.security.suites import SecuritySuite
from cosem.server import (
    AccessMode,
    AccessRights,
    DataObject,
    HeldSecurity,
    LogicalDevice,
    RegisterObject,
    secured_profile,
)
from cosem.types.data import DoubleLongUnsigned, Integer, OctetString
from cosem.types.enumerations import ActionResult, AuthenticationMechanism, Conformance, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority
from cosem.types.logical_name import LogicalName
from tests.client.secured import pairs
from tests.server.driver import aarq, process

OF_CLIENT, OF_METER = pairs(SecuritySuite(1))
NAME, FREE = LogicalName("1.0.1.8.0.255"), LogicalName("0.0.96.1.0.255")
VALUE = DoubleLongUnsigned(7)
ID = InvokeIdAndPriority.build(1, confirmed=True, high_priority=False)
A, E, S = 1, 2, 4
_TAG = SecurityOptions((LayerOptions(ProtectionForm.SERVICE_SPECIFIC, authenticated=True, encrypted=False),))
_BOTH = SecurityOptions((LayerOptions(ProtectionForm.SERVICE_SPECIFIC),))
_SIGNED = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_SIGNING, KeyUsed.SIGNING),))
_ALL = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_GLO), *_SIGNED.layers))
PROTECTIONS = {0: None, A: _TAG, A | E: _BOTH, S: _SIGNED, A | E | S: _ALL}


class Meter:
    """A meter and its client, without a network: a pre-established association, so that each request stands alone."""

    def __init__(self, policy=SecurityPolicyV1.NOTHING, rights=None, client_max_receive_pdu_size=0) -> None:
        self.held = HeldSecurity(OF_METER, policy=policy, counters=VolatileCounterStore())
        self.rights = rights or AccessRights.full()
        register = RegisterObject(NAME, value=VALUE, scaler_unit=(0, 30))
        self.device = LogicalDevice(
            "MMM12345678", objects=[register, DataObject(FREE, value=OctetString(bytes(300)))]
        )
        profile = secured_profile(
            AuthenticationMechanism.LOWEST, self.held, client_sap=1, pre_established=True,
            client_max_receive_pdu_size=client_max_receive_pdu_size, conformance=ALL_SERVICES_LN & ~Conformance.GENERAL_BLOCK_TRANSFER,
        )  # fmt: skip
        self.device.add_association(profile, self.rights)
        self.association = self.device.association(1)
        store = VolatileCounterStore()
        context = SecurityContext(
            material_of(OF_CLIENT),
            bytes(OF_CLIENT.client_title),
            bytes(OF_CLIENT.server_title),
            in_kind=False,
        )

        def guard(title):
            return ReplayGuard(store, CounterName(b"k", title))

        self.protection = Protection(context, VolatileCounter(), guard)

    def ask(self, request, kinds):
        """Return the answer, decoded, and what protected it."""
        octets = encode(request)
        options = PROTECTIONS[kinds]
        if options is not None:
            octets = self.protection.protect(octets, options)
        answer = process(self.device, self.association, octets)
        assert answer is not None
        if answer[0] in (0xC4, 0xC5, 0xC7, 0xD8):
            return decode(answer), 0
        clear, status = self.protection.unprotect(answer)
        return decode(clear), int(status.kinds)


def attribute(name=NAME, class_id=3, number=2):
    return CosemAttributeDescriptor(class_id, name, number)


def listed(*descriptors):
    return tuple(CosemAttributeDescriptorWithSelection(each) for each in descriptors)


RESET = CosemMethodDescriptor(3, NAME, 1)
REQUESTS = {
    "get": (GetRequestNormal(ID, attribute()), AccessMode.READ, lambda apdu: apdu.result),
    "get in a list": (GetRequestWithList(ID, listed(attribute(), attribute(FREE, 1, 1))), AccessMode.READ,
                      lambda apdu: apdu.result[0]),
    "set": (SetRequestNormal(ID, attribute(), None, VALUE), AccessMode.WRITE, lambda apdu: apdu.result),
    "set in a list": (SetRequestWithList(ID, listed(attribute(), attribute()), (VALUE, VALUE)), AccessMode.WRITE,
                      lambda apdu: apdu.result[0]),
    "action": (ActionRequestNormal(ID, RESET, Integer(0)), AccessMode.READ, lambda apdu: apdu.single_response.result),
    "action in a list": (ActionRequestWithList(ID, (RESET, RESET), (Integer(0), Integer(0))), AccessMode.READ,
                         lambda apdu: apdu.list_of_responses[0].result),
}  # fmt: skip


@pytest.mark.parametrize("service", REQUESTS)
def test_every_bit_of_an_access_right(service):
    request, wanted, result_of = REQUESTS[service]
    meter = Meter()
    for mode, found in product(range(256), PROTECTIONS):
        meter.rights.allow(NAME, 2, AccessMode(mode)).allow_method(NAME, 1, AccessMode(mode))
        apdu, kinds = meter.ask(request, found)
        result = result_of(apdu)
        if not mode & wanted:
            assert result == DataAccessResult.READ_WRITE_DENIED, (mode, found)
        elif (mode >> 2 & 7) & ~found:
            assert result == DataAccessResult.SCOPE_OF_ACCESS_VIOLATED, (mode, found)
        else:
            assert result in (VALUE, DoubleLongUnsigned(0)) or result in (
                DataAccessResult.SUCCESS,
                ActionResult.SUCCESS,
            )
            assert not (found | mode >> 5) & 7 & ~kinds, (mode, found, kinds)
        assert not found & ~kinds


def test_one_item_too_little_protected_stops_no_other():
    meter = Meter()
    meter.rights.allow(NAME, 2, AccessMode(0x05))
    items = listed(attribute(FREE, 1, 1), attribute(), attribute(NAME, 3, 3))
    apdu, _ = meter.ask(GetRequestWithList(ID, items), 0)
    assert apdu.result[1] is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert apdu.result[0] == bytes(FREE)
    assert apdu.result[2] == (0, 30)


@pytest.mark.parametrize("policy", range(0, 256, 4))
def test_every_policy_of_version_1(policy):
    meter = Meter(SecurityPolicyV1(policy))
    for found in PROTECTIONS:
        apdu, kinds = meter.ask(GetRequestNormal(ID, attribute()), found)
        if (policy >> 2 & 7) & ~found:
            assert encode(apdu).hex() == "d80101"
        else:
            assert apdu.result == VALUE
            assert not (found | policy >> 5) & 7 & ~kinds


@pytest.mark.parametrize("policy", SecurityPolicyV0)
def test_every_policy_of_version_0(policy):
    meter = Meter(policy)
    for found in PROTECTIONS:
        apdu, kinds = meter.ask(GetRequestNormal(ID, attribute()), found)
        if int(policy) & ~found:
            assert encode(apdu).hex() == "d80101"
        else:
            assert not (found | int(policy)) & ~kinds


def test_what_cannot_be_protected_is_not_given():
    device = LogicalDevice("MMM12345678", objects=[RegisterObject(NAME, value=VALUE, scaler_unit=(0, 30))])
    rights = AccessRights.full().allow(NAME, 2, AccessMode(0x21))
    device.add_association(16, rights)
    association = device.association(16)
    process(device, association, aarq())
    answer = decode(process(device, association, encode(GetRequestNormal(ID, attribute()))))
    assert answer.result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


def test_blocks_of_an_answer_keep_its_protection():
    """The second block must not come in clear because it was asked for in clear."""
    meter = Meter(client_max_receive_pdu_size=160)
    meter.rights.allow(
        FREE, 2, AccessMode.READ | AccessMode.AUTHENTICATED_RESPONSE | AccessMode.ENCRYPTED_RESPONSE
    )
    request = GetRequestNormal(ID, attribute(FREE, 1))
    for found in PROTECTIONS:
        apdu, kinds = meter.ask(request, found)
        assert kinds & (A | E) == A | E
        assert not apdu.result.last_block
        for other in PROTECTIONS:
            if other != found:
                wrong, _ = meter.ask(GetRequestNext(ID, 1), other)
                assert wrong.result.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS
        apdu, kinds = meter.ask(GetRequestNext(ID, 1), found)
        assert kinds & (A | E) == A | E
        assert apdu.result.result


def test_a_request_in_blocks_is_as_protected_as_its_first():
    """Clear blocks of a stranger must not ride on the last, protected one."""
    from cosem.apdu.common import DataBlockSA
    from cosem.apdu.set import SetRequestWithDatablock, SetRequestWithFirstDatablock
    from cosem.codec.data import encode_data

    meter = Meter()
    meter.rights.allow(NAME, 2, AccessMode.WRITE | AccessMode.AUTHENTICATED_REQUEST)
    octets = encode_data(DoubleLongUnsigned(66))
    first = SetRequestWithFirstDatablock(ID, attribute(), None, DataBlockSA(False, 1, octets[:3]))
    last = SetRequestWithDatablock(ID, DataBlockSA(True, 2, octets[3:]))
    for one, other in product(PROTECTIONS, PROTECTIONS):
        meter.device[NAME].put("value", VALUE)
        meter.ask(first, one)
        apdu, _ = meter.ask(last, other)
        written = meter.device[NAME].stored(2) == 66
        assert written is (one == other and bool(one & A)), (one, other, apdu)


def test_a_policy_that_is_activated_holds_from_the_next_request_on():
    meter = Meter()
    request = GetRequestNormal(ID, attribute())
    assert meter.ask(request, 0)[0].result == VALUE
    meter.held.strengthen(0x6C)
    assert encode(meter.ask(request, 0)[0]).hex() == "d80101"
    assert meter.ask(request, A | E)[0].result == VALUE


def test_strangers_all_get_the_same_answer():
    """Whoever lacks a key learns nothing: wrong key, tag, layout, key set and counter look alike."""
    meter = Meter(SecurityPolicyV1(0x6C))
    meter.association.limits = replace(meter.association.limits, forgeries=10_000)
    good = meter.protection.protect(encode(GetRequestNormal(ID, attribute())), _BOTH)
    answers = set()
    for index in range(2, len(good)):
        for bit in range(8):
            octets = bytearray(good)
            octets[index] ^= 1 << bit
            answer = process(meter.device, meter.association, bytes(octets))
            if (index, bit) == (2, 6):  # says that it is for a group, and a group never answers
                assert answer is None
            else:
                answers.add(answer)
    assert answers <= {bytes.fromhex("D80105"), bytes.fromhex("D80101")}
    without_tag = {answer for answer in answers if answer == bytes.fromhex("D80101")}
    assert len(without_tag) <= 1  # the bit that says that there is a tag
    changed, other = bytearray(good), bytearray(good)
    changed[6] ^= 1  # the counter, higher
    other[-1] ^= 1  # the tag
    both = {process(meter.device, meter.association, octets) for octets in (bytes(changed), bytes(other))}
    assert both == {bytes.fromhex("D80105")}
    replayed = [process(meter.device, meter.association, good) for _ in range(2)]
    assert replayed[1][:3] == bytes.fromhex("D80106")  # only the genuine one may learn the counter


def test_forgeries_are_counted_and_no_longer_answered_and_never_lock_the_client_out():
    meter = Meter(SecurityPolicyV1(0x6C))
    told = []
    meter.device.listeners.append(lambda association, indication: told.append(indication))
    request = GetRequestNormal(ID, attribute())

    def forged():
        octets = bytearray(meter.protection.protect(encode(request), _BOTH))
        octets[-1] ^= 1
        return process(meter.device, meter.association, bytes(octets))

    for _ in range(2):
        assert [forged() for _ in range(20)] == [bytes.fromhex("D80105")] * 16 + [None] * 4
        assert meter.association.forgeries == 20
        assert meter.ask(request, A | E)[0].result == VALUE, "the client is served whatever a stranger does"
        assert meter.association.forgeries == 0
    failed = [each for each in told if isinstance(each, DecipheringFailed)]
    assert [each.count for each in failed] == [*range(1, 21)] * 2
    assert [each.ignored for each in failed] == [*[False] * 16, *[True] * 4] * 2
    assert {each.client_title for each in failed} == {bytes(OF_CLIENT.client_title)}
    assert meter.association.ignored == 8


def test_unknown_users_and_wrong_keys_look_alike():
    """An AARQ under a wrong key is answered alike whatever user it names; only who has the key learns which there are."""
    from cosem.association.client.association import ClientAssociation
    from cosem.association.client.parameters import AssociationParameters
    from cosem.client.security import Ciphered
    from tests.client.secured import KEYS

    held = HeldSecurity(KEYS, counters=VolatileCounterStore())
    device = LogicalDevice("MMM12345678")
    profile = secured_profile(
        AuthenticationMechanism.LOWEST, held, client_sap=1, users=lambda: frozenset({5})
    )
    device.add_association(profile)
    told = []
    device.listeners.append(lambda association, indication: told.append(type(indication).__name__))

    def answer(keys, user):
        prepared = Ciphered(keys, counters=VolatileCounterStore()).prepare(
            AssociationParameters(client_sap=1, calling_ae_invocation_identifier=user)
        )
        client = ClientAssociation(prepared.parameters, protection=prepared.protection)
        client.open()
        return process(device, device.association(1), client.next_outgoing().octets)

    wrong = replace(KEYS, encryption=KEYS.broadcast, broadcast=None)
    assert (
        answer(wrong, 5)
        == answer(wrong, 6)
        == answer(replace(KEYS, authentication=KEYS.broadcast, broadcast=None), 7)
    )
    assert told.count("AuthenticationFailed") == 3
    assert answer(KEYS, 6) != answer(wrong, 6)


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("ciphered", [True, False])
def test_a_wrong_title_is_refused_like_a_wrong_key_and_counted(pinned, ciphered):
    from cosem.apdu.acse import AARE, AARQ, AUTHENTICATION
    from cosem.types.enumerations import ApplicationContext

    own = OF_METER.server_title
    keys = OF_METER if pinned else replace(OF_METER, client_title=None)
    held = HeldSecurity(keys, counters=VolatileCounterStore())
    device = LogicalDevice("MMM12345678")
    device.add_association(
        secured_profile(AuthenticationMechanism.HLS_GMAC, held, client_sap=1, ciphered=ciphered)
    )
    told = []
    device.listeners.append(lambda association, indication: told.append(type(indication).__name__))

    def answer(title, mechanism=AuthenticationMechanism.HLS_GMAC):
        information = bytes.fromhex("211F3000000001") + b"x" * 26
        if not ciphered:
            information = bytes.fromhex("01000000065F1F0400007E1F04B0")
        request = AARQ(
            application_context_name=ApplicationContext.LN_CIPHERED if ciphered else ApplicationContext.LN,
            calling_ap_title=bytes(title),
            sender_acse_requirements=AUTHENTICATION,
            mechanism_name=mechanism,
            calling_authentication_value=b"12345678abcdefgh",
            user_information=information,
        )
        return process(device, device.association(1), encode(request))

    answers = {answer(own)}
    if pinned:
        answers.add(answer(b"MMM\0\0\0\0\2"))
    attempts = 1 + pinned
    if ciphered:
        answers.add(answer(OF_CLIENT.client_title))
        attempts += 1
    assert len(answers) == 1  # a wrong key, the title of the server, and that of nobody
    refusal = decode(answers.pop())
    assert isinstance(refusal, AARE)
    assert refusal.result == 1
    assert told.count("AuthenticationFailed") == attempts
    if pinned:
        digest = AuthenticationMechanism.HLS_SHA256
        right, wrong = (answer(title, digest) for title in (OF_CLIENT.client_title, b"MMM\0\0\0\0\2"))
        assert (right == wrong) is ciphered


def test_what_a_pre_established_association_executed_is_not_executed_again_after_a_crash(tmp_path):
    from cosem.store.sqlite_counters import SqliteCounterStore

    store = VolatileCounterStore()
    context = SecurityContext(
        material_of(OF_CLIENT), bytes(OF_CLIENT.client_title), bytes(OF_CLIENT.server_title)
    )
    client = Protection(
        context, VolatileCounter(5), lambda title: ReplayGuard(store, CounterName(b"k", title))
    )

    def started():
        held = HeldSecurity(OF_METER, counters=SqliteCounterStore(tmp_path / "counters"))
        device = LogicalDevice("MMM12345678", objects=[DataObject(FREE, value=OctetString(b"first"))])
        device.add_association(
            secured_profile(AuthenticationMechanism.LOWEST, held, client_sap=1, pre_established=True),
            AccessRights.full(),
        )
        return device, device.association(1)

    meter = started()
    requests = [
        SetRequestNormal(ID, attribute(FREE, 1), None, OctetString(f"SET{number}".encode()))
        for number in range(4)
    ]
    recorded = [client.protect(encode(request), _BOTH) for request in requests]
    for octets in recorded:
        assert process(*meter, octets)[:1] == b"\xcd"
    assert meter[0][FREE].stored(2) == b"SET3"
    again = started()  # nothing was closed
    for octets in recorded:
        assert process(*again, octets)[:3] == bytes.fromhex("D80106")
    assert again[0][FREE].stored(2) == b"first"


class _Counting:
    """Counts what is unprotected, in whose name."""

    def __init__(self, protection, title, told) -> None:
        self._protection, self._title, self._told = protection, title, told

    def unprotect(self, apdu):
        try:
            clear = self._protection.unprotect(apdu)
        except Exception as error:
            self._told.append((self._title, type(error)))
            raise
        self._told.append((self._title, None))
        return clear

    def __getattr__(self, name):
        return getattr(self._protection, name)


def test_a_wrong_title_costs_one_deciphering_as_a_wrong_key_does():
    from cosem.apdu.acse import AARQ
    from cosem.association.client.association import ClientAssociation
    from cosem.association.client.parameters import AssociationParameters
    from cosem.client.security import Ciphered
    from cosem.errors import VerificationError

    held = HeldSecurity(OF_METER, counters=VolatileCounterStore())
    profile = secured_profile(AuthenticationMechanism.LOWEST, held, client_sap=1)
    done = []
    counting = replace(profile, protection=lambda title: _Counting(profile.protection(title), title, done))
    device = LogicalDevice("MMM12345678")
    device.add_association(counting)
    client, stranger = bytes(OF_CLIENT.client_title), b"MMM\0\0\0\0\2"
    store = VolatileCounterStore()

    def request(keys):
        prepared = Ciphered(keys, counters=store).prepare(AssociationParameters(client_sap=1))
        made = ClientAssociation(prepared.parameters, protection=prepared.protection)
        made.open()
        return decode(made.next_outgoing().octets)

    wrong = request(replace(OF_CLIENT, encryption=OF_CLIENT.master, master=None))
    right = request(OF_CLIENT)
    answers = []
    for aarq_, title in ((wrong, client), (wrong, stranger), (right, stranger), (request(OF_CLIENT), client)):
        assert isinstance(aarq_, AARQ)
        octets = encode(replace(aarq_, calling_ap_title=title))
        answers.append(decode(process(device, device.association(1), octets)))
    assert answers[0] == answers[1] == answers[2] != answers[3]
    assert answers[3].result == 0
    failed = (client, VerificationError)
    assert done == [failed, failed, (client, None), (client, None)]
    assert held.titles_heard == {client}
