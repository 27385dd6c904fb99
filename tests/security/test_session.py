"""What changes while an association lasts, what goes on with it under other keys, and what ends with it."""

from __future__ import annotations

import pytest

from cosem.errors import ConfigurationError, KeyMissingError, PolicyError, ReplayError, SecurityError
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import (
    CounterName,
    ReplayGuard,
    ReplayMode,
    VolatileCounter,
    VolatileCounterStore,
)
from cosem.security.gcm import AesGcmKey
from cosem.security.material import Interpretation, SignatureInput
from cosem.security.protection import Protection
from cosem.security.status import KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from tests.security.protecting import (
    AK,
    DEDICATED,
    EK,
    GBEK,
    GET,
    GET_ANSWER,
    HEAD_END,
    METER,
    SUITE_0,
    SUITE_1,
    SUITE_2,
    THIRD,
    guards,
    material,
    protection,
)

F, K = ProtectionForm, KeyUsed
WRAPPED = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),))
ESTABLISHED = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),))
BARE = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, authenticated=False, encrypted=False),))
NOTIFICATION = bytes.fromhex("0F00000001000600000001")
OF_UNICAST = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))
OF_DEDICATED = SecurityOptions((LayerOptions(key=K.DEDICATED),))


def client(peer=METER, **context) -> Protection:
    return protection(HEAD_END, peer, side=Side.CLIENT, counter=10, in_kind=False, **context)


def server(peer=HEAD_END, **context) -> Protection:
    return protection(METER, peer, side=Side.SERVER, counter=500, **context)


def with_dedicated(end: Protection, key: bytes = DEDICATED) -> Protection:
    end.hold_dedicated_key(key)
    end.activate_dedicated_key()
    return end


def counter_of(octets: bytes) -> int:
    return int.from_bytes(octets[3:7], "big")


def test_a_context_may_ask_for_what_it_allows():
    alone = SecurityOptions((LayerOptions(authenticated=False),))
    assert client(options=alone, encryption_only=True).options == alone
    assert client(options=BARE).options == BARE


@pytest.mark.parametrize(
    "changes",
    [{"system_title": METER[:7]}, {"peer_system_title": METER + b"\x00"}, {"most_layers": 0}],
)
def test_a_context_that_contradicts_itself_is_refused(changes):
    with pytest.raises(ConfigurationError):
        SecurityContext(**({"material": material(), "system_title": METER} | changes))
    assert SecurityContext(material(), METER, most_layers=1).most_layers == 1


def test_there_is_no_dedicated_key_before_one_is_active():
    end = client()
    for _ in range(2):
        with pytest.raises(KeyMissingError, match="no dedicated key is known"):
            end.protect(GET, OF_DEDICATED)
        end.activate_dedicated_key()
    end.hold_dedicated_key(DEDICATED)
    assert end.protect(GET)[0] == 0xC8
    end.activate_dedicated_key()
    assert end.protect(GET)[0] == 0xD0


def test_a_key_of_the_usual_protection_that_is_missing_says_so():
    with pytest.raises(KeyMissingError, match="no global unicast encryption key is known"):
        client(keys=material(unicast=None)).protect(GET)
    with pytest.raises(KeyMissingError, match="dedicated key has no counter"):
        client(keys=material().with_dedicated(DEDICATED)).protect(GET, OF_DEDICATED)


def test_what_is_remembered_of_one_service_is_not_used_for_another():
    end = server()
    for apdu, tag in ((GET, 0xC8), (GET_ANSWER + GET[:1], 0xCC), (GET + GET_ANSWER[:1], 0xC8)):
        assert end.protect(apdu)[0] == tag


def forbidden(*_):
    raise AssertionError("the long way was gone")


@pytest.mark.parametrize("suite", [SUITE_0, SUITE_1])
@pytest.mark.parametrize("options", [OF_DEDICATED, SecurityOptions()])
def test_the_second_message_of_a_kind_goes_the_short_way(monkeypatch, options, suite):
    sender, receiver = with_dedicated(client(suite=suite)), with_dedicated(server(suite=suite))
    for apdu in (GET, GET_ANSWER, NOTIFICATION):
        receiver.unprotect(sender.protect(apdu, options))
    monkeypatch.setattr("cosem.security.protection.read_envelope", forbidden)
    monkeypatch.setattr("cosem.security.protection.seal", forbidden)
    for apdu in (GET, GET_ANSWER, GET + GET_ANSWER, GET_ANSWER + GET, GET_ANSWER[:1], GET[:1]):
        clear, status = receiver.unprotect(sender.protect(apdu, options))
        assert (clear, status.verified, status.key) == (apdu, True, options.layers[0].key)
    monkeypatch.setattr(sender, "_prepare", forbidden)
    _, status = receiver.unprotect(sender.protect(GET, options))
    receiver.protect(GET_ANSWER, status)


