"""A key that a module holds and never gives away serves both sides, from the AARQ to the last read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import cosem
from cosem.errors import CosemError, VerificationError
from cosem.security.key_material import Key
from cosem.server.threads import serve_in_thread
from cosem.store.memory_keys import MemoryKeyStore
from tests.client.secured import KEYS, NAME, SERIAL, SecuredMeter, reads, security

_TAG = 12


class Module:
    """What a hardware module or a vault offers: it works with a key, and has no way to get at it."""

    def __init__(self, key: Key, *, broken: bool = False) -> None:
        gcm = AESGCM(key.octets)
        self._seal = lambda *parts: gcm.encrypt(*parts)[: _TAG - 16]
        self.fingerprint = key.fingerprint
        self.broken = broken
        self.done: list[str] = []

    def encrypt(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        self.done.append("encrypt")
        if self.broken:
            raise VerificationError("the module does not answer")
        return self._seal(nonce, plaintext, associated_data)

    def decrypt(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        self.done.append("decrypt")
        opened = self._seal(nonce, ciphertext[:-_TAG], b"")[:-_TAG]
        if self._seal(nonce, opened, associated_data) != ciphertext:
            raise VerificationError("the authentication tag does not match")
        return opened


def test_a_meter_is_read_and_written_with_keys_that_only_modules_have():
    of_client, of_meter = Module(KEYS.encryption), Module(KEYS.encryption)
    meter = SecuredMeter(replace(KEYS, encryption=of_meter))
    store = MemoryKeyStore({NAME: replace(KEYS, encryption=of_client)})
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(store.find(name=NAME))) as client,
    ):
        assert reads(client)
        client.set("0.0.96.1.1.255", 2, 77, class_id=1)
        shown = repr(client.keys.present)
    assert meter.device["0.0.96.1.1.255"].stored(2) == 77
    for module in (of_client, of_meter):
        assert module.done.count("encrypt") >= 4  # the InitiateRequest or its answer, the proof, two services
        assert module.done.count("decrypt") >= 3
    assert "held elsewhere" in shown
    assert KEYS.encryption.octets.hex() not in shown


def test_one_side_has_the_key_and_the_other_a_module():
    meter = SecuredMeter(KEYS)
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(
            url, client=1, security=security(replace(KEYS, encryption=Module(KEYS.encryption)))
        ) as client,
    ):
        assert client.get("0.0.96.1.0.255", 2, class_id=1) == SERIAL


@pytest.mark.parametrize("broken", [False, True], ids=["of another key", "that does not answer"])
def test_a_module_that_does_not_help_opens_nothing(broken):
    meter = SecuredMeter(KEYS)
    module = Module(KEYS.encryption if broken else KEYS.broadcast, broken=broken)
    keys = replace(KEYS, encryption=module, broadcast=None)
    with serve_in_thread(meter.device) as url, pytest.raises(CosemError):
        cosem.connect(url, client=1, security=security(keys))
    assert module.done
