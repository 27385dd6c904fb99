"""Keys are changed as a transaction: whatever breaks, the client finds out which keys the meter has."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

import cosem
from cosem.client.ciphering import Ciphering
from cosem.client.operations.key_change import Reopen, Run, Use, pending_entry
from cosem.errors import (
    ActionError,
    ConfigurationError,
    CosemError,
    KeyChangeUnfinished,
    KeyMissingError,
    ProtocolError,
    SecurityError,
    TransportTimeout,
    UnsupportedError,
)
from cosem.security.counters import VolatileCounterStore
from cosem.security.key_material import Key
from cosem.security.suites import SecuritySuite
from cosem.server.threads import serve_in_thread
from cosem.store.memory_keys import MemoryKeyStore
from tests.client.secured import KEYS, NAME, SecuredMeter, pairs, reads, security

OTHER = Key(bytes(range(50, 66)))


@pytest.fixture
def meter():
    return SecuredMeter()


@pytest.fixture
def url(meter):
    with serve_in_thread(meter.device) as address:
        yield address


@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("general", [False, True])
def test_keys_are_made_sent_proven_and_kept(meter, url, dedicated, general):
    store = MemoryKeyStore({NAME: KEYS})
    counters = VolatileCounterStore()
    how = security(ciphering=Ciphering(dedicated=dedicated, general=general), counters=counters)
    with cosem.connect(url, client=1, security=how) as client:
        new = client.keys.rotate(store=store)
        assert reads(client)
        assert client.keys.present == new
    assert new.encryption != KEYS.encryption
    assert new.authentication != KEYS.authentication
    assert (new.master, new.broadcast) == (KEYS.master, KEYS.broadcast)
    assert store.find(name=NAME) == new == replace(meter.held.keys, client_title=new.client_title)
    assert list(store.names()) == [NAME]
    with cosem.connect(url, client=1, security=security(new, counters=counters)) as client:
        assert reads(client)
    with pytest.raises(CosemError):
        cosem.connect(url, client=1, security=security(counters=counters))


def test_the_answer_goes_under_the_old_key_and_new_counters_begin_at_0(meter, url):
    store = VolatileCounterStore()
    with cosem.connect(url, client=1, security=security(counters=store)) as client:
        for _ in range(5):
            reads(client)
        client.keys.rotate("encryption", new={"encryption": OTHER}, store=MemoryKeyStore())
    counted = meter.held.counted()
    assert counted.last_reserved() == 2  # the proof and the release
    assert meter.held.last_counter_of() == 1
    assert client.security.keys.encryption == OTHER


@pytest.mark.parametrize("names", [("master",), ("broadcast",), ("encryption", "master"), ("authentication",),
                                   ("encryption", "authentication", "broadcast", "master")])  # fmt: skip
def test_every_key_is_transferred(meter, url, names):
    store = MemoryKeyStore({NAME: KEYS})
    with cosem.connect(url, client=1, security=security()) as client:
        new = client.keys.rotate(*names, store=store)
        again = client.keys.rotate(*names, store=store)  # wrapped with the master key of then
    for name in ("encryption", "authentication", "broadcast", "master"):
        values = [getattr(keys, name) for keys in (KEYS, new, again, meter.held.keys)]
        assert (len({value.octets for value in values[:3]}) == 3) is (name in names)
        assert values[3] == values[2]


def test_the_same_from_an_event_loop(meter, url):
    store = MemoryKeyStore()

    async def rotate():
        async with cosem.connect_async(url, client=1, security=security()) as client:
            new = await client.keys.rotate(store=store)
            await client.get("0.0.96.1.0.255", 2, class_id=1)
            await client.reopen()
            await client.get("0.0.96.1.0.255", 2, class_id=1)
            return new

    assert asyncio.run(rotate()).encryption == meter.held.keys.encryption


def test_a_meter_that_refuses_keeps_its_keys_and_nothing_is_left_behind(meter, url):
    wrong = replace(KEYS, master=OTHER)
    store = MemoryKeyStore({NAME: wrong})
    with cosem.connect(url, client=1, security=security(wrong)) as client:
        with pytest.raises(ActionError):
            client.keys.rotate(store=store)
        assert reads(client)
    assert meter.held.keys == KEYS
    assert store.find(name=NAME) == wrong
    assert list(store.names()) == [NAME]


def test_what_cannot_be_rotated_is_told_before_anything_is_sent(meter, url):
    store, counters = MemoryKeyStore(), VolatileCounterStore()
    without = security(replace(KEYS, master=None), counters=counters)
    with (
        cosem.connect(url, client=1, security=without) as client,
        pytest.raises(KeyMissingError, match="master"),
    ):
        client.keys.rotate(store=store)
    with cosem.connect(url, client=1, security=security(counters=counters)) as client:
        with pytest.raises(ConfigurationError, match="signing cannot be transferred"):
            client.keys.rotate("signing", store=store)
        with pytest.raises(ConfigurationError, match="wants 16"):
            client.keys.rotate(new={"encryption": bytes(range(40, 72))}, store=store)
        with pytest.raises(ConfigurationError, match="no change"):
            client.keys.resume(store=store)
        with pytest.raises(ConfigurationError, match="suites 1 and 2"):
            client.keys.agree(store=store)
        assert "keys of" in repr(client.keys)
    assert meter.held.changes == 0
    assert list(store.names()) == []
    with cosem.connect(url) as public, pytest.raises(ConfigurationError, match="without keys"):
        public.keys.rotate(store=store)


class Crash(Exception):
    """The process dies."""


class Breaking:
    """Breaks a client at one step of a change: before it is done, or after, as if its answer were lost."""

    def __init__(self, keys, at: int, *, after: bool, error: type[Exception]) -> None:
        self.steps = 0
        self.done = keys._do
        self.at, self.after, self.error = at, after, error

    def __call__(self, step):
        self.steps += 1
        broken = self.steps == self.at
        if broken and not self.after:
            raise self.error("broken")
        result = self.done(step)
        if broken:
            raise self.error("broken")
        return result


def breaking(client, at, *, after, error):
    keys = client.keys
    keys._do = Breaking(keys, at, after=after, error=error)
    return keys


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("names", [(), ("master",), ("broadcast",), ("encryption", "master")])
def test_a_lost_answer_is_found_out(meter, url, at, after, names):
    store = MemoryKeyStore({NAME: KEYS})
    with cosem.connect(url, client=1, security=security()) as client:
        keys = breaking(client, at, after=after, error=TransportTimeout)
        new = keys.rotate(*names, store=store)
        assert reads(client)
    held = meter.held.keys
    for name in ("encryption", "authentication", "broadcast", "master"):
        assert getattr(held, name) == getattr(new, name) == getattr(store.find(name=NAME), name)
    assert list(store.names()) == [NAME]


@pytest.mark.parametrize("names", [(), ("master",), ("master", "authentication")])
@pytest.mark.parametrize("seed", range(12))
def test_a_process_that_dies_anywhere_loses_no_key(meter, url, seed, names):
    """The store of the dead process and the meter are all that is left; from them everything is found out."""
    chance = random.Random(seed)
    store = MemoryKeyStore({NAME: KEYS})
    counters = VolatileCounterStore()
    for _ in range(6):
        try:
            with cosem.connect(
                url, client=1, security=security(store.find(name=NAME), counters=counters)
            ) as client:
                keys = breaking(client, chance.randint(1, 5), after=chance.random() < 0.5, error=Crash)
                try:
                    dying(keys).rotate(*names, store=store)
                except Crash:
                    client._connection.close()  # nobody is left to release anything
                    raise
        except Crash:
            pass
        survivor = opened_with_what_is_kept(url, store, counters)
        with survivor as client:
            if pending_entry(NAME) in store.names():
                client.keys.resume(store=store)
            assert reads(client)
        kept, held = store.find(name=NAME), meter.held.keys
        assert [getattr(kept, name) for name in FIELDS] == [getattr(held, name) for name in FIELDS]


FIELDS = ("encryption", "authentication", "broadcast", "master")


def dying(keys):
    """Let what breaks not be caught: the process is gone."""

    def drive(change):
        answer = None
        try:
            while True:
                answer = keys._do(change.send(answer))
        except StopIteration as stop:
            return stop.value

    keys._drive = drive
    return keys


def opened_with_what_is_kept(url, store, counters):
    """Open with the keys that wait, else with those of before: what connect_from does."""
    for name in (pending_entry(NAME), NAME):
        if name in store.names():
            try:
                return cosem.connect(
                    url, client=1, security=security(store.find(name=name), counters=counters)
                )
            except CosemError:
                continue
    raise AssertionError("nothing opens the meter")


def test_a_change_that_was_begun_must_be_finished_first(meter, url):
    store = MemoryKeyStore({NAME: KEYS, pending_entry(NAME): replace(KEYS, encryption=OTHER)})
    with cosem.connect(url, client=1, security=security()) as client:
        with pytest.raises(ConfigurationError, match="not finished"):
            client.keys.rotate(store=store)
        assert client.keys.resume(store=store).encryption == OTHER
    assert meter.held.keys.encryption == OTHER


def test_a_meter_that_is_gone_leaves_both_keys(meter, url):
    store = MemoryKeyStore({NAME: KEYS})
    with cosem.connect(url, client=1, security=security()) as client:
        keys = client.keys
        done = keys._do

        def gone(step):
            if isinstance(step, Run) and meter.held.changes == 0:
                done(step)
            raise TransportTimeout("gone")

        keys._do = gone
        with pytest.raises(KeyChangeUnfinished, match="kept as MMM0000BC614E") as caught:
            keys.rotate(store=store)
    assert caught.value.entry == pending_entry(NAME)
    assert store.find(name=NAME) == KEYS
    assert store.find(name=caught.value.entry).encryption == meter.held.keys.encryption


def test_a_meter_that_says_yes_and_does_no_is_found_out(meter, url):
    meter.setup.call = lambda number, parameters=None, association=None: _yes()
    store = MemoryKeyStore({NAME: KEYS})
    with (
        cosem.connect(url, client=1, security=security()) as client,
        pytest.raises(KeyChangeUnfinished, match="goes on with the old ones"),
    ):
        client.keys.rotate(store=store)


def _yes():
    from cosem.association.server.indications import MethodOutcome

    return MethodOutcome()


@pytest.mark.parametrize("suite", [SecuritySuite(1), SecuritySuite(2)])
@pytest.mark.parametrize("names", [(), ("master",), ("encryption", "authentication", "broadcast", "master")])
def test_keys_are_agreed_on(suite, names):
    of_client, of_meter = pairs(suite)
    meter = SecuredMeter(of_meter)
    store, counters = MemoryKeyStore({NAME: of_client}), VolatileCounterStore()
    with serve_in_thread(meter.device) as url:
        with cosem.connect(url, client=1, security=security(of_client, counters=counters)) as client:
            new = client.keys.agree(*names, store=store)
            assert reads(client)
        held = meter.held.keys
        for name in names or ("encryption", "authentication"):
            assert getattr(new, name) == getattr(held, name) != getattr(of_meter, name)
        assert store.find(name=NAME) == new

        async def agree():
            async with cosem.connect_async(
                url, client=1, security=security(new, counters=counters)
            ) as client:
                return await client.keys.agree(store=store)

        assert asyncio.run(agree()).encryption == meter.held.keys.encryption


def test_a_lost_half_of_an_agreement_is_told():
    of_client, of_meter = pairs(SecuritySuite(1))
    meter = SecuredMeter(of_meter)
    store = MemoryKeyStore({NAME: of_client})
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(of_client)) as client,
    ):
        with pytest.raises(TransportTimeout):
            breaking(client, 1, after=False, error=TransportTimeout).agree(store=store)
        assert reads(client)  # it never got there
        with pytest.raises(KeyChangeUnfinished, match="half"):
            breaking(client, 1, after=True, error=TransportTimeout).agree(store=store)
    assert store.find(name=NAME) == of_client


def test_an_association_that_was_made_by_hand_is_not_opened_anew(url):
    from cosem.client.blocking import Client

    with cosem.connect(url) as public:
        by_hand = Client(public._connection, public.session)
        assert by_hand.security is None
        with pytest.raises(UnsupportedError, match="can be opened anew"):
            by_hand.reopen()
        with pytest.raises(UnsupportedError, match="not ciphered"):
            public.use_security(security(ciphering=None))


def test_steps_say_what_is_done():
    assert (Use(KEYS).keys, Reopen(KEYS).keys) == (KEYS, KEYS)
    assert "<Key AES-128>" in repr(Use(KEYS))


def test_the_counter_is_read_where_it_is_not_known_and_where_it_is_behind(meter, url):
    with cosem.connect(url, client=1, security=security()) as client:
        for _ in range(3):
            reads(client)
    seen = meter.held.last_counter_of()
    assert seen >= 5
    with pytest.raises(CosemError):
        cosem.connect(url, client=1, security=security())
    with cosem.connect(url, client=1, security=security(), read_counter=True) as client:
        assert reads(client)
    behind = security()
    counted = behind._counted(KEYS, None)
    counted.counter().next()
    with cosem.connect(url, client=1, security=behind, read_counter=True) as client:
        assert reads(client)

    async def read():
        async with cosem.connect_async(url, client=1, security=security(), read_counter=True) as client:
            return await client.get("0.0.96.1.0.255", 2, class_id=1)

    assert asyncio.run(read()) is not None
    with cosem.connect(url, read_counter=True) as public:
        assert reads(public)


def test_a_counter_that_is_read_is_not_believed_far_beyond_ours(meter, url):
    """Nothing vouches for what the public client reads, and what is skipped is lost."""
    known = security()
    with cosem.connect(url, client=1, security=known) as client:
        assert reads(client)
    meter.held.counted().guard()(bytes(KEYS.client_title)).accept(50_000_000)
    with pytest.raises(SecurityError, match="far beyond ours"):
        cosem.connect(url, client=1, security=known, read_counter=True)
    assert known.last_counter() < 50_000
    known.raise_counter(50_000_000)
    with cosem.connect(url, client=1, security=known, read_counter=True) as client:
        assert reads(client)


def test_a_counter_that_is_read_never_goes_back_and_never_to_the_end(meter, url):
    how = security()
    how._counted(KEYS, None).counter().raise_to(1000)
    with cosem.connect(url, client=1, security=how, read_counter=True) as client:
        assert reads(client)
    assert meter.held.last_counter_of() > 1000
    for forged in (0xFFFFFFFF, 0xFFFFFFFE, 0xF0000000):
        meter.device["0.0.43.1.0.255"].getter("value")(lambda forged=forged: _number(forged))
        with pytest.raises(SecurityError, match=r"must be changed|near the end"):
            cosem.connect(url, client=1, security=security(), read_counter=True)
    meter.device["0.0.43.1.0.255"].getter("value")(lambda: None)
    with pytest.raises(ProtocolError, match="invocation counter"):
        cosem.connect(url, client=1, security=security(), read_counter=True)


def _number(value):
    from cosem.types.data import DoubleLongUnsigned

    return DoubleLongUnsigned(value)