@pytest.mark.parametrize("suite", [SUITE_0, SUITE_1])
def test_what_the_short_way_finds_is_what_the_long_way_finds(suite):
    sender, short = client(suite=suite), server(suite=suite)
    short.unprotect(sender.protect(GET))
    octets = sender.protect(GET)
    assert short.unprotect(octets) == server(suite=suite).unprotect(octets)
    with pytest.raises(ReplayError):
        short.unprotect(octets)
    assert short.unprotect(sender.protect(GET))[0] == GET


@pytest.mark.parametrize("suite", [SUITE_0, SUITE_1, SUITE_2])
@pytest.mark.parametrize("form", [F.SERVICE_SPECIFIC, F.GENERAL_GLO, F.GENERAL_CIPHERING])
def test_encryption_alone_has_to_be_asked_for_in_every_suite_and_form(suite, form):
    alone = SecurityOptions((LayerOptions(form, authenticated=False),))
    octets = client(suite=suite, encryption_only=True).protect(GET, alone)
    with pytest.raises(PolicyError, match="without an authentication tag"):
        server(suite=suite).unprotect(octets)
    clear, status = server(suite=suite, encryption_only=True).unprotect(octets)
    assert (clear, status.verified) == (GET, False)


def test_octets_behind_an_apdu_that_is_encrypted_alone_are_no_error():
    alone = SecurityOptions((LayerOptions(authenticated=False),))
    octets = client(encryption_only=True).protect(GET + b"\x00", alone)
    assert server(encryption_only=True).unprotect(octets)[0] == GET + b"\x00"


def test_a_guard_that_warns_is_told_of_messages_in_every_form():
    told = []
    store = VolatileCounterStore()

    def replay(title):
        return ReplayGuard(
            store, CounterName(b"k", title), ReplayMode.WARN, lambda *facts: told.append(facts)
        )

    end = Protection(SecurityContext(material(), METER, HEAD_END, Side.SERVER), VolatileCounter(), replay)
    octets = client().protect(GET, SecurityOptions((LayerOptions(F.GENERAL_GLO),)))
    for _ in range(2):
        assert end.unprotect(octets)[0] == GET
    assert told == [(10, 11)]


def test_an_answer_under_our_key_does_not_make_it_theirs():
    sender, receiver = client(), server()
    for _ in range(2):
        receiver.unprotect(sender.protect(GET, WRAPPED))
        assert sender.unprotect(receiver.protect(GET_ANSWER, ESTABLISHED))[0] == GET_ANSWER
    assert sender._session.established_by_peer == {}


def test_a_server_may_take_no_requests_under_the_broadcast_key():
    broadcast = SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),))
    end = server(broadcast=False)
    with pytest.raises(PolicyError, match="broadcast"):
        end.unprotect(client().protect(GET, broadcast))
    assert end.unprotect(client().protect(GET))[0] == GET
    assert server().unprotect(client().protect(GET, broadcast))[0] == GET
    assert client(broadcast=False).unprotect(server().protect(NOTIFICATION, broadcast))[0] == NOTIFICATION


@pytest.mark.parametrize(
    ("form", "key", "after"),
    [
        (F.SERVICE_SPECIFIC, K.GLOBAL_UNICAST, (F.SERVICE_SPECIFIC, K.DEDICATED)),
        (F.GENERAL_GLO, K.GLOBAL_UNICAST, (F.GENERAL_DED, K.DEDICATED)),
        (F.GENERAL_CIPHERING, K.GLOBAL_UNICAST, (F.GENERAL_CIPHERING, K.GLOBAL_UNICAST)),
        (F.SERVICE_SPECIFIC, K.GLOBAL_BROADCAST, (F.SERVICE_SPECIFIC, K.GLOBAL_BROADCAST)),
        (F.GENERAL_CIPHERING, K.WRAPPED, (F.GENERAL_CIPHERING, K.WRAPPED)),
    ],
)
def test_what_the_dedicated_key_takes_the_place_of(form, key, after):
    sender = with_dedicated(client(options=SecurityOptions((LayerOptions(form, key),))))
    assert sender.options == SecurityOptions((LayerOptions(*after),))
    assert with_dedicated(server()).unprotect(sender.protect(GET))[0] == GET


