"""What outlives an association: nothing recorded in one is taken in the next, and no nonce comes twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosem.errors import CosemError, CounterJumpError, PolicyError, ReplayError, VerificationError
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import LARGEST_JUMP, CounterName, ReplayGuard, ReplayMode, VolatileCounterStore
from cosem.security.keys import Keys
from cosem.security.policy import SecurityPolicyV1
from cosem.security.protection import Protection
from cosem.security.status import GeneralHeader, KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.store.counted_keys import CountedKeys
from tests.security.protecting import GET, GET_ANSWER, HEAD_END, MASTER, METER, SUITE_1, THIRD, material

F, K = ProtectionForm, KeyUsed
SIGNED = LayerOptions(F.GENERAL_SIGNING, K.SIGNING)
COMING = [LayerOptions(F.GENERAL_CIPHERING, key) for key in (K.WRAPPED, K.ONE_PASS, K.STATIC_UNIFIED)]
ALONE = [*COMING, SIGNED]
NAMES = ["wrapped", "one-pass", "static-unified", "signed"]


def keys(guek: int = 1) -> Keys:
    return Keys.parse(suite=1, guek=bytes((guek,)) * 15 + b"k", kek=MASTER)


class Side1:
    """One side whose counters outlive its associations."""

    def __init__(self, own: bytes, peer: bytes, **facts: object) -> None:
        self.own, self.peer = own, peer
        self.store = VolatileCounterStore(own)
        self.facts = facts
        self.keys = keys()

    def association(self, **context: object) -> Protection:
        side = Side.CLIENT if self.own == HEAD_END else Side.SERVER
        counted = CountedKeys(self.keys, self.own, self.store, **self.facts)
        given = {"in_kind": False} | context
        made = material(SUITE_1, self.own, unicast=self.keys.gcm_key())
        return counted.protection(SecurityContext(made, self.own, self.peer, side, **given))


@pytest.fixture
def client() -> Side1:
    return Side1(HEAD_END, METER)


@pytest.fixture
def server() -> Side1:
    return Side1(METER, HEAD_END)


def options(*layers: LayerOptions) -> SecurityOptions:
    return SecurityOptions(layers)


@pytest.mark.parametrize("layer", ALONE, ids=NAMES)
def test_what_was_recorded_in_one_association_is_refused_in_the_next(client, server, layer):
    sent = client.association().protect(GET, options(layer))
    assert server.association().unprotect(sent)[0] == GET
    with pytest.raises((ReplayError, VerificationError)):
        server.association().unprotect(sent)
    assert server.association().unprotect(client.association().protect(GET, options(layer)))[0] == GET


@pytest.mark.parametrize("layer", ALONE, ids=NAMES)
def test_what_was_never_delivered_is_refused_after_a_later_one(client, server, layer):
    held_back = client.association().protect(GET, options(layer))
    server.association().unprotect(client.association().protect(GET, options(layer)))
    with pytest.raises((ReplayError, VerificationError)):
        server.association().unprotect(held_back)


@pytest.mark.parametrize("layer", ALONE, ids=NAMES)
def test_a_change_of_the_global_key_makes_nothing_acceptable_again(client, server, layer):
    sent = client.association().protect(GET, options(layer))
    server.association().unprotect(sent)
    for end in (client, server):
        end.keys = keys(2)
    with pytest.raises(CosemError):
        server.association().unprotect(sent)
    assert server.association().unprotect(client.association().protect(GET, options(layer)))[0] == GET


@pytest.mark.parametrize("layer", ALONE, ids=NAMES)
def test_answers_are_taken_once_too(client, server, layer):
    first, meter = client.association(), server.association()
    answer = meter.protect(GET_ANSWER, meter.unprotect(first.protect(GET, options(layer)))[1])
    assert first.unprotect(answer)[0] == GET_ANSWER
    for receiver in (first, client.association()):
        with pytest.raises((ReplayError, VerificationError)):
            receiver.unprotect(answer)


def test_answers_to_signed_requests_may_come_in_any_order(client, server):
    head_end, meter = client.association(), server.association()
    requests = [head_end.protect(GET, options(SIGNED)) for _ in range(3)]
    answers = [meter.protect(GET_ANSWER, meter.unprotect(each)[1]) for each in requests]
    for answer in reversed(answers):
        assert head_end.unprotect(answer)[0] == GET_ANSWER
    for answer in answers:
        with pytest.raises(VerificationError, match="before"):
            head_end.unprotect(answer)


def test_what_a_server_sends_by_itself_comes_between_its_answers(client, server):
    head_end, meter = client.association(), server.association()
    for _ in range(3):
        answer = meter.protect(GET_ANSWER, meter.unprotect(head_end.protect(GET, options(SIGNED)))[1])
        assert head_end.unprotect(answer)[0] == GET_ANSWER
        pushed = meter.protect(GET_ANSWER, options(SIGNED))
        assert head_end.unprotect(pushed)[0] == GET_ANSWER
    with pytest.raises(VerificationError, match="before"):
        client.association().unprotect(pushed)


@pytest.mark.parametrize("octets", [b"", bytes(9)])
def test_a_signature_that_cannot_be_told_from_its_repetition_is_refused(client, server, octets):
    layer = replace(SIGNED, header=GeneralHeader(octets))
    sent = client.association().protect(GET, options(layer))
    if octets:
        with pytest.raises(VerificationError, match="9 octets"):
            server.association().unprotect(sent)
    else:
        assert server.association().unprotect(sent)[0] == GET, "what is empty is filled in"


def test_the_last_transaction_id_ends_the_series(client, server):
    for number, taken in ((1 << 62, True), ((1 << 63) - 2, True), ((1 << 63) - 1, False)):
        layer = replace(SIGNED, header=GeneralHeader(number.to_bytes(8, "big")))
        sent = client.association().protect(GET, options(layer))
        if taken:
            assert server.association().unprotect(sent)[0] == GET
        else:
            with pytest.raises(VerificationError):
                server.association().unprotect(sent)


@pytest.mark.parametrize("order", [(SIGNED, LayerOptions()), (LayerOptions(F.GENERAL_GLO), SIGNED)])
def test_a_counter_tells_what_a_signature_beside_it_need_not(client, server, order):
    """A transaction-id that comes again is no repetition where a counter goes on."""
    layers = tuple(
        replace(each, header=GeneralHeader(b"\1")) if each.form is F.GENERAL_SIGNING else each
        for each in order
    )
    for _ in range(2):
        sent = client.association().protect(GET, options(*layers))
        assert server.association().unprotect(sent)[0] == GET
        with pytest.raises(CosemError):
            server.association().unprotect(sent)


@pytest.mark.parametrize("layer", ALONE, ids=NAMES)
def test_who_asks_for_it_has_each_association_begin_anew(client, server, layer):
    sent = client.association().protect(GET, options(layer))
    for _ in range(2):
        receiver = server.association(across_associations=False)
        assert receiver.unprotect(sent)[0] == GET
        with pytest.raises((ReplayError, VerificationError)):
            receiver.unprotect(sent)


@pytest.mark.parametrize("layer", ALONE, ids=NAMES)
def test_a_guard_that_is_off_takes_what_came_before(client, layer):
    server = Side1(METER, HEAD_END, mode=ReplayMode.OFF)
    sent = client.association().protect(GET, options(layer))
    for _ in range(2):
        assert server.association().unprotect(sent)[0] == GET


# --- nonces ------------------------------------------------------------------------------------------


def counter_of(octets: bytes) -> int:
    """Return the counter in ded-get-response, or in a general-ciphering as it ends here."""
    content = octets[2:] if octets[0] in (0xD0, 0xD4, 0xC8, 0xCC) else octets[-(len(GET_ANSWER) + 17) :]
    return int.from_bytes(content[1:5], "big")


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_dedicated_key_that_comes_again_meets_no_nonce_twice(side, request):
    end: Side1 = request.getfixturevalue(side)
    seen = []
    for guek in (1, 1, 2, 1):
        end.keys = keys(guek)
        association = end.association()
        association.hold_dedicated_key(MASTER)
        association.activate_dedicated_key()
        seen += [counter_of(association.protect(GET_ANSWER)) for _ in range(3)]
    assert len(set(seen)) == len(seen)
    assert sorted(seen) == seen


@pytest.mark.parametrize("layer", COMING, ids=NAMES[:3])
def test_a_message_key_that_comes_again_meets_no_nonce_twice(server, layer):
    seen = []
    for guek in (1, 2, 1):
        server.keys = keys(guek)
        seen += [counter_of(server.association().protect(GET_ANSWER, options(layer))) for _ in range(2)]
    assert len(set(seen)) == len(seen)


def test_the_global_key_keeps_its_own_counter(client):
    """Numbers of other keys must never be used under it, or one could come twice."""
    association = client.association()
    association.protect(GET, options(COMING[0]))
    established = LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED)
    association.protect(GET, options(established))
    assert counter_of(association.protect(GET, options(LayerOptions()))) == 0
    fresh = client.association().protect(GET_ANSWER, options(established))
    assert counter_of(fresh) == 1, "no key was established: it is the global one"


# --- third parties, groups, jumps --------------------------------------------------------------------


def signed_by_third(client: Side1) -> bytes:
    other = Side1(THIRD, METER)
    third = material(SUITE_1, METER)
    made = CountedKeys(keys(), THIRD, other.store).protection(
        SecurityContext(third, THIRD, METER, Side.CLIENT, in_kind=False)
    )
    return made.protect(GET, options(SIGNED))


def test_the_signature_of_a_third_party_is_none_of_the_client(client, server):
    inner = signed_by_third(client)
    around = client.association().protect(inner, options(LayerOptions(F.GENERAL_GLO)))
    known = {THIRD: material(SUITE_1, METER).signing_keys[METER]}

    def receiver(policy: SecurityPolicyV1) -> Protection:
        counted = CountedKeys(server.keys, METER, server.store)
        made = material(SUITE_1, METER, unicast=server.keys.gcm_key())
        made = replace(made, signing_keys={**made.signing_keys, **known})
        return counted.protection(SecurityContext(made, METER, HEAD_END, Side.SERVER, policy))

    demanding = SecurityPolicyV1.DIGITALLY_SIGNED_REQUEST
    with pytest.raises(PolicyError, match="signed"):
        receiver(demanding).unprotect(around)
    again = client.association().protect(signed_by_third(client), options(LayerOptions(F.GENERAL_GLO)))
    # It is taken where nobody demands a signature, and says whose it is.
    server.store = VolatileCounterStore()
    clear, status = receiver(SecurityPolicyV1.NOTHING).unprotect(again)
    assert clear == GET
    assert (status.signed, status.originator, status.system_title) == (False, THIRD, HEAD_END)
    mine = client.association().protect(GET, options(LayerOptions(F.GENERAL_GLO), SIGNED))
    assert receiver(demanding).unprotect(mine)[1].signed


def test_a_group_key_can_be_refused_altogether(client, server):
    group = options(LayerOptions(key=K.GLOBAL_BROADCAST))

    def association(side: Side1, **context: object) -> Protection:
        whole = Keys.parse(suite=1, guek=b"\1" * 15 + b"k", gbek=b"\2" * 15 + b"b")
        place = Side.CLIENT if side is client else Side.SERVER
        made = material(SUITE_1, side.own)
        counted = CountedKeys(whole, side.own, side.store)
        return counted.protection(SecurityContext(made, side.own, side.peer, place, **context))

    assert association(server).unprotect(association(client).protect(GET, group))[1].broadcast
    with pytest.raises(PolicyError, match="broadcast"):
        association(server, broadcast=False).unprotect(association(client).protect(GET, group))


def guard(**facts: object) -> ReplayGuard:
    return ReplayGuard(VolatileCounterStore(), CounterName(b"k", METER), **facts)


def test_a_counter_jumps_so_far_and_no_further():
    held = guard()
    held.check(0xFFFFFFFE)  # nobody knows the sender yet
    held.accept(10)
    held.check(11 + LARGEST_JUMP)
    with pytest.raises(CounterJumpError, match="largest_jump") as caught:
        held.check(12 + LARGEST_JUMP)
    assert (caught.value.expected, caught.value.largest) == (11, LARGEST_JUMP)
    assert held.lowest_acceptable == 11


@pytest.mark.parametrize(
    ("facts", "taken"),
    [
        ({"largest_jump": None}, True),
        ({"largest_jump": 5}, False),
        ({"mode": "off"}, True),
        ({"mode": "warn"}, False),
    ],
)
def test_how_far_a_counter_may_jump_is_chosen(facts, taken):
    held = guard(**facts)
    held.accept(10)
    if taken:
        held.check(0xFFFFFFFE)
    else:
        with pytest.raises(CounterJumpError):
            held.check(0xFFFFFFFE)


def test_a_jump_leaves_the_association_usable(client, server):
    head_end, meter = client.association(), server.association()
    meter.unprotect(head_end.protect(GET))
    far = CountedKeys(client.keys, HEAD_END, VolatileCounterStore())
    far.counter().raise_to(0xFFFFFFF0)
    made = material(SUITE_1, HEAD_END, unicast=client.keys.gcm_key())
    glitch = far.protection(SecurityContext(made, HEAD_END, METER, Side.CLIENT)).protect(GET)
    with pytest.raises(CounterJumpError):
        meter.unprotect(glitch)
    assert meter.unprotect(head_end.protect(GET))[0] == GET


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize(
    ("facts", "again", "far"),
    [
        ({}, ReplayError, CounterJumpError),
        ({"mode": ReplayMode.WARN}, None, CounterJumpError),
        ({"mode": ReplayMode.OFF}, None, None),
        ({"largest_jump": None}, ReplayError, None),
    ],
)
def test_guards_within_an_association_are_as_strict_as_the_others(across, facts, again, far):
    store = VolatileCounterStore(HEAD_END)
    sender = CountedKeys(keys(), HEAD_END, store).protection(
        SecurityContext(material(SUITE_1, HEAD_END, unicast=keys().gcm_key()), HEAD_END, METER, in_kind=False)
    )
    receiver = Side1(METER, HEAD_END, **facts).association(across_associations=across)
    for end in (sender, receiver):
        end.hold_dedicated_key(bytes(range(16)))
        end.activate_dedicated_key()
    layer = options(LayerOptions(F.GENERAL_DED, K.DEDICATED))
    first = sender.protect(GET, layer)
    assert receiver.unprotect(first)[0] == GET
    store.counter(CounterName(b"keys of messages", HEAD_END)).raise_to(LARGEST_JUMP + 100)
    jumped = sender.protect(GET, layer)
    for sent, error in ((first, again), (jumped, far)):
        if error is None:
            assert receiver.unprotect(sent)[0] == GET
        else:
            with pytest.raises(error):
                receiver.unprotect(sent)
