"""Confirmations of what ``cosem listen`` hears: in clear, protected in kind, and where neither can be."""

from __future__ import annotations

import dataclasses
import json
import socket

import pytest

import cosem
from cosem.cli.push_confirming import Confirmer, wants_confirmation
from cosem.errors import ConfigurationError, CounterExhausted
from cosem.link.wrapper import wrap
from cosem.push import PushMessage, decode
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import CounterName, VolatileCounterStore
from cosem.security.inspection import Verdict
from cosem.security.material import material_of
from cosem.security.protection import Protection
from cosem.security.status import LayerOptions, ProtectionForm, SecurityOptions
from cosem.store.counted_keys import CountedKeys
from tests.cli.test_listen import NOTIFICATION, listening, port_of

KEYS = {
    "encryption": "000102030405060708090A0B0C0D0E0F",
    "authentication": "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
}
METER = bytes.fromhex("4D4D4D0000BC614E")
OURS = "4D4D4D0000000001"
CLEAR = bytes.fromhex("0F 4000002A") + NOTIFICATION[5:]


def side(own: bytes, which: Side, suite: int = 0) -> Protection:
    keys = cosem.Keys.parse(**KEYS, suite=suite)
    context = SecurityContext(material_of(keys), own, None, which)
    return CountedKeys(keys, own, VolatileCounterStore()).protection(context)


def pushed(*, encrypted: bool = True, suite: int = 0) -> bytes:
    layer = LayerOptions(ProtectionForm.GENERAL_GLO, encrypted=encrypted)
    return wrap(side(METER, Side.SERVER, suite).protect(CLEAR, SecurityOptions((layer,))), 1, 103)


def message_of(octets: bytes) -> PushMessage:
    (message,) = decode(octets, cosem.Keys.parse(**KEYS))
    return message


@pytest.mark.parametrize("suite", [0, 1])
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_protected_notification_is_confirmed_in_kind(encrypted, suite):
    message = message_of(pushed(encrypted=encrypted, suite=suite))
    assert wants_confirmation(message)
    confirmer = Confirmer(cosem.Keys.parse(**KEYS), OURS, VolatileCounterStore())
    meter = side(METER, Side.SERVER, suite)
    counters = []
    for _ in range(2):
        answer = confirmer.confirmation(message)
        assert answer[:8] == bytes.fromhex("0001 0067 0001") + (len(answer) - 8).to_bytes(2, "big")
        clear, status = meter.unprotect(answer[8:])
        assert clear == bytes.fromhex("10 4000002A 00")
        (layer,) = status.layers
        assert layer.form is ProtectionForm.GENERAL_GLO
        assert layer.system_title == bytes.fromhex(OURS)
        assert bool(layer.control & 0x20) is encrypted
        assert layer.verified
        counters.append(layer.invocation_counter)
    assert counters[1] == counters[0] + 1  # a nonce is never used twice


def test_the_counter_is_that_of_the_store_under_our_title():
    store = VolatileCounterStore()
    keys = cosem.Keys.parse(**KEYS)
    counted = CountedKeys(keys, bytes.fromhex(OURS), store)
    counted.counter().raise_to(500)
    Confirmer(keys, OURS, store).confirmation(message_of(pushed()))
    assert counted.last_reserved() == 501


def test_nothing_is_confirmed_that_was_not_verified_or_cannot_be_answered():
    message = message_of(pushed())
    store = VolatileCounterStore()
    confirmer = Confirmer(cosem.Keys.parse(**KEYS), OURS, store)
    for change in (
        {"verification": Verdict.UNVERIFIABLE},
        {"verification": Verdict.FAILED},
        {"framing": ("hdlc", "general-glo-ciphering")},
        {"framing": ("wrapper", "gateway", "general-glo-ciphering")},
        {"framing": ("wrapper", "general-ciphering")},
        {"system_title": bytes.fromhex(OURS)},
        {"source": None},
    ):
        assert confirmer.confirmation(dataclasses.replace(message, **change)) is None, change
    assert Confirmer(cosem.Keys.parse(**KEYS)).confirmation(message) is None
    clear = message_of(wrap(CLEAR, 1, 103))
    assert confirmer.confirmation(clear) == wrap(bytes.fromhex("10 4000002A 00"), 103, 1)
    assert confirmer.confirmation(dataclasses.replace(clear, framing=("hdlc",))) is None
    counted = CountedKeys(cosem.Keys.parse(**KEYS), bytes.fromhex(OURS), store)
    assert counted.last_reserved() == 0  # and no counter was spent on any of it


@pytest.mark.parametrize(
    ("keys", "title", "said"),
    [
        (None, OURS, "without --key"),
        ({"encryption": KEYS["encryption"]}, OURS, "without --key"),
        (KEYS, "MMM", "--title"),
    ],
)
def test_a_title_without_what_goes_with_it_is_refused(keys, title, said):
    with pytest.raises(ConfigurationError, match=said):
        Confirmer(None if keys is None else cosem.Keys.parse(**keys), title)


def options(tmp_path) -> list[str]:
    words = []
    for option, name in (("--key", "encryption"), ("--auth-key", "authentication")):
        (tmp_path / name).write_text(KEYS[name])
        (tmp_path / name).chmod(0o600)
        words += [option, f"@{tmp_path / name}"]
    return words


def test_a_meter_that_ciphers_gets_its_confirmation(tmp_path, monkeypatch):
    monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "counters"))
    with (
        listening("tcp://127.0.0.1:0", "--count", "1", "--title", OURS, *options(tmp_path)) as (
            process,
            said,
        ),
        socket.create_connection(("127.0.0.1", port_of(said))) as meter,
        meter.makefile("rb") as answers,
    ):
        meter.sendall(pushed())
        assert json.loads(process.stdout.readline())["verification"] == "verified"
        answer = answers.read()
        assert process.wait(20) == 0
    clear, _ = side(METER, Side.SERVER).unprotect(answer[8:])
    assert clear == bytes.fromhex("10 4000002A 00")


def test_a_meter_that_ciphers_is_told_of_once_where_there_is_no_title(tmp_path):
    with (
        listening("tcp://127.0.0.1:0", "--count", "2", "--duplicates", *options(tmp_path)) as (process, said),
        socket.create_connection(("127.0.0.1", port_of(said))) as meter,
        meter.makefile("rb") as answers,
    ):
        meter.sendall(pushed() * 2)
        assert answers.read() == b""
        assert process.wait(20) == 0
        assert process.stderr.read().count("which is not done: ") == 1


def test_a_counter_that_has_no_more_values_is_an_error():
    store = VolatileCounterStore()
    keys = cosem.Keys.parse(**KEYS)
    name = CounterName.of(keys.encryption, bytes.fromhex(OURS), store.salt)
    store.counter(name).raise_to(0xFFFFFFFE)
    confirmer = Confirmer(keys, OURS, store)
    message = message_of(pushed())
    assert confirmer.confirmation(message)
    with pytest.raises(CounterExhausted):
        confirmer.confirmation(message)
