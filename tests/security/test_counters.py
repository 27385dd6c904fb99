from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cosem.errors import CounterExhausted, ReplayError, SecurityError
from cosem.security.counters import (
    LARGEST_JUMP,
    LAST_COUNTER,
    CounterName,
    ReplayGuard,
    ReplayMode,
    VolatileCounter,
    VolatileCounterStore,
    is_near_the_end,
    reservation,
)
from cosem.security.key_material import Key

NAME = CounterName(b"k" * 16, b"MMM00001")


def test_a_counter_counts():
    counter = VolatileCounter(5)
    assert [counter.next() for _ in range(3)] == [5, 6, 7]
    counter.raise_to(3)
    assert counter.next() == 8
    counter.raise_to(100)
    assert counter.next() == 100


def test_a_counter_ends_and_never_wraps():
    counter = VolatileCounter(LAST_COUNTER)
    assert counter.next() == 0xFFFFFFFE
    for _ in range(3):
        with pytest.raises(CounterExhausted):
            counter.next()
    with pytest.raises(CounterExhausted):
        counter.raise_to(0xFFFFFFFF)


@pytest.mark.parametrize("value", [-1, 0x100000000])
def test_what_is_no_counter_is_refused(value):
    with pytest.raises(SecurityError, match="no invocation counter"):
        VolatileCounter().raise_to(value)
    with pytest.raises(SecurityError, match="no invocation counter"):
        VolatileCounterStore().reserve(NAME, 1, value)


def test_a_counter_may_go_on_at_the_last_number():
    counter = VolatileCounter()
    counter.raise_to(LAST_COUNTER)
    assert counter.next() == LAST_COUNTER
    assert list(VolatileCounterStore().reserve(NAME, 5, LAST_COUNTER)) == [LAST_COUNTER]


def test_a_reservation_has_one_number_at_least():
    assert reservation(5, 2) == (5, 7)
    assert reservation(0, 1) == (0, 1)
    assert reservation(5, 0) == (5, 6)
    assert reservation(5, 1, 9) == (9, 10)


def test_a_name_has_no_salt_unless_a_store_gives_one():
    key = Key(bytes(range(16)))
    assert CounterName.of(key, b"MMM00001") == CounterName(key.fingerprint(), b"MMM00001")
    assert CounterName.of(key, b"MMM00001", b"salt") == CounterName(key.fingerprint(b"salt"), b"MMM00001")


def test_a_store_reserves_each_value_once_and_only_up():
    store = VolatileCounterStore()
    assert store.reserve(NAME, 10) == range(10)
    assert store.reserve(NAME, 10, 5) == range(10, 20)
    assert store.reserve(NAME, 1, 50) == range(50, 51)
    assert store.peek(NAME) == 51
    assert store.reserve(NAME, 100, LAST_COUNTER - 1) == range(LAST_COUNTER - 1, LAST_COUNTER + 1)
    with pytest.raises(CounterExhausted):
        store.reserve(NAME, 1)


def test_a_name_tells_keys_apart_and_reveals_none():
    first, second = Key(bytes(range(16))), Key(bytes(range(1, 17)))
    names = {
        CounterName.of(key, title, salt)
        for key in (first, second)
        for title in (b"MMM00001", b"MMM00002")
        for salt in (b"", b"salt")
    }
    assert len(names) == 8
    assert all(first.octets[:4] not in name.key and len(name.key) == 16 for name in names)
    assert CounterName.of(Key(bytes(range(16))), b"MMM00001", b"salt") in names


def test_a_new_key_begins_at_zero_and_an_old_one_goes_on():
    store = VolatileCounterStore()
    old, new = (CounterName.of(Key(bytes([n]) * 16), b"MMM00001") for n in (1, 2))
    store.reserve(old, 100)
    assert store.reserve(new, 1) == range(1)
    assert store.reserve(old, 1) == range(100, 101)


def test_guard_in_strict_mode():
    guard = ReplayGuard(VolatileCounterStore(), NAME)
    for counter in (0, 1, 5, 1000):  # gaps are allowed, 0 may be the first
        guard.check(counter)
        guard.accept(counter)
    for counter in (0, 5, 999, 1000):
        with pytest.raises(ReplayError) as refused:
            guard.check(counter)
        assert (refused.value.received, refused.value.expected) == (counter, 1001)
        with pytest.raises(ReplayError):
            guard.accept(counter)
    assert guard.lowest_acceptable == 1001


def test_guard_does_not_move_before_the_message_is_verified():
    guard = ReplayGuard(VolatileCounterStore(), NAME)
    guard.check(LAST_COUNTER)
    assert guard.lowest_acceptable == 0


@pytest.mark.parametrize("mode", list(ReplayMode))
def test_nobody_may_use_the_last_number(mode):
    guard = ReplayGuard(VolatileCounterStore(), NAME, mode)
    with pytest.raises(ReplayError):
        guard.check(0xFFFFFFFF)
    with pytest.raises(ReplayError):
        guard.accept(0xFFFFFFFF)
    guard.check(LAST_COUNTER)
    guard.accept(LAST_COUNTER)


