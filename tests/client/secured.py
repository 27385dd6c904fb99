"""A meter with keys, served over TCP in this process, and what its clients share."""

from __future__ import annotations

from dataclasses import replace

import cosem
from cosem.association.server.profile import AssociationProfile
from cosem.client.ciphering import AUTHENTICATED_ENCRYPTION
from cosem.client.security import HighGmac
from cosem.security.counters import VolatileCounterStore
from cosem.security.key_material import PrivateKey
from cosem.security.keys import Keys
from cosem.security.requests import public_key_of
from cosem.security.suites import SecuritySuite
from cosem.server import (
    AccessRights,
    DataObject,
    HeldSecurity,
    InvocationCounterObject,
    LogicalDevice,
    secured_profile,
    security_setup_object,
)
from cosem.types.data import DoubleLongUnsigned, OctetString
from cosem.types.enumerations import AuthenticationMechanism

KEYS = Keys.parse(
    client_title="MMM0000000001", server_title="MMM0000BC614E", guek=bytes(range(7, 23)), gak=bytes(range(99, 115)),
    gbek=bytes(range(131, 147)), kek=bytes(range(163, 179)),
)  # fmt: skip
NAME = "MMM0000BC614E"
SERIAL = OctetString(b"12345678")


def pairs(suite: SecuritySuite) -> tuple[Keys, Keys]:
    """Return the keys of the client and of the meter, in a suite with signatures."""
    size = suite.coordinate_size
    client, meter = (PrivateKey(bytes([first]) * size) for first in (0x31, 0x42))
    symmetric = {
        name: bytes((start + step) & 0xFF for step in range(suite.key_size))
        for name, start in (("guek", 7), ("gak", 99), ("kek", 163))
    }
    titles = {"client_title": KEYS.client_title, "server_title": KEYS.server_title}
    keys = Keys.parse(suite=suite.value, **symmetric, **titles)
    of_client = replace(keys, signing=client, peer_signing=_public(suite, meter))
    return of_client, replace(keys, signing=meter, peer_signing=_public(suite, client))


def _public(suite, private):
    from cosem.security.key_material import PublicKey

    return PublicKey(public_key_of(suite, private))


class SecuredMeter:
    """A logical device with a public client (16) and a client with HLS-GMAC (1).

    Attributes:
        held: Its security.
        device: The logical device.
    """

    def __init__(self, keys: Keys = KEYS, **facts) -> None:
        self.held = HeldSecurity(keys, counters=VolatileCounterStore(), **facts)
        self.setup = security_setup_object(self.held)
        self.device = LogicalDevice(
            "MMM12345678",
            objects=[self.setup, InvocationCounterObject(self.held), DataObject("0.0.96.1.0.255", value=SERIAL),
                     DataObject("0.0.96.1.1.255", value=DoubleLongUnsigned(5))],
        )  # fmt: skip
        self.device.add_association(AssociationProfile(client_sap=16))
        profile = secured_profile(AuthenticationMechanism.HLS_GMAC, self.held, client_sap=1)
        self.entry = self.device.add_association(profile, AccessRights.full())


def security(keys: Keys = KEYS, ciphering=AUTHENTICATED_ENCRYPTION, **settings) -> HighGmac:
    """Return the client's security, with counters of its own unless some are given."""
    return HighGmac(keys, ciphering, **{"counters": VolatileCounterStore(), **settings})


def reads(meter: cosem.Client) -> bool:
    return meter.get("0.0.96.1.0.255", 2, class_id=1) == SERIAL