def test_the_first_deviation_is_the_error_of_who_is_strict():
    reading = Interpretation(signature_input=SignatureInput.CONTENT_WITH_LENGTH)
    signed = client(suite=SUITE_1, interpretation=reading).protect(
        GET, SecurityOptions((LayerOptions(F.GENERAL_SIGNING, K.SIGNING),))
    )
    nonce = bytes(3) + b"\x01"
    content = b"\x31" + nonce + material(SUITE_1).unicast.seal(0x31, HEAD_END + nonce, signed)
    octets = b"\xdb\x00\x82" + len(content).to_bytes(2, "big") + content
    assert len(server(suite=SUITE_1).unprotect(octets)[1].findings) == 2
    with pytest.raises(SecurityError, match="system-title-empty"):
        server(suite=SUITE_1, strict=True).unprotect(octets)


def test_nothing_at_all_may_be_protected_by_the_other_side():
    nonce = bytes(3) + b"\x01"
    content = b"\x30" + nonce + material().unicast.seal(0x30, HEAD_END + nonce, b"")
    clear, status = server().unprotect(b"\xdb\x08" + HEAD_END + bytes((len(content),)) + content)
    assert (clear, status.verified) == (b"", True)


def test_a_dedicated_key_of_another_length_is_none():
    with pytest.raises(ConfigurationError):
        client().hold_dedicated_key(DEDICATED * 2)


def test_the_dedicated_keys_of_a_client_go_on_where_they_were():
    end = with_dedicated(client())
    assert [counter_of(end.protect(GET)) for _ in range(2)] == [0, 1]
    assert counter_of(with_dedicated(end, AK).protect(GET)) == 0
    assert counter_of(with_dedicated(end).protect(GET)) == 2


def test_the_dedicated_keys_of_a_server_count_with_the_global_one():
    end = with_dedicated(server())
    assert counter_of(end.protect(GET_ANSWER)) == 500
    assert counter_of(with_dedicated(end, AK).protect(GET_ANSWER)) == 501


def test_titles_are_taken_over_where_none_is_known():
    assert server(None).follow(server(HEAD_END)).peer_title == HEAD_END
    assert server(HEAD_END).follow(server(None)).peer_title == HEAD_END
    assert server(HEAD_END).follow(server(THIRD)).peer_title == HEAD_END
    assert server(None).follow(server(None)).peer_title is None


def test_an_association_goes_on_under_other_global_keys_with_its_dedicated_key():
    former = with_dedicated(client())
    other = material(unicast=AesGcmKey(GBEK, EK))
    peer = with_dedicated(server())
    recorded = former.protect(GET)
    peer.unprotect(recorded)
    following, follower = client(keys=other).follow(former), server(keys=other).follow(peer)
    octets = following.protect(GET)
    assert (octets[0], counter_of(octets)) == (0xD0, 1)
    assert follower.unprotect(octets)[0] == GET
    answer = follower.protect(GET_ANSWER)
    assert (answer[0], counter_of(answer)) == (0xCC + 8, 500)
    assert following.unprotect(answer)[0] == GET_ANSWER
    with pytest.raises(SecurityError):
        follower.unprotect(recorded)
    under_both = other.with_dedicated(DEDICATED).dedicated
    assert under_both.open(0x30, HEAD_END + octets[3:7], octets[7:]) == GET


def test_dedicated_keys_that_come_again_after_a_change_go_on_where_they_were():
    former = with_dedicated(with_dedicated(client()), AK)
    assert counter_of(former.protect(GET)) == 0
    assert counter_of(with_dedicated(former).protect(GET)) == 0
    following = client().follow(former)
    assert counter_of(with_dedicated(following, AK).protect(GET)) == 1
    assert counter_of(with_dedicated(following).protect(GET)) == 1