@pytest.mark.parametrize(("mode", "expected"), [("warn", [(3, 11), (10, 11)]), ("off", [])])
def test_guard_that_lets_pass(mode, expected):
    told = []
    guard = ReplayGuard(VolatileCounterStore(), NAME, mode, lambda *facts: told.append(facts))
    for counter in (10, 3, 10, 11):
        guard.check(counter)
        guard.accept(counter)
    assert told == expected
    assert guard.lowest_acceptable == 12  # up, never down


def test_guard_may_warn_nobody():
    guard = ReplayGuard(VolatileCounterStore(), NAME, ReplayMode.WARN)
    guard.accept(10)
    guard.check(10)


class Noting(VolatileCounterStore):
    def __init__(self):
        super().__init__()
        self.durable = []

    def accept(self, name, counter, *, durable=True):
        self.durable.append(durable)
        return super().accept(name, counter, durable=durable)


@pytest.mark.parametrize("every", [True, False])
def test_the_first_counter_of_a_guard_is_always_at_rest(every):
    store = Noting()
    for _ in range(2):
        guard = ReplayGuard(store, NAME, ReplayMode.OFF, every_message=every)
        for counter in range(3):
            guard.accept(counter)
    assert store.durable == 2 * [True, every, every]


def test_what_is_noted_is_at_rest_like_what_is_accepted():
    store = Noting()
    guard = ReplayGuard(store, NAME, every_message=False)
    guard.note(1)
    guard.accept(2)
    guard.note(3)
    assert store.durable == [True, True, False]


def test_a_new_counter_is_at_its_beginning():
    store = VolatileCounterStore()
    assert (store.salt, store.peek(NAME), store.lowest_acceptable(NAME)) == (b"", 0, 0)
    assert list(store.reserve(NAME, 2)) == [0, 1]
    assert store.accept(NAME, 0) is True
    assert store.accept(NAME, 0) is False


@given(st.lists(st.integers(0, 40), max_size=60))
def test_no_counter_is_taken_twice(counters):
    guard, taken = ReplayGuard(VolatileCounterStore(), NAME), []
    for counter in counters:
        try:
            guard.check(counter)
        except ReplayError:
            assert taken
            assert counter <= taken[-1]
        else:
            guard.accept(counter)
            taken.append(counter)
    assert taken == sorted(set(taken))


def test_a_counter_jumps_by_2_to_the_24_at_most():
    assert LARGEST_JUMP == 1 << 24


def test_the_end_is_told_in_time():
    assert not is_near_the_end(0)
    assert not is_near_the_end(0xEFFFFFFF)
    assert is_near_the_end(0xF0000000)


def test_errors_pickle():
    error = pickle.loads(pickle.dumps(ReplayError(1, 2)))
    assert (error.received, error.expected) == (1, 2)


class Sending(RuleBasedStateMachine):
    """Whatever is done with a store, no value is given twice."""

    def __init__(self):
        super().__init__()
        self.store = VolatileCounterStore()
        self.given: set[int] = set()
        self.last = -1

    @rule(count=st.integers(0, 50), least=st.integers(0, 2000))
    def reserve(self, count, least):
        values = self.store.reserve(NAME, count, least)
        assert len(values) >= 1
        assert not self.given & set(values)
        self.given |= set(values)

    @invariant()
    def goes_up(self):
        assert self.store.peek(NAME) >= self.last
        assert all(value < self.store.peek(NAME) for value in self.given)
        self.last = self.store.peek(NAME)


TestSending = Sending.TestCase


def test_the_counter_of_a_store_takes_one_value_at_a_time():
    store = VolatileCounterStore()
    counter = store.counter(NAME)
    assert [counter.next(), store.counter(NAME).next()] == [0, 1]
    counter.raise_to(1)
    assert counter.next() == 2
    counter.raise_to(3)
    assert counter.next() == 3
    counter.raise_to(100)
    assert (store.peek(NAME), counter.next()) == (100, 100)
    with pytest.raises(CounterExhausted):
        counter.raise_to(0xFFFFFFFF)
    with pytest.raises(SecurityError):
        counter.raise_to(-1)


def test_what_is_fresh_for_another_reason_moves_the_guard_up_and_never_down():
    store = Noting()
    guard = ReplayGuard(store, NAME)
    for counter, lowest in ((5, 6), (3, 6), (9, 10), (0xFFFFFFFF, 0xFFFFFFFF)):
        guard.note(counter)
        assert guard.lowest_acceptable == lowest
    assert store.durable == [True] * 4


def test_a_guard_keeps_every_message_at_rest_unless_told_otherwise():
    store = Noting()
    guard = ReplayGuard(store, NAME)
    for counter in range(3):
        guard.accept(counter)
    assert store.durable == [True] * 3
