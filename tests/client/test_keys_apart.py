"""Keys that were agreed on while another change waits: nobody else has them, and they are found and settled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

import cosem
from cosem.client.operations.key_change import pending_entry
from cosem.client.operations.keys_at_rest import apart_entries, kept_apart, put_aside, settled_apart, taken_up
from cosem.client.security import HighGmac
from cosem.connecting.key_store import connect_from, connect_from_async, open_with
from cosem.errors import ConfigurationError, KeyChangeUnfinished, TransportTimeout
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


def agreed_apart(url, of_client, store, counters):
    """Agree on keys while somebody begins another change, and return the entry where they wait."""
    with connect_from(store, NAME, url, secured=with_counters(counters), client=1) as client:
        keys = client.keys
        done = keys._do

        def disturbed(step):
            answer = done(step)
            if pending_entry(NAME) not in store.names():
                put_aside(store, NAME, of_client, replace(of_client, encryption=OTHER))
            return answer

        keys._do = disturbed
        with pytest.raises(KeyChangeUnfinished) as told:
            keys.agree(store=store)
    return told.value.entry


def with_counters(counters):
    return lambda keys: HighGmac(keys, counters=counters)


def proven(keys):
    return keys.encryption, keys.authentication


@pytest.mark.parametrize("how", ["connect_from", "connect_from_async", "resume"])
@pytest.mark.parametrize("waits", [True, False], ids=["another waits", "alone"])
def test_keys_agreed_on_that_wait_apart_open_the_meter_and_are_settled(how, waits):
    of_client, of_meter = pairs(SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256)
    meter, counters = SecuredMeter(of_meter), VolatileCounterStore()
    store = MemoryKeyStore({NAME: of_client})
    with serve_in_thread(meter.device) as url:
        standing = connect_from(store, NAME, url, secured=with_counters(counters), client=1)
        assert agreed_apart(url, of_client, store, counters) == f"{NAME} (agreed on)"
        if not waits:
            store.remove(pending_entry(NAME))
        if how == "resume":
            with standing:
                new = standing.keys.resume(store=store)
                assert reads(standing)
            assert (new.encryption == OTHER) is waits
            assert list(store.names()) == [NAME]
        else:
            standing.abort()
            if how == "connect_from":
                with connect_from(store, NAME, url, secured=with_counters(counters), client=1) as client:
                    assert reads(client)
            else:
                asyncio.run(opened_async(store, url, counters))
            assert list(store.names()) == ([NAME, pending_entry(NAME)] if waits else [NAME])
    assert proven(store.find(name=NAME)) == proven(meter.held.keys) != proven(of_client)


async def opened_async(store, url, counters):
    async with await connect_from_async(
        store, NAME, url, secured=with_counters(counters), client=1
    ) as client:
        await client.get("0.0.96.1.0.255", 2, class_id=1)


def test_no_keys_that_wait_apart_take_the_place_of_others():
    store = MemoryKeyStore({NAME: KEYS})
    some, others = (replace(KEYS, encryption=Key(bytes([first]) * 16)) for first in (1, 2))
    entries = [kept_apart(store, NAME, each) for each in (some, others)]
    assert entries == [f"{NAME} (agreed on)", f"{NAME} (agreed on) 2"]
    assert [store.find(name=each) for each in entries] == [some, others]
    assert apart_entries(store, NAME) == entries[::-1]


def test_keys_that_wait_apart_are_not_tried_where_those_in_use_open_the_meter():
    store, tried = MemoryKeyStore({NAME: KEYS}), []
    kept_apart(store, NAME, replace(KEYS, encryption=OTHER))
    open_with(store, NAME, KEYS, tried.append)
    assert tried == [KEYS]


def test_what_keeps_the_keys_in_use_from_opening_is_told_where_none_opens():
    store = MemoryKeyStore({NAME: KEYS})
    kept_apart(store, NAME, replace(KEYS, encryption=OTHER))

    def opening(keys):
        raise TransportTimeout("in use" if keys == KEYS else "apart")

    with pytest.raises(TransportTimeout, match="in use"):
        open_with(store, NAME, KEYS, opening)
    assert len(list(store.names())) == 2


def test_what_opening_does_not_prove_goes_on_waiting():
    """A master key may be older than that of the entry, or the one that was agreed on."""
    store = MemoryKeyStore({NAME: KEYS})
    new = replace(KEYS, encryption=OTHER)
    entry = kept_apart(store, NAME, replace(new, master=Key(bytes(range(70, 86)))))
    assert settled_apart(store, NAME, entry, new, KEYS)
    assert store.find(name=NAME) == new
    assert entry in store.names()
    assert not settled_apart(store, NAME, entry, KEYS, new)
    assert not settled_apart(store, NAME, entry, new, KEYS)
    assert store.find(name=NAME) == new


def test_keys_that_wait_apart_and_are_not_those_of_the_meter_are_told(meter, url):
    store = MemoryKeyStore({NAME: KEYS})
    entry = kept_apart(store, NAME, replace(KEYS, encryption=OTHER))
    with cosem.connect(url, client=1, security=security()) as client:
        with pytest.raises(KeyChangeUnfinished) as told:
            client.keys.resume(store=store)
        assert told.value.entry == entry
        assert reads(client)
    assert set(store.names()) == {NAME, entry}


def test_a_master_key_that_was_agreed_on_and_waits_apart_is_settled_by_resuming(meter, url):
    master = Key(bytes(range(70, 86)))
    store = MemoryKeyStore({NAME: KEYS})
    kept_apart(store, NAME, replace(KEYS, master=master))
    meter.held.change_keys(master=master)
    with cosem.connect(url, client=1, security=security()) as client:
        assert client.keys.resume(store=store).master == master
        assert reads(client)
    assert store.find(name=NAME) == replace(KEYS, master=master)
    assert list(store.names()) == [NAME]
    with pytest.raises(ConfigurationError, match="was not finished"):
        taken_up(store, NAME, f"{NAME} (agreed on)")
