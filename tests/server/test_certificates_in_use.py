"""The key of a certificate is used for as long as somebody vouches for it, also in an association that stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosem.errors import KeyMissingError
from cosem.security.context import SecurityContext
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounter, VolatileCounterStore
from cosem.security.key_material import PrivateKey, PublicKey
from cosem.security.material import material_of
from cosem.security.policy import SecurityPolicyV1
from cosem.security.protection import Protection
from cosem.security.requests import public_key_of
from cosem.security.status import KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.security.suites import SecuritySuite
from cosem.types.data import Enum, OctetString, Structure
from cosem.types.enumerations import ActionResult
from tests.client.secured import pairs
from tests.security.test_certificates import AUTHORITY, DAY, NOW, ROOT, ROOT_KEY, SUB, SUB_KEY, certificate
from tests.server.test_security_setup import Setup

SUITE = SecuritySuite(1)
OF_CLIENT, OF_METER = pairs(SUITE)
CLIENT, METER = bytes(OF_CLIENT.client_title), bytes(OF_CLIENT.server_title)
AGREE = {"client": PrivateKey(bytes([0x51]) * 32), "meter": PrivateKey(bytes([0x62]) * 32)}
GET = bytes.fromhex("C001C100010000600100FF0200")
SIGNED = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_SIGNING, KeyUsed.SIGNING),))
AGREED = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_CIPHERING, KeyUsed.STATIC_UNIFIED),))
USES = {
    "signature": (SIGNED, OF_CLIENT.signing, ("digital_signature",), 0),
    "key agreement": (AGREED, AGREE["client"], ("key_agreement",), 1),
}


def certified(private, bits, **facts):
    key = ec.derive_private_key(int.from_bytes(private.octets, "big"), ec.SECP256R1())
    return certificate(CLIENT.hex().upper(), key=key, bits=bits, **facts)


def public(private):
    return PublicKey(public_key_of(SUITE, private))


class Meter(Setup):
    """A meter, the protection of an association with it that stands, and that of its client."""

    def __init__(self, use, *imported, anchors=(ROOT,)) -> None:
        options, *_ = USES[use]
        super().__init__(
            replace(OF_METER, peer_signing=None, key_agreement=AGREE["meter"]),
            anchors=list(anchors),
            policy=SecurityPolicyV1.NOTHING,
        )
        for each in imported:
            assert self.result(6, OctetString(each.octets)) is ActionResult.SUCCESS
        keys = replace(OF_CLIENT, key_agreement=AGREE["client"], peer_key_agreement=public(AGREE["meter"]))
        context = SecurityContext(material_of(keys), CLIENT, METER, in_kind=False)
        store = VolatileCounterStore()
        self.client = Protection(
            context, VolatileCounter(), lambda title: ReplayGuard(store, CounterName(b"k", title))
        )
        self.options = options
        self.association = self.held.protection(CLIENT)

    def at(self, moment) -> None:
        self.device._source.now = moment

    def takes(self) -> bool:
        """Return whether the association that stands takes what the client protects with its key."""
        octets = self.client.protect(GET, self.options)
        try:
            return self.association.unprotect(octets)[0] == GET
        except KeyMissingError:
            return False


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("what", ["certificate", "authority", "anchor"])
def test_what_expires_stops_counting_in_an_association_that_stands(use, what):
    _, private, bits, _ = USES[use]
    soon = {"end": NOW + DAY / 2}
    ends = {each: soon if each == what else {} for each in ("certificate", "authority", "anchor")}
    root = certificate("Root", "Root", ROOT_KEY, ROOT_KEY, **AUTHORITY, **ends["anchor"])
    sub = certificate("Sub", "Root", SUB_KEY, ROOT_KEY, **AUTHORITY, **ends["authority"])
    own = certified(private, bits, issuer="Sub", signer=SUB_KEY, **ends["certificate"])
    meter = Meter(use, sub, own, anchors=[root])
    changes = meter.held.changes
    for later, taken in ((0, True), (0.5, True), (0.6, False), (2, False), (0.4, True), (-9, True)):
        meter.at(NOW + later * DAY)  # also back: the clock was wrong
        assert meter.takes() is taken, later
    assert meter.held.changes == changes
    meter.at(NOW + 2 * DAY)
    meter.held.certificates.clock = None  # nobody knows the time
    assert meter.takes()


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("what", ["certificate", "authority"])
def test_what_is_removed_stops_counting_in_an_association_that_stands(use, what):
    _, private, bits, kind = USES[use]
    own = certified(private, bits, issuer="Sub", signer=SUB_KEY)
    meter = Meter(use, SUB, own)
    assert meter.takes()
    entity = (Enum(1), Enum(kind), OctetString(CLIENT))
    if what == "authority":
        entity = (Enum(2), Enum(3), OctetString(b""))
        meter.held.certificates._anchors, anchors = (), meter.held.certificates._anchors  # named the same
        assert meter.held.certificates.by_entity(2, 3, b"") == SUB
        assert meter.result(8, Structure((Enum(0), Structure(entity)))) is ActionResult.SUCCESS
        meter.held.certificates._anchors = anchors
    else:
        assert meter.result(8, Structure((Enum(0), Structure(entity)))) is ActionResult.SUCCESS
    assert not meter.takes()
    assert (own in tuple(meter.held.certificates)) is (what == "authority")  # held, and lends nothing
    if what == "authority":
        assert meter.result(6, OctetString(SUB.octets)) is ActionResult.SUCCESS
        assert meter.takes()


def test_of_two_certificates_of_one_use_the_one_that_lasts_longer_lends_its_key():
    _, private, bits, _ = USES["signature"]
    other = certificate("", key=SUB_KEY, bits=bits, end=NOW + DAY / 2, extensions=[_hardware()])
    for both in ((own := certified(private, bits), other), (other, own)):
        meter = Meter("signature", *both)
        assert meter.held.certificates.public_keys() == ({CLIENT: own.public_key}, {})
        assert meter.held.certificates.expired() == 0
        meter.at(NOW + 0.6 * DAY)
        assert meter.held.certificates.expired() == 1
        assert meter.takes()
        meter.at(NOW + 2 * DAY)
        assert meter.held.certificates.expired() == 2
        assert meter.held.certificates.public_keys() == ({}, {})


def _hardware():
    from tests.security.test_certificates import hardware_module

    return hardware_module(CLIENT), True
