"""What clients change in a meter's Security setup is there after a restart."""

from __future__ import annotations

import stat
from dataclasses import replace

import pytest

from cosem.association.server.profile import AssociationProfile
from cosem.errors import ConfigurationError
from cosem.security.counters import VolatileCounterStore
from cosem.security.key_material import Key, Secret
from cosem.security.keys import Keys
from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1
from cosem.security.requests import public_key_of
from cosem.security.suites import SecuritySuite
from cosem.security.system_title import SystemTitle
from cosem.server import LogicalDevice
from cosem.server.security_at_rest import held_at_rest, keep_secrets
from cosem.store.association_secrets import AssociationSecretsFile
from cosem.store.files import write_private
from cosem.store.key_file import KeyFile
from cosem.store.security_state import SecurityState, SecurityStateFile
from cosem.types.data import Enum, OctetString, Structure
from cosem.types.enumerations import ActionResult as R
from cosem.types.enumerations import AuthenticationMechanism, DataAccessResult
from tests.client.secured import pairs
from tests.server.test_security_setup import METER, ROOT, USES, Setup, certificate, certified

CLIENT = bytes(pairs(SecuritySuite(1))[0].client_title)
NAME = "tcp://10.0.0.7:4059"


@pytest.fixture
def meter(tmp_path):
    """Return what starts the meter anew from its files."""
    store = KeyFile(tmp_path / "keys.toml")
    store.put(NAME, pairs(SecuritySuite(1))[1])

    def start(**options):
        setup = Setup(store.find(name=NAME), anchors=[ROOT])
        held = held_at_rest(
            store.find(name=NAME), store, NAME, counters=VolatileCounterStore(), anchors=[ROOT], **options
        )
        object.__setattr__(setup.object, "held", held)
        setup.held = held
        return setup

    return start


def test_a_policy_is_not_forgotten(meter):
    first = meter(policy=SecurityPolicyV1(0x24))
    assert first.held.policy == 0x24
    assert first.result(1, Enum(0x6C)) is R.SUCCESS
    second = meter(policy=SecurityPolicyV1(0x24))
    assert second.held.policy == SecurityPolicyV1(0x6C)
    assert second.result(1, Enum(0x24)) is R.OTHER_REASON


def test_the_title_of_the_client_is_not_forgotten(meter, tmp_path):
    store = KeyFile(tmp_path / "keys.toml")
    keys = replace(pairs(SecuritySuite(1))[1], client_title=None)
    store.put(NAME, keys)
    for title in (CLIENT[:-1] + b"\x07", CLIENT):
        assert meter().object.set(4, OctetString(title)) is DataAccessResult.SUCCESS
        again = meter()
        assert again.held.client_title == title
        assert again.object.get(4) == title
        assert again.held.protection(None)._now().context.peer_system_title == title
    assert (
        SecurityStateFile(tmp_path / "keys.toml.tcp%3A%2F%2F10.0.0.7%3A4059.state").state.client_title
        == CLIENT
    )
    other = SystemTitle(b"MMM\0\0\0\0\x09")
    store.put(NAME, replace(keys, client_title=other))
    assert meter().held.client_title is None
    assert meter().object.get(4) == bytes(other)


def test_a_title_that_cannot_be_put_to_rest_is_not_taken(meter, tmp_path, monkeypatch):
    KeyFile(tmp_path / "keys.toml").put(NAME, replace(pairs(SecuritySuite(1))[1], client_title=None))
    setup = meter()

    def fail(*_):
        raise ConfigurationError("the disk is full")

    monkeypatch.setattr("cosem.store.security_state.write_private", fail)
    assert setup.object.set(4, OctetString(CLIENT)) is DataAccessResult.OTHER_REASON
    assert setup.held.client_title is None


@pytest.mark.parametrize("use", USES)
def test_certificates_come_back_with_their_keys(meter, use):
    name, bits = USES[use]
    first = meter()
    first.result(4, Enum(use))
    der = certified(bytes(first.call(5, Enum(use)).return_parameters), bits=bits, serial=90)
    assert first.result(6, OctetString(der)) is R.SUCCESS
    second = meter()
    assert getattr(second.held.keys, name) == getattr(first.held.keys, name)
    assert second.held.certificates.by_entity(0, use, METER).octets == der


