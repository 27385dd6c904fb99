"""What a change of keys that is interrupted leaves at rest, and what may take its place."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

import cosem
from cosem.client.operations.key_change import Run, pending_entry, settled
from cosem.connecting.key_store import connect_from, connect_from_async, open_with
from cosem.errors import (
    ActionError,
    ConfigurationError,
    KeyChangeUnfinished,
    TransportClosed,
    TransportTimeout,
    VerificationError,
)
from cosem.security.counters import VolatileCounterStore
from cosem.security.key_material import Key
from cosem.security.suites import SecuritySuite
from cosem.server.threads import serve_in_thread
from cosem.store.memory_keys import MemoryKeyStore
from tests.client.secured import KEYS, NAME, SecuredMeter, pairs, reads, security

OTHER = Key(bytes(range(50, 66)))
ANOTHER = Key(bytes(range(60, 76)))


@pytest.fixture
def meter():
    return SecuredMeter()


@pytest.fixture
def url(meter):
    with serve_in_thread(meter.device) as address:
        yield address


def answering(client, *errors):
    """Let the first things that are run be done, and their answers be others."""
    keys = client.keys
    done, left = keys._do, list(errors)

    def do(step):
        result = done(step)
        if isinstance(step, Run) and left:
            raise left.pop(0)
        return result

    keys._do = do
    return keys


def test_no_agreement_takes_the_place_of_a_change_that_was_not_finished():
    of_client, of_meter = pairs(SecuritySuite(1))
    meter = SecuredMeter(of_meter)
    waiting = replace(of_client, master=OTHER)
    store = MemoryKeyStore({NAME: of_client, pending_entry(NAME): waiting})
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(of_client)) as client,
        pytest.raises(ConfigurationError, match="not finished"),
    ):
        client.keys.agree(store=store)
    assert store.find(name=pending_entry(NAME)).master == OTHER
    assert meter.held.changes == 0


@pytest.mark.parametrize("name", ["master", "broadcast"])
def test_a_lost_half_of_a_key_that_no_read_proves_is_told(name):
    of_client, of_meter = pairs(SecuritySuite(1))
    meter = SecuredMeter(of_meter)
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(of_client)) as client,
        pytest.raises(KeyChangeUnfinished, match="half"),
    ):
        answering(client, TransportTimeout("lost")).agree(name, store=MemoryKeyStore({NAME: of_client}))
    assert getattr(meter.held.keys, name) != getattr(of_client, name)


def test_an_agreement_that_was_done_and_called_refused_is_told():
    of_client, of_meter = pairs(SecuritySuite(1))
    meter = SecuredMeter(of_meter)
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(of_client)) as client,
        pytest.raises(KeyChangeUnfinished, match="half"),
    ):
        answering(client, ActionError("0.0.43.0.0.255", 2)).agree(store=MemoryKeyStore({NAME: of_client}))


@pytest.mark.parametrize("names", [(), ("master",), ("encryption", "master")])
def test_keys_that_were_taken_and_called_refused_are_kept(meter, url, names):
    store = MemoryKeyStore({NAME: KEYS})
    with cosem.connect(url, client=1, security=security()) as client:
        new = answering(client, ActionError("0.0.43.0.0.255", 2)).rotate(*names, store=store)
        assert reads(client)
    held = meter.held.keys
    for name in ("encryption", "authentication", "master"):
        assert getattr(held, name) == getattr(new, name) == getattr(store.find(name=NAME), name)


def test_a_master_key_that_was_called_refused_and_then_not_answered_is_kept(meter, url):
    store = MemoryKeyStore({NAME: KEYS})
    with cosem.connect(url, client=1, security=security()) as client, pytest.raises(KeyChangeUnfinished):
        answering(client, ActionError("0.0.43.0.0.255", 2), TransportTimeout("lost")).rotate(
            "master", store=store
        )
    assert meter.held.keys.master == store.find(name=pending_entry(NAME)).master != KEYS.master


@pytest.mark.parametrize("names", [(), ("master",)])
def test_a_half_that_nobody_can_make_keys_of_is_told(names):
    of_client, of_meter = pairs(SecuritySuite(1))
    meter = SecuredMeter(of_meter)
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(of_client)) as client,
    ):
        keys = client.keys
        done = keys._do
        keys._do = lambda step: [] if isinstance(step, Run) and (done(step) or True) else done(step)
        with pytest.raises(KeyChangeUnfinished, match="half") as caught:
            keys.agree(*names, store=MemoryKeyStore({NAME: of_client}))
    assert isinstance(caught.value.__cause__, VerificationError)


def test_who_wakes_late_leaves_newer_keys_alone():
    newer, older = replace(KEYS, encryption=ANOTHER), replace(KEYS, encryption=OTHER)
    store = MemoryKeyStore({NAME: newer})
    with pytest.raises(KeyChangeUnfinished, match="somebody else"):
        settled(store, NAME, older)
    assert store.find(name=NAME) == newer
    store.put(pending_entry(NAME), replace(KEYS, master=ANOTHER))
    with pytest.raises(KeyChangeUnfinished, match="somebody else"):
        settled(store, NAME, older)
    assert store.find(name=pending_entry(NAME)).master == ANOTHER
    assert settled(MemoryKeyStore({NAME: newer}), NAME, newer) == newer


@pytest.mark.parametrize("error", [TransportTimeout("silent"), TransportClosed("gone")])
def test_a_meter_that_stays_silent_is_opened_with_the_old_keys(error):
    store = MemoryKeyStore({NAME: KEYS, pending_entry(NAME): replace(KEYS, encryption=OTHER)})

    def opening(keys):
        if keys.encryption == OTHER:
            raise error
        return keys

    assert open_with(store, NAME, KEYS, opening) == KEYS
    assert pending_entry(NAME) in store.names()


def test_the_entry_that_opened_the_meter_gets_its_new_keys(meter, url):
    store = MemoryKeyStore({"lab": KEYS})
    counters = VolatileCounterStore()

    def secured(keys):
        return security(keys, counters=counters)

    with connect_from(store, "lab", url, secured=secured, client=1) as client:
        client.keys.rotate(store=store)
    assert list(store.names()) == ["lab"]
    assert store.find(name="lab").encryption == meter.held.keys.encryption
    with connect_from(store, "lab", url, secured=secured, client=1) as client:
        assert reads(client)

    async def change():
        async with await connect_from_async(store, "lab", url, secured=secured, client=1) as client:
            return await client.keys.rotate(store=store)

    assert asyncio.run(change()).encryption == meter.held.keys.encryption
    assert list(store.names()) == ["lab"]