def test_what_was_received_under_the_dedicated_key_is_refused_after_a_change_of_policy():
    peer = with_dedicated(server())
    recorded = with_dedicated(client()).protect(GET)
    peer.unprotect(recorded)
    with pytest.raises(ReplayError):
        server().follow(peer).unprotect(recorded)


def test_a_dedicated_key_that_waits_goes_over_to_who_follows():
    former = client()
    former.hold_dedicated_key(DEDICATED)
    following = client().follow(former)
    assert following.protect(GET)[0] == 0xC8
    following.activate_dedicated_key()
    assert following.protect(GET)[0] == 0xD0


def test_who_follows_without_a_dedicated_key_has_none():
    following = client().follow(client())
    assert following.options == SecurityOptions()
    assert following.protect(GET)[0] == 0xC8
    forgotten = with_dedicated(client())
    forgotten.forget()
    assert client().follow(forgotten).protect(GET)[0] == 0xC8


def test_what_belongs_to_an_association_ends_with_it():
    sender, receiver = with_dedicated(client()), with_dedicated(server())
    receiver.unprotect(sender.protect(GET, WRAPPED))
    usual = server().protect(GET_ANSWER, ESTABLISHED)
    sender.unprotect(receiver.protect(GET_ANSWER, ESTABLISHED))
    receiver.unprotect(sender.protect(GET))
    sender.hold_dedicated_key(AK)
    for end in (sender, receiver):
        end.forget()
        assert end.options == SecurityOptions()
        with pytest.raises(KeyMissingError):
            end.protect(GET, OF_DEDICATED)
    sender.activate_dedicated_key()
    assert sender.protect(GET)[0] == 0xC8
    assert sender._session.established_by_us == {}
    assert receiver._session.established_by_peer == {}
    # What names no key is under the global one again.
    assert sender.unprotect(usual)[0] == GET_ANSWER
    assert server().unprotect(sender.protect(GET, ESTABLISHED))[0] == GET


def test_guards_are_made_anew_for_the_next_association():
    asked = []
    store = VolatileCounterStore()

    def replay(title):
        asked.append(title)
        return ReplayGuard(store, CounterName(b"k", title))

    end = Protection(SecurityContext(material(), METER, HEAD_END, Side.SERVER), VolatileCounter(), replay)
    sender = client()
    for _ in range(2):
        end.unprotect(sender.protect(GET))
    end.unprotect(sender.protect(GET, ESTABLISHED))  # which is the global key, where none was brought
    end.unprotect(sender.protect(GET, OF_UNICAST))
    assert asked == [HEAD_END]
    end.forget()
    end.unprotect(sender.protect(GET))
    assert asked == [HEAD_END] * 2


def test_who_brought_no_key_answers_under_that_of_the_other():
    sender, receiver = client(), server()
    receiver.unprotect(sender.protect(GET, WRAPPED))
    answer = receiver.protect(GET_ANSWER, ESTABLISHED)
    assert sender.unprotect(answer)[0] == GET_ANSWER
    for _ in range(2):  # the first of the random keys of both is the same here
        receiver.protect(GET_ANSWER, WRAPPED)
    with pytest.raises(SecurityError):
        sender.unprotect(receiver.protect(GET_ANSWER, ESTABLISHED))


def test_there_is_no_replay_protection_of_the_broadcast_key_unless_it_is_given():
    end = Protection(SecurityContext(material(), METER, HEAD_END, Side.SERVER), VolatileCounter(), guards())
    octets = client().protect(GET, SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),)))
    with pytest.raises(SecurityError, match="broadcast key"):
        end.unprotect(octets)


@pytest.mark.parametrize(
    ("known", "title", "says"),
    [(None, METER[:7], "7 octets"), (None, METER, "own system title"), (HEAD_END, THIRD, "is known")],
)
def test_a_title_that_cannot_be_is_not_learnt(known, title, says):
    end = server(known)
    with pytest.raises(SecurityError, match=says):
        end.learn_peer_title(title)
    assert end.peer_title == known


def test_suite_1_has_dedicated_keys_too():
    sender, receiver = with_dedicated(client(suite=SUITE_1)), with_dedicated(server(suite=SUITE_1))
    assert receiver.unprotect(sender.protect(GET))[0] == GET
