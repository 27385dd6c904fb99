"""The same over a real connection: a server with keys, and ``cosem.connect(security=...)``."""

from __future__ import annotations

import asyncio

import pytest

import cosem
from cosem.association.server.profile import AssociationProfile
from cosem.client.ciphering import Ciphering
from cosem.client.security import INVOCATION_COUNTER, Ciphered, HighGmac, HighSha256
from cosem.errors import AssociationRefused, SecurityError
from cosem.security.counters import CounterName, VolatileCounterStore
from cosem.security.keys import Keys
from cosem.server.access_rights import AccessRights
from cosem.server.logical_device import LogicalDevice
from cosem.server.objects.data import DataObject
from cosem.server.security import secured_profile
from cosem.server.threads import serve_in_thread
from cosem.store.sqlite_counters import SqliteCounterStore
from cosem.types.data import DoubleLongUnsigned, OctetString, VisibleString
from cosem.types.enumerations import AuthenticationMechanism

M = AuthenticationMechanism
KEYS = Keys.parse(
    client_title="MMM0000000001", server_title="MMM0000BC614E", guek=bytes(range(7, 23)), gak=bytes(range(99, 115)),
    hls_secret="sesame",
)  # fmt: skip
TEXT = VisibleString("a text that takes several blocks, since the longest APDU is short; " * 5)


@pytest.fixture
def meter(tmp_path):
    """Return the URL of a meter with a public client, and its counters."""
    with SqliteCounterStore(tmp_path / "meter") as store:
        name = CounterName.of(KEYS.encryption, bytes(KEYS.client_title), store.salt)
        seen = DataObject(INVOCATION_COUNTER, value=DoubleLongUnsigned(0))
        seen.getter("value")(lambda: DoubleLongUnsigned(store.lowest_acceptable(name)))
        device = LogicalDevice("MMM12345678", objects=[seen, DataObject("0.0.96.1.0.255", value=TEXT)])
        device.add_association(AssociationProfile(client_sap=16))
        for sap, mechanism in ((1, M.HLS_GMAC), (3, M.LOWEST)):
            profile = secured_profile(
                mechanism, KEYS, client_sap=sap, counters=store, max_receive_pdu_size=128
            )
            device.add_association(profile)
        profile = secured_profile(M.HLS_SHA256, KEYS, client_sap=2, counters=store, ciphered=False)
        device.add_association(profile, AccessRights.full(), secret="sesame")
        with serve_in_thread(device) as url:
            yield url


@pytest.mark.parametrize("ciphering", [None, Ciphering(), Ciphering(dedicated=True), Ciphering(general=True)])
def test_blocking(meter, ciphering, tmp_path):
    with SqliteCounterStore(tmp_path / "client") as store:
        security = HighGmac(KEYS, Ciphering() if ciphering is None else ciphering, counters=store)
        for _ in range(2):
            with cosem.connect(meter, client=1, max_pdu_size=128, security=security) as client:
                assert client.get("0.0.96.1.0.255", 2, class_id=1) == TEXT


def test_asynchronous(meter):
    security = HighGmac(KEYS, counters=VolatileCounterStore())

    async def read():
        async with cosem.connect_async(meter, client=1, max_pdu_size=128, security=security) as client:
            return await client.get("0.0.96.1.0.255", 2, class_id=1)

    assert asyncio.run(read()) == TEXT


def test_a_client_that_lost_its_counters_reads_them_from_the_meter(meter):
    with cosem.connect(meter, client=3, security=Ciphered(KEYS, counters=VolatileCounterStore())):
        pass
    security = Ciphered(KEYS, counters=VolatileCounterStore())
    with pytest.raises(AssociationRefused, match="invocation counter"):
        cosem.connect(meter, client=3, security=security)
    with cosem.connect(meter) as public:
        security.raise_counter(public.get(INVOCATION_COUNTER, 2, class_id=1))
    with cosem.connect(meter, client=3, security=security) as client:
        assert client.get("0.0.96.1.0.255", 2, class_id=1) == TEXT


def test_a_secret_that_the_client_changes_holds_from_the_next_association_on(meter):
    first, second = (
        HighSha256(secret, keys={"client_title": "MMM0000000001"}) for secret in ("sesame", "simsim")
    )
    with cosem.connect(meter, client=2, security=first) as client:
        client.call("0.0.40.0.0.255", 2, OctetString(b"simsim"), class_id=15)
    with pytest.raises(SecurityError):
        cosem.connect(meter, client=2, security=first)
    with cosem.connect(meter, client=2, security=second) as client:
        assert client.get("0.0.96.1.0.255", 2, class_id=1) == TEXT