def test_what_is_removed_stays_away(meter):
    first = meter()
    other = certificate(CLIENT.hex().upper(), serial=91).octets
    assert first.result(6, OctetString(other)) is R.SUCCESS
    by_title = Structure((Enum(0), Structure((Enum(1), Enum(0), OctetString(CLIENT)))))
    second = meter()
    assert second.call(7, by_title).return_parameters == other
    assert second.result(8, by_title) is R.SUCCESS
    assert list(meter().held.certificates) == [ROOT]


def test_a_certificate_whose_key_did_not_come_to_rest_is_not_held_again(meter, tmp_path):
    first = meter()
    first.result(4, Enum(0))
    der = certified(bytes(first.call(5, Enum(0)).return_parameters), bits=USES[0][1], serial=90)
    assert first.result(6, OctetString(der)) is R.SUCCESS
    KeyFile(tmp_path / "keys.toml").put(NAME, pairs(SecuritySuite(1))[1])  # as before
    assert list(meter().held.certificates) == [ROOT]


@pytest.mark.parametrize("write", ["keys", "certificates afterwards"])
def test_a_renewal_that_was_cut_off_leaves_the_certificate_of_the_key_that_is_there(
    meter, tmp_path, monkeypatch, write
):
    def renew(setup, serial):
        setup.result(4, Enum(0))
        der = certified(bytes(setup.call(5, Enum(0)).return_parameters), bits=USES[0][1], serial=serial)
        return der, setup.result(6, OctetString(der))

    first = meter()
    old, result = renew(first, 90)
    assert result is R.SUCCESS
    writes = []

    def killed(*_):
        raise KeyboardInterrupt

    def certificates(path, content, keep=write_private):
        writes.append(path)
        if len(writes) == 2:
            raise KeyboardInterrupt
        keep(path, content)

    if write == "keys":
        monkeypatch.setattr(first.held, "_on_change", killed)
        monkeypatch.setattr(first.held.certificates, "_put_to_rest", _once(first.held.certificates))
    else:
        monkeypatch.setattr("cosem.store.security_state.write_private", certificates)
    with pytest.raises(KeyboardInterrupt):
        renew(first, 91)
    monkeypatch.undo()
    again = meter()
    own = again.held.certificates.by_entity(0, 0, METER)
    assert (own.octets == old) is (write == "keys")
    assert own.public_key == public_key_of(SecuritySuite(1), again.held.keys.signing)


def _once(certificates):
    """Return what puts certificates to rest once, as a process does that is killed then."""
    keep, calls = certificates._put_to_rest, []

    def put(held):
        calls.append(held)
        if len(calls) == 1:
            keep(held)

    return put


def test_what_cannot_be_put_to_rest_changes_nothing(meter, tmp_path, monkeypatch):
    setup = meter(policy=SecurityPolicyV1(0x24))

    def fail(*_):
        raise ConfigurationError("the disk is full")

    monkeypatch.setattr("cosem.store.security_state.write_private", fail)
    assert setup.result(1, Enum(0x6C)) is R.OTHER_REASON
    assert setup.held.policy == 0x24
    other = certificate(CLIENT.hex().upper(), serial=91).octets
    assert setup.result(6, OctetString(other)) is R.OTHER_REASON
    assert list(setup.held.certificates) == [ROOT]


def with_secrets(tmp_path, name=NAME):
    """Return a device as it starts: with the secrets that it was made with, or those from its file."""
    device = LogicalDevice("MMM1")
    low = device.add_association(2, secret=b"made with")
    high = AssociationProfile(client_sap=3, mechanism=AuthenticationMechanism.HLS_SHA256,
                              authenticator=lambda: None, system_title=METER)  # fmt: skip
    high = device.add_association(high, secret=b"high secret")
    keep_secrets(device, KeyFile(tmp_path / "keys.toml"), name)
    return low.association_object, high.association_object


