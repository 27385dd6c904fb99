from __future__ import annotations

import logging
import os
import sqlite3
import stat
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosem.errors import ConfigurationError, CounterExhausted, ReplayError, SecurityError
from cosem.security.counters import LAST_COUNTER, CounterName, ReplayGuard, VolatileCounterStore
from cosem.security.key_material import Key
from cosem.store.default_counters import default_counter_path
from cosem.store.reserved_counter import ReservedCounter
from cosem.store.sqlite_counters import SqliteCounterStore

NAME = CounterName(b"k" * 16, b"MMM00001")
OTHER = CounterName(b"k" * 16, b"MMM00002")


@pytest.fixture
def store(tmp_path):
    with SqliteCounterStore(tmp_path / "new directory" / "counters") as opened:
        yield opened


def again(store):
    """Return the same file as another process sees it."""
    return SqliteCounterStore(store.path)


def in_child(work):
    """Return what ``work`` returns in a forked process, as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, str(work()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text


def test_values_are_given_in_order_and_once(store):
    counter = store.counter(NAME)
    assert [counter.next() for _ in range(600)] == list(range(600))
    assert store.counter(NAME) is counter
    assert store.counter(OTHER).next() == 0


def test_after_a_restart_nothing_repeats(store):
    last = [store.counter(NAME).next() for _ in range(5)][-1]
    first = again(store).counter(NAME).next()
    assert first == 16  # what was reserved and not used is lost
    assert first > last


def test_few_values_are_reserved_at_first_and_more_later(store):
    counter, reserved = store.counter(NAME), []
    for _ in range(1000):
        counter.next()
        reserved.append(store.peek(NAME))
    assert sorted(set(reserved)) == [16, 48, 112, 240, 496, 1008]


def test_no_more_is_lost_than_was_used_and_never_more_than_a_step(store):
    counter, most = store.counter(NAME), 0
    for used in range(1, 33_000):
        counter.next()
        if used in (1, 2, 17, 49, 241, 4081, 8177, 16369, 24561, 32753):
            lost = store.peek(NAME) - used
            assert lost <= used + 16
            most = max(most, lost)
    assert most == 8191


def test_the_file_is_for_its_owner_alone(store):
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_may_write_is_told_of_once(tmp_path, caplog):
    path = tmp_path / "open"
    SqliteCounterStore(path).close()
    assert not caplog.records
    path.chmod(0o666)
    for _ in range(2):
        SqliteCounterStore(path).close()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "0666" in record.getMessage()
    assert str(path) in record.getMessage()


def test_every_file_has_its_own_salt(store, tmp_path):
    assert again(store).salt == store.salt
    assert len(store.salt) == 16
    with SqliteCounterStore(tmp_path / "another") as another:
        assert another.salt != store.salt


def test_raising(store):
    counter = store.counter(NAME)
    assert counter.next() == 0
    counter.raise_to(10)  # within what is reserved
    assert counter.next() == 10
    counter.raise_to(5)
    assert counter.next() == 11
    counter.raise_to(5000)
    assert counter.next() == 5000
    assert again(store).counter(NAME).next() > 5000
    with pytest.raises(CounterExhausted):
        counter.raise_to(0xFFFFFFFF)
    with pytest.raises(SecurityError):
        counter.raise_to(-1)


def test_raising_into_what_another_process_reserved(store):
    counter = store.counter(NAME)
    assert counter.next() == 0
    again(store).reserve(NAME, 1000)
    counter.raise_to(500)
    assert counter.next() == 1016


@given(
    st.lists(
        st.one_of(st.just("next"), st.integers(0, 300), st.just("other process"), st.just("restart")),
        max_size=60,
    )
)
def test_a_counter_goes_up_whatever_happens(steps):
    store = VolatileCounterStore()
    counter, given, floor = ReservedCounter(store, NAME, step=8), [], 0
    for step in steps:
        if step == "next":
            given.append(counter.next())
            assert given[-1] >= floor
        elif step == "other process":
            given += store.reserve(NAME, 3)
        elif step == "restart":
            counter = ReservedCounter(store, NAME, step=8)
        else:
            counter.raise_to(step)
            floor = max(floor, step)
    assert len(set(given)) == len(given)


def test_the_end(store, caplog):
    counter = store.counter(NAME)
    counter.raise_to(LAST_COUNTER - 1)
    with caplog.at_level(logging.WARNING):
        assert counter.next() == LAST_COUNTER - 1
        assert counter.next() == LAST_COUNTER
    for _ in range(2):
        with pytest.raises(CounterExhausted):
            counter.next()
    with pytest.raises(CounterExhausted):
        again(store).counter(NAME).next()


def test_the_coming_end_is_told_once(store, caplog):
    counter = store.counter(NAME)
    counter.raise_to(0xF0000000)
    for _ in range(3000):
        counter.next()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "change it" in caplog.text
    assert NAME.key.hex() not in caplog.text


def test_threads_share_a_counter(store):
    counter, given = store.counter(NAME), []
    barrier = threading.Barrier(8)

    def use():
        barrier.wait()
        given.extend([counter.next() for _ in range(400)])

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(3200))


def test_a_fork_uses_nothing_of_its_parent(store):
    counter = store.counter(NAME)
    mine = [counter.next() for _ in range(3)]
    theirs = [
        int(text) for text in in_child(lambda: " ".join(str(counter.next()) for _ in range(40))).split()
    ]
    mine += [counter.next() for _ in range(40)]
    assert len(theirs) == 40
    assert not set(mine) & set(theirs)


def test_a_fork_may_raise_receive_and_close(store):
    counter = store.counter(NAME)
    counter.next()

    def child():
        counter.raise_to(100)
        store.accept(NAME, 7)
        store.close()
        return f"{counter.next()} {store.lowest_acceptable(NAME)}"

    assert in_child(child) == "100 8"
    assert in_child(store.close) == "None"  # nothing of its own to close
    counter.raise_to(50)
    assert counter.next() > 100
    assert again(store).lowest_acceptable(NAME) == 8


def test_receiving(store):
    assert store.lowest_acceptable(NAME) == 0
    assert store.accept(NAME, 0)
    assert not store.accept(NAME, 0)
    assert store.accept(NAME, 10)
    assert not store.accept(NAME, 9)
    assert store.lowest_acceptable(NAME) == 11
    assert store.lowest_acceptable(OTHER) == 0
    assert again(store).lowest_acceptable(NAME) == 11


def test_two_processes_do_not_take_one_message_twice(store):
    other = again(store)
    assert other.lowest_acceptable(NAME) == 0
    assert store.accept(NAME, 10)
    assert not other.accept(NAME, 10)
    assert not other.accept(NAME, 3)
    assert other.lowest_acceptable(NAME) == 11
    assert other.accept(NAME, 11)
    other.close()


def test_receiving_may_lag_behind_and_catches_up(tmp_path):
    store = SqliteCounterStore(tmp_path / "counters", lag=10)
    watching = SqliteCounterStore(tmp_path / "counters")
    seen = []
    for counter in range(30):
        assert store.accept(NAME, counter, durable=False)
        assert not store.accept(NAME, counter, durable=False)
        assert not store.accept(NAME, counter)
        seen.append(watching.lowest_acceptable(NAME))
    assert sorted(set(seen)) == [1, 11, 21]
    assert store.lowest_acceptable(NAME) == 30
    store.flush()
    assert watching.lowest_acceptable(NAME) == 30
    assert store.accept(NAME, 30, durable=False)
    store.close()
    assert watching.lowest_acceptable(NAME) == 31
    watching.close()


def test_a_durable_counter_is_at_rest_at_once_after_others_that_were_not(tmp_path):
    store = SqliteCounterStore(tmp_path / "counters")
    for counter, durable in ((0, False), (1, False), (2, True)):
        assert store.accept(NAME, counter, durable=durable)
    watching = SqliteCounterStore(tmp_path / "counters")
    assert watching.lowest_acceptable(NAME) == 3
    watching.close()
    store.close()


def test_guard_over_a_restart(store):
    ReplayGuard(store, NAME).accept(41)
    guard = ReplayGuard(again(store), NAME)
    with pytest.raises(ReplayError):
        guard.check(41)
    guard.check(42)


def test_the_file_itself_refuses_to_go_back(store):
    store.reserve(NAME, 10)
    store.accept(NAME, 10)
    with sqlite3.connect(store.path) as connection:
        for statement in ("UPDATE sent SET next = 0", "UPDATE received SET lowest = 0"):
            with pytest.raises(sqlite3.IntegrityError, match="must not go back"):
                connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("kept", [True, False], ids=["in a file", "in memory"])
def test_a_counter_is_set_back_for_a_new_key_and_for_no_other(store, kept):
    used = store if kept else VolatileCounterStore()
    key, new = Key(bytes(range(7, 23))), Key(bytes(range(8, 24)))
    name = CounterName.of(key, b"MMM00001", used.salt)
    used.counter(name).raise_to(5000)
    assert used.counter(name).next() == 5000
    assert used.accept(name, 900)
    for back in (0, 1, 4999, 5000):
        used.counter(name).raise_to(back)
        assert used.counter(name).next() > 5000
        assert used.reserve(name, 1, back).start > 5000
    assert [used.accept(name, each) for each in (0, 899, 900)] == [False] * 3
    assert used.lowest_acceptable(name) == 901
    changed = CounterName.of(new, b"MMM00001", used.salt)
    assert changed != name
    assert (used.peek(changed), used.lowest_acceptable(changed)) == (0, 0)
    assert used.counter(changed).next() == 0
    assert used.accept(changed, 0)
    assert used.counter(name).next() > 5000, "the key before goes on where it was, should it come back"
    assert not used.accept(name, 900)


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "counters"
    path.write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(SecurityError, match="cannot be used"):
        SqliteCounterStore(path)


def test_a_place_where_no_file_can_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SecurityError, match="cannot be used"):
        SqliteCounterStore(tmp_path / "file" / "counters")


def test_nothing_is_sent_when_the_store_fails(store):
    counter = store.counter(NAME)
    store._connection.execute("DROP TABLE sent")
    with pytest.raises(SecurityError, match="cannot be used"):
        counter.next()
    store._connection.execute("PRAGMA user_version")  # no transaction is left open
    assert not store._connection.in_transaction


def test_a_closed_store_opens_again(store):
    store.reserve(NAME, 3)
    store.close()
    assert store.reserve(NAME, 3) == range(3, 6)
    assert "counters" in repr(store)


@settings(max_examples=20)
@given(st.integers(0, LAST_COUNTER), st.integers(1, 1000))
def test_a_reservation_stays_within_the_range(least, count):
    values = VolatileCounterStore().reserve(NAME, count, least)
    assert values[0] == least
    assert values[-1] <= LAST_COUNTER


def test_a_reservation_is_on_the_disk_before_anything_is_given(store):
    statements = []
    store._connection.set_trace_callback(statements.append)
    store.reserve(NAME, 3)
    store.accept(NAME, 3)
    store._connection.set_trace_callback(None)
    first = [statement.split("(")[0].strip() for statement in statements[:2]]
    assert first == ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"]
    assert statements.index("COMMIT") < statements.index("PRAGMA synchronous = NORMAL")
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (1,)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("use", ["counter", "accept", "reserve", "next"])
def test_a_fork_while_a_thread_of_the_parent_is_at_work_does_not_wait_for_it(store, use):
    counter = store.counter(NAME)
    counter.next()
    uses = {
        "counter": lambda: store.counter(OTHER).next(),
        "accept": lambda: store.accept(NAME, 3),
        "reserve": lambda: store.reserve(NAME, 1).start,
        "next": counter.next,
    }
    with store._lock, counter._lock:
        assert in_child(uses[use]) == {"counter": "0", "accept": "True", "reserve": "16", "next": "16"}[use]


def test_what_is_received_in_forks_of_forks_is_compared_with_the_file(store):
    store.accept(NAME, 5)

    def grandchild():
        store.accept(NAME, 7)
        taken = in_child(
            lambda: (store.accept(NAME, 7), store.lowest_acceptable(NAME), store.accept(NAME, 9))
        )
        return taken, store.accept(NAME, 9)

    assert in_child(grandchild) == "('(False, 8, True)', False)"
    assert store.lowest_acceptable(NAME) == 6, "as far as this process knows"
    assert not store.accept(NAME, 9)
    assert store.lowest_acceptable(NAME) == 10


def test_a_fork_leaves_the_connection_of_its_parent_open(store):
    connection = store._connection

    def child():
        store.close()
        store.reserve(OTHER, 1)
        store.close()
        return connection.execute("SELECT 1").fetchone()[0]  # closed, it would refuse

    assert in_child(child) == "1"


def test_leaving_the_context_writes_what_the_file_lags_behind(tmp_path):
    with SqliteCounterStore(tmp_path / "counters") as store:
        for number in range(5):
            store.accept(NAME, number, durable=False)
    with SqliteCounterStore(tmp_path / "counters") as store:
        assert store.lowest_acceptable(NAME) == 5


def test_how_many_are_left_is_told_truly(caplog):
    counter = ReservedCounter(VolatileCounterStore(), NAME, step=1)
    counter.raise_to(0xFFFFFFF0)
    assert counter.next() == 0xFFFFFFF0
    assert "only 14 invocation counters are left" in caplog.text  # 0xFFFFFFF1 to 0xFFFFFFFE


def test_raising_to_exactly_what_is_reserved_wastes_nothing(store):
    counter = store.counter(NAME)
    counter.next()
    counter.raise_to(16)
    assert counter.next() == 16
    assert store.peek(NAME) == 48


def test_a_fork_compares_what_it_receives_with_the_file(store):
    assert store.accept(NAME, 5)
    other = again(store)

    def child():
        first = again(store).accept(NAME, 9)
        return f"{first} {store.lowest_acceptable(NAME)} {store.accept(NAME, 6, durable=False)}"

    assert in_child(child) == "True 10 False"
    assert store.accept(OTHER, 5)
    assert store.accept(OTHER, 7, durable=False)  # not in the file
    assert in_child(lambda: store.accept(OTHER, 6, durable=False)) == "False"
    other.close()


def test_a_change_of_the_directory_changes_no_file(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    name = CounterName(b"k" * 8, b"t" * 8)
    with SqliteCounterStore("c.sqlite3") as store:
        first = store.reserve(name, 5)
        store.close()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert store.reserve(name, 5).start == first.stop
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with SqliteCounterStore("~/c.sqlite3") as store:
        assert store.path == tmp_path / "c.sqlite3"
    assert not (tmp_path / "~").exists()


def test_the_variable_of_the_file_wants_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.setenv("COSEM_COUNTERS", "c.sqlite3")
    with pytest.raises(ConfigurationError, match="absolute"):
        default_counter_path()
    monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "c.sqlite3"))
    assert default_counter_path() == tmp_path / "c.sqlite3"
    monkeypatch.delenv("COSEM_COUNTERS")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_counter_path().is_absolute()


def test_what_is_in_stock_is_dropped_where_others_have_reserved_and_nowhere_else(store):
    counter = store.counter(NAME)
    assert counter.renew() is False
    used = [counter.next() for _ in range(40)]
    assert counter.renew() is False
    assert counter.next() == used[-1] + 1  # nothing was wasted: nobody else was there
    other = again(store).counter(NAME).next()
    assert counter.renew() is True
    assert counter.renew() is False
    assert counter.next() > other


def test_after_others_few_values_are_reserved_again(store):
    counter = store.counter(NAME)
    for _ in range(1000):
        counter.next()
    again(store).counter(NAME).next()
    assert counter.renew()
    first = counter.next()
    assert store.peek(NAME) == first + 16


def test_one_that_finds_others_by_itself_begins_with_few_again(store):
    counter = store.counter(NAME)
    for _ in range(16):
        counter.next()
    other = again(store).counter(NAME).next()
    first = counter.next()
    assert first > other
    end = store.peek(NAME)
    while counter.next() < end:
        pass
    assert store.peek(NAME) == end + 16


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["next", "renew", "check"])), max_size=60))
def test_two_users_of_one_counter_get_no_value_twice_and_each_goes_up(steps):
    store = VolatileCounterStore()
    users = [ReservedCounter(store, NAME), ReservedCounter(store, NAME)]
    given_to: list[list[int]] = [[], []]
    for which, what in steps:
        if what == "next":
            given_to[which].append(users[which].next())
        elif what == "check":
            users[which].check(4)
        elif users[which].renew():
            assert store.peek(NAME) > max([*given_to[0], *given_to[1], -1])
            value = users[which].next()
            assert value > max([*given_to[0], *given_to[1], -1])
            given_to[which].append(value)
    everything = given_to[0] + given_to[1]
    assert len(set(everything)) == len(everything)
    assert all(each == sorted(each) for each in given_to)


@pytest.mark.parametrize("step", [1, 2, 3, 16])
@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_small_steps_are_no_end_of_the_range(store, step, count):
    counter = ReservedCounter(store, NAME, step=step)
    for taken in range(3):
        counter.check(count)
        assert store.peek(NAME) >= taken + count
        assert counter.next() == taken


def test_the_end_of_the_range_is_told_by_those_that_are_left(store):
    counter = ReservedCounter(store, NAME, step=1)
    counter.raise_to(0xFFFFFFFF - 3)
    counter.check(3)
    with pytest.raises(CounterExhausted):
        counter.check(4)
    assert [counter.next() for _ in range(3)] == [0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE]


def test_a_fork_renews_nothing_of_its_parent(store):
    used = [store.counter(NAME).next() for _ in range(20)]
    assert int(in_child(lambda: [store.counter(NAME).renew(), store.counter(NAME).next()][1])) > used[-1]
    assert store.counter(NAME).next() == used[-1] + 1
