from __future__ import annotations

import pytest

from cosem.errors import KeyMissingError
from cosem.security.counters import VolatileCounterStore
from cosem.security.key_material import KeyRole
from cosem.security.keys import Keys
from cosem.store.counted_keys import CountedKeys

CLIENT, SERVER = b"MMM00001", b"MMM00002"
KEYS = Keys.parse(guek=bytes(range(7, 23)), gbek=bytes(range(9, 25)))
BROADCAST = KeyRole.GLOBAL_BROADCAST_ENCRYPTION


class Noting(VolatileCounterStore):
    def __init__(self):
        super().__init__()
        self.durable = []

    def accept(self, name, counter, *, durable=True):
        self.durable.append(durable)
        return super().accept(name, counter, durable=durable)


@pytest.mark.parametrize(
    ("role", "facts", "durable"),
    [
        (KeyRole.GLOBAL_UNICAST_ENCRYPTION, {}, [True, True]),
        (KeyRole.GLOBAL_UNICAST_ENCRYPTION, {"every_message": False}, [True, False]),
        (
            BROADCAST,
            {"every_message": False},
            [True, True],
        ),  # no association begins with a message of its own
    ],
)
def test_what_is_at_rest_before_a_message_is_used(role, facts, durable):
    store = Noting()
    guard = CountedKeys(KEYS, CLIENT, store, **facts).guard(role)(SERVER)
    guard.accept(0)
    guard.accept(1)
    assert store.durable == durable


def test_each_key_and_each_sender_has_a_counter_of_its_own():
    counted = CountedKeys(KEYS, CLIENT, VolatileCounterStore())
    assert [counted.counter().next(), counted.counter().next(), counted.counter(BROADCAST).next()] == [
        0,
        1,
        0,
    ]
    counted.guard()(SERVER).accept(5)
    assert counted.guard()(SERVER).lowest_acceptable == 6
    assert counted.guard()(CLIENT).lowest_acceptable == 0
    assert counted.guard(BROADCAST)(SERVER).lowest_acceptable == 0


def test_a_counter_used_before_is_told_where_it_is_taken(caplog):
    guard = CountedKeys(KEYS, CLIENT, VolatileCounterStore(), "warn").guard()(SERVER)
    guard.accept(5)
    guard.check(5)
    assert caplog.messages == [
        "invocation counter 5 of 4D4D4D3030303032 was used before: 6 or more was expected"
    ]


def test_a_missing_key_is_told_before_the_first_message():
    with pytest.raises(KeyMissingError, match="guek"):
        CountedKeys(Keys(), CLIENT, VolatileCounterStore()).guard()