def test_an_old_secret_does_not_come_back(tmp_path):
    low, high = with_secrets(tmp_path)
    assert low.set(7, OctetString(b"changed")) is DataAccessResult.SUCCESS
    assert high.call_change_HLS_secret(b"changed, too") is R.SUCCESS
    low, high = with_secrets(tmp_path)
    assert (low.current_secret(), high.current_secret()) == (b"changed", b"changed, too")
    assert with_secrets(tmp_path, "another")[0].current_secret() == b"made with"
    (file,) = tmp_path.glob("*.secrets")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "changed" not in repr(AssociationSecretsFile(file))


def test_a_secret_that_cannot_be_put_to_rest_is_not_changed(tmp_path, monkeypatch):
    low, _ = with_secrets(tmp_path)

    def fail(*_):
        raise ConfigurationError("the disk is full")

    monkeypatch.setattr("cosem.store.association_secrets.write_private", fail)
    assert low.set(7, OctetString(b"changed")) is DataAccessResult.OTHER_REASON
    assert low.current_secret() == b"made with"


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"format": 1, "secrets": {"a": 1}}',
                                     '{"format": 1, "secrets": []}'])  # fmt: skip
def test_secrets_that_cannot_be_read_are_not_taken_for_none(tmp_path, content):
    path = tmp_path / "secrets"
    write_private(path, content.encode())
    with pytest.raises(ConfigurationError, match="holds no secrets"):
        AssociationSecretsFile(path)


@pytest.mark.parametrize("policy", [SecurityPolicyV0(3), SecurityPolicyV1(0x6C)])
def test_the_file_is_its_owner_s_alone(tmp_path, policy):
    path = tmp_path / "state"
    file = SecurityStateFile(path)
    assert file.state == SecurityState()
    file.keep_policy(policy)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = SecurityStateFile(path).state
    assert again == replace(file.state)
    assert type(again.policy) is type(policy)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        '{"format": 2}',
        '{"format": 1, "certificates": ["00"]}',
        '{"format": 1, "certificates": [], "client_title": "00"}',
        '{"format": 1, "certificates": [], "client_title": 7}',
        '{"format": 1, "certificates": [], "security_policy": 9, "security_setup_version": 0}',
        '{"format": 1, "certificates": [], "security_policy": 0, "security_setup_version": 7}',
        '{"format": 1, "certificates": [], "security_policy": "108", "security_setup_version": 1}',
    ],
)
def test_a_state_that_cannot_be_read_is_not_taken_for_none(tmp_path, content):
    path = tmp_path / "state"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="no state of"):
        SecurityStateFile(path)


def test_what_somebody_wrote_into_the_key_file_and_its_default_stays(tmp_path):
    path = tmp_path / "keys.toml"
    store, keys = KeyFile(path), pairs(SecuritySuite(1))[1]
    store.put("default", Keys(suite=1, hls_secret=Secret(b"that of all meters")))
    store.put(NAME, replace(keys, password=Secret(b"before")))
    held = held_at_rest(store.find(name=NAME), store, NAME, counters=VolatileCounterStore())
    KeyFile(path).put(NAME, replace(keys, password=Secret(b"typed meanwhile")))
    held.change_keys(encryption=Key(bytes(range(50, 66))))
    kept = KeyFile(path).find(name=NAME)
    assert (kept.password, kept.encryption) == (Secret(b"typed meanwhile"), held.keys.encryption)
    assert path.read_text().count("hls_secret") == 1
    assert kept.hls_secret == Secret(b"that of all meters")


def test_keys_that_the_file_did_not_have_come_to_rest_whole(tmp_path):
    store, keys = KeyFile(tmp_path / "keys.toml"), pairs(SecuritySuite(1))[1]
    held = held_at_rest(keys, store, NAME, counters=VolatileCounterStore())
    held.change_keys(encryption=Key(bytes(range(50, 66))))
    assert store.find(name=NAME) == held.keys
