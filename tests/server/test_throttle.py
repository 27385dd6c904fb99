"""Guessing costs time, in doubling steps up to a bound, for the guesser alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cosem.server.throttle import Throttle


def test_the_first_guesses_are_free_and_then_the_delay_doubles_up_to_its_bound():
    throttle = Throttle(2, 1.0, 5.0)
    delays = []
    for _ in range(7):
        throttle.failed("mallory", 0.0)
        delays.append(
            next((step / 2 for step in range(20) if not throttle.blocked("mallory", step / 2)), None)
        )
    assert delays == [0, 0, 1, 2, 4, 5, 5]


def test_success_and_others_are_free():
    throttle = Throttle(0, 10.0, 10.0)
    throttle.failed("mallory", 0.0)
    assert throttle.blocked("mallory", 9.9)
    assert not throttle.blocked("alice", 0.0)
    throttle.succeeded("mallory")
    assert not throttle.blocked("mallory", 0.0)


@given(st.lists(st.integers(0, 10_000), max_size=50))
def test_it_remembers_a_bounded_number_of_guessers(more):
    throttle = Throttle(0, 1.0, 1.0)
    for number in (*range(5000), *more):
        throttle.failed(number, 0.0)
    assert len(throttle) == 4096
    assert throttle.blocked((more or [4999])[-1], 0.5)


def test_any_number_of_guesses_is_counted():
    throttle = Throttle(0, 1.0, 300.0)
    for _ in range(5000):
        throttle.failed("mallory", 0.0)
    assert throttle.blocked("mallory", 299.0)
    assert not throttle.blocked("mallory", 300.0)
