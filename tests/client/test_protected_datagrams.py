"""Ciphered associations over UDP: what looks as if it came twice, and other programs with the same counters."""

from __future__ import annotations

import pytest

import cosem
from cosem.association.client.blocks import BlockSettings
from cosem.client.ciphering import Ciphering
from cosem.security.counters import VolatileCounterStore
from cosem.security.policy import SecurityPolicyV1
from cosem.server import AccessRights, DataObject, LogicalDevice, secured_profile, serve_in_thread
from cosem.store.sqlite_counters import SqliteCounterStore
from cosem.types.data import OctetString
from cosem.types.enumerations import AuthenticationMechanism, Conformance
from tests.client.secured import KEYS, SERIAL, SecuredMeter, reads, security

LONG = OctetString(bytes(5000))
"""Its blocks in the middle have the same octets wherever nothing encrypts them."""


@pytest.mark.parametrize("general", [False, True])
def test_a_long_value_that_is_not_encrypted_is_read_again_and_again(general):
    device = LogicalDevice(
        "MMM12345678", objects=[DataObject("0-0:96.1.0", value=SERIAL), DataObject("0-0:97.1.0", value=LONG)]
    )
    profile = secured_profile(
        AuthenticationMechanism.HLS_GMAC,
        KEYS,
        client_sap=1,
        counters=VolatileCounterStore(),
        policy=SecurityPolicyV1.NOTHING,
    )
    device.add_association(profile, AccessRights.full())
    ciphering = Ciphering(encrypted=False, general=general)
    with (
        serve_in_thread(device, "udp://127.0.0.1:0") as url,
        cosem.connect(
            url,
            client=1,
            security=security(ciphering=ciphering),
            max_pdu_size=1000,
            block_transfer=BlockSettings(patience=0.5, repeats=1),
        ) as client,
    ):
        assert client.conformance & Conformance.GENERAL_BLOCK_TRANSFER
        assert [client.get("0-0:97.1.0", 2) for _ in range(3)] == [LONG] * 3


def test_a_client_catches_up_with_another_program_whose_counters_were_higher(tmp_path):
    def of_file():
        return security(counters=SqliteCounterStore(tmp_path / "counters.sqlite3"))

    with (
        serve_in_thread(SecuredMeter().device, "udp://127.0.0.1:0") as url,
        cosem.connect(url, client=1, security=of_file(), timeouts=cosem.Timeouts(answer=0.5)) as first,
    ):
        assert reads(first)
        with cosem.connect(url, client=1, security=of_file()) as second:
            assert reads(second)
        assert [reads(first) for _ in range(5)] == [True] * 5
