"""What a change of keys leaves in the store: what was changed, and nothing of others lost or copied."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

import cosem
from cosem.client.operations.key_change import KEY_IDS, pending_entry, settled
from cosem.client.operations.keys_at_rest import given_up, put_aside
from cosem.client.security import HighGmac, HighSha256
from cosem.connecting.key_store import connect_from
from cosem.errors import ConfigurationError, KeyChangeUnfinished, TransportTimeout
from cosem.security.counters import VolatileCounterStore
from cosem.security.key_material import Key, Secret
from cosem.security.suites import SecuritySuite
from cosem.server import AccessRights, secured_profile
from cosem.server.threads import serve_in_thread
from cosem.store.key_entries import texts_of
from cosem.store.key_file import KeyFile
from cosem.store.memory_keys import CombinedKeyStore, MemoryKeyStore
from cosem.types.enumerations import AuthenticationMechanism
from tests.client.secured import KEYS, NAME, SecuredMeter, pairs, reads, security

OTHER = Key(bytes(range(50, 66)))


@pytest.fixture
def meter():
    return SecuredMeter()


@pytest.fixture
def url(meter):
    with serve_in_thread(meter.device) as address:
        yield address


def file_with(tmp_path, text):
    path = tmp_path / "keys.toml"
    path.write_text(text)
    path.chmod(0o600)
    return KeyFile(path)


def lines(keys, *names):
    return "".join(f'{name} = "{text}"\n' for name, text in texts_of(keys).items() if name in names)


def test_an_association_with_older_keys_does_not_bring_them_back(meter, url):
    store, counters = MemoryKeyStore({NAME: KEYS}), VolatileCounterStore()
    with (
        cosem.connect(url, client=1, security=security(counters=counters)) as first,
        cosem.connect(url, client=1, security=security(counters=counters)) as second,
    ):
        new = first.keys.rotate("broadcast", store=store)
        with pytest.raises(ConfigurationError, match="another key broadcast"):
            second.keys.rotate("authentication", store=store)
        assert reads(second)
    assert store.find(name=NAME).broadcast == new.broadcast == meter.held.keys.broadcast
    assert meter.held.keys.authentication == KEYS.authentication


def test_an_agreement_with_older_keys_is_refused_before_anything_is_sent():
    of_client, of_meter = pairs(SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256)
    meter = SecuredMeter(of_meter)
    store = MemoryKeyStore({NAME: replace(of_client, master=OTHER)})
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(of_client)) as client,
        pytest.raises(ConfigurationError, match="another key master"),
    ):
        client.keys.agree(store=store)
    assert meter.held.changes == 0


@pytest.mark.parametrize("kind", ["memory", "file", "combined"])
def test_what_somebody_writes_meanwhile_stays(tmp_path, meter, url, kind):
    inner = file_with(tmp_path, "") if kind == "file" else MemoryKeyStore()
    store = CombinedKeyStore(inner, MemoryKeyStore()) if kind == "combined" else inner
    store.put(NAME, KEYS)
    with cosem.connect(url, client=1, security=security()) as client:
        keys = client.keys
        done = keys._do

        def disturbed(step):
            store.put(NAME, replace(store.find(name=NAME), password=Secret(b"typed meanwhile")))
            return done(step)

        keys._do = disturbed
        keys.rotate("encryption", store=store)
    kept = store.find(name=NAME)
    assert kept.password == Secret(b"typed meanwhile")
    assert [getattr(kept, each) for each in KEY_IDS] == [getattr(meter.held.keys, each) for each in KEY_IDS]


def test_what_the_default_gave_is_not_copied(tmp_path, meter, url):
    secret = "hls_secret = 'text:of all of them'\n"
    store = file_with(
        tmp_path,
        f"[default]\n{secret}{lines(KEYS, 'client_title', 'master')}"
        f"[meter.lab]\nguek = 'hex:{KEYS.encryption.octets.hex()}'\n{lines(KEYS, 'authentication')}",
    )
    counters = VolatileCounterStore()
    with connect_from(
        store, "lab", url, secured=lambda keys: HighGmac(keys, counters=counters), client=1
    ) as client:
        new = client.keys.rotate("encryption", store=store)
    entry = store.path.read_text().partition("[meter.")[2]
    assert "hls_secret" not in entry
    assert "master" not in entry
    assert "client_title" not in entry
    assert "guek" not in entry
    assert store.find(name="lab").encryption == new.encryption == meter.held.keys.encryption
    assert store.find(name="lab").master == KEYS.master
    assert list(store.names()) == ["default", "lab"]


def test_a_meter_that_the_store_did_not_know_is_kept_whole(meter, url):
    store = MemoryKeyStore({"default": of_the_default()})
    with cosem.connect(url, client=1, security=security()) as client:
        new = client.keys.rotate("encryption", store=store)
    assert store.find(name=NAME) == replace(new, password=Secret(b"of all"))


def of_the_default():
    return replace(KEYS, broadcast=OTHER, password=Secret(b"of all"))


def test_a_key_that_only_the_store_knows_stays(meter, url):
    store = MemoryKeyStore({NAME: KEYS})
    with cosem.connect(url, client=1, security=security(replace(KEYS, broadcast=None))) as client:
        client.keys.rotate("encryption", store=store)
    assert store.find(name=NAME).broadcast == KEYS.broadcast == meter.held.keys.broadcast


def test_two_changes_at_once_are_one():
    """Both have looked before either began: under the lock it is seen again."""
    store = MemoryKeyStore({NAME: KEYS})
    put_aside(store, NAME, KEYS, replace(KEYS, encryption=OTHER))
    with pytest.raises(ConfigurationError, match="was not finished"):
        put_aside(store, NAME, KEYS, replace(KEYS, authentication=OTHER))
    assert store.find(name=pending_entry(NAME)) == replace(KEYS, encryption=OTHER)


def test_keys_agreed_on_while_another_change_began_are_not_lost():
    of_client, of_meter = pairs(SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256)
    meter = SecuredMeter(of_meter)
    store = MemoryKeyStore({NAME: of_client})
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(of_client)) as client,
    ):
        keys = client.keys
        done = keys._do

        def disturbed(step):
            answer = done(step)
            store.put(pending_entry(NAME), replace(of_client, encryption=OTHER))
            return answer

        keys._do = disturbed
        with pytest.raises(KeyChangeUnfinished) as told:
            keys.agree(store=store)
    apart = store.find(name=told.value.entry)
    assert [getattr(apart, each) for each in KEY_IDS] == [getattr(meter.held.keys, each) for each in KEY_IDS]
    assert store.find(name=pending_entry(NAME)).encryption == OTHER


def test_a_store_that_can_only_put_gets_what_it_needs(meter, url):
    class Plain:
        def __init__(self):
            inner = MemoryKeyStore({NAME: replace(KEYS, password=Secret(b"kept"))})
            self.find, self.put, self.remove, self.names = inner.find, inner.put, inner.remove, inner.names

    store = Plain()
    with cosem.connect(url, client=1, security=security()) as client:
        client.keys.rotate("encryption", store=store)
    assert store.find(name=NAME).encryption == meter.held.keys.encryption
    assert store.find(name=NAME).password == Secret(b"kept")
    assert list(store.names()) == [NAME]


def test_a_key_file_is_settled_again_after_a_death_in_between(tmp_path):
    store = file_with(tmp_path, "")
    store.put(NAME, KEYS)
    new = replace(KEYS, encryption=OTHER)
    put_aside(store, NAME, KEYS, new)
    store.put(NAME, new)  # the process died before what waits was removed
    assert settled(store, NAME, new) == new
    assert list(store.names()) == [NAME]
    assert store.find(name=NAME) == new


@pytest.mark.parametrize("names", [(), ("master",), ("broadcast",), ("encryption", "master")])
@pytest.mark.parametrize("mechanism", ["sha256", "gmac"])
def test_keys_are_not_changed_where_nothing_is_ciphered(names, mechanism):
    keys = replace(KEYS, hls_secret=Secret(b"secret secret secret"))
    meter, store = SecuredMeter(keys), MemoryKeyStore({NAME: keys})
    kind = AuthenticationMechanism.HLS_SHA256 if mechanism == "sha256" else AuthenticationMechanism.HLS_GMAC
    meter.device.add_association(
        secured_profile(kind, meter.held, client_sap=3, ciphered=False), AccessRights.full()
    )
    how = HighSha256(keys=keys) if mechanism == "sha256" else security(keys, None)
    with serve_in_thread(meter.device) as url, cosem.connect(url, client=3, security=how) as client:
        with pytest.raises(ConfigurationError, match="not ciphered"):
            client.keys.rotate(*names, store=store)
        assert reads(client)
    assert meter.held.changes == 0
    assert list(store.names()) == [NAME]
    assert store.find(name=NAME) == keys


def test_the_same_from_an_event_loop():
    keys = replace(KEYS, hls_secret=Secret(b"secret secret secret"))
    meter = SecuredMeter(keys)
    meter.device.add_association(
        secured_profile(AuthenticationMechanism.HLS_SHA256, meter.held, client_sap=3, ciphered=False),
        AccessRights.full(),
    )

    async def rotate(url):
        async with cosem.connect_async(url, client=3, security=HighSha256(keys=keys)) as client:
            await client.keys.rotate(store=MemoryKeyStore())

    with serve_in_thread(meter.device) as url, pytest.raises(ConfigurationError, match="not ciphered"):
        asyncio.run(rotate(url))
    assert meter.held.changes == 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"encryption": bytes(range(16))}, "everybody knows"),
        ({"master": bytes(16)}, "everybody knows"),
        ({"encryption": OTHER, "authentication": OTHER}, "one key"),
        ({"broadcast": KEYS.encryption}, "one key"),
    ],
)
def test_a_meter_is_given_no_key_that_everybody_knows_and_none_for_two_purposes(meter, url, given, says):
    meter.held.allow_test_keys = True
    store, counters = MemoryKeyStore({NAME: KEYS}), VolatileCounterStore()
    with cosem.connect(url, client=1, security=security(counters=counters)) as client:
        with pytest.raises(ConfigurationError, match=says):
            client.keys.rotate(new=given, store=store)
        assert reads(client)
    assert (meter.held.changes, list(store.names())) == (0, [NAME])
    with cosem.connect(url, client=1, security=security(counters=counters, allow_test_keys=True)) as client:
        new = client.keys.rotate(new=given, store=store)
    assert [getattr(new, each) for each in KEY_IDS] == [getattr(meter.held.keys, each) for each in KEY_IDS]


class Overtaken(MemoryKeyStore):
    """A store in which others act just before what waits is forgotten."""

    def __init__(self, entries, others):
        super().__init__(entries)
        self.others = others

    def update(self, name, decide):
        if name == pending_entry(NAME) and name in self.names():
            self._act()
        super().update(name, decide)

    def remove(self, name):
        self._act()
        super().remove(name)

    def _act(self):
        others, self.others = self.others, lambda: None
        others()


@pytest.mark.parametrize("begun", ["master", "broadcast"])
@pytest.mark.parametrize("forget", [settled, given_up])
def test_a_change_that_somebody_else_begins_meanwhile_is_not_forgotten(forget, begun):
    ours = replace(KEYS, encryption=OTHER, broadcast=None)
    theirs = replace(KEYS, encryption=OTHER, **{begun: Key(bytes(range(70, 86)))})

    def others():
        settled(store, NAME, ours)
        put_aside(store, NAME, ours, theirs)

    store = Overtaken({NAME: KEYS}, lambda: None)
    put_aside(store, NAME, KEYS, ours)
    store.others = others
    forget(store, NAME, ours)
    assert store.find(name=pending_entry(NAME)) == theirs
    assert store.find(name=NAME) == replace(KEYS, encryption=OTHER)
    assert settled(store, NAME, theirs) == store.find(name=NAME) == theirs
    assert list(store.names()) == [NAME]


def test_no_entry_is_named_that_is_not_there():
    store = MemoryKeyStore({NAME: KEYS})
    with pytest.raises(KeyChangeUnfinished) as told:
        settled(store, NAME, replace(KEYS, encryption=OTHER))
    assert told.value.entry == ""


def test_a_refusal_names_no_entry_that_others_have_forgotten_meanwhile(meter, url):
    store = MemoryKeyStore({NAME: KEYS})
    with cosem.connect(url, client=1, security=security()) as client:
        keys = client.keys

        def lost(step):
            store.remove(pending_entry(NAME))
            raise TransportTimeout("silent")

        keys._do = lost
        with pytest.raises(KeyChangeUnfinished) as told:
            keys.rotate("encryption", store=store)
    assert told.value.entry == ""
