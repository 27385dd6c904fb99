"""What changes while an association lasts, what goes on with it under other keys, and what ends with it."""

from __future__ import annotations

import pytest

from cosem.errors import ConfigurationError, KeyMissingError, ReplayError, SecurityError
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounter, VolatileCounterStore
from cosem.security.gcm import AesGcmKey
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
    SUITE_1,
    THIRD,
    guards,
    material,
    protection,
)

F, K = ProtectionForm, KeyUsed
WRAPPED = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),))
ESTABLISHED = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),))
BARE = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, authenticated=False, encrypted=False),))
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
