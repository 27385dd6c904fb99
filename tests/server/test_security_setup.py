"""Security setup at the server: a request changes all that it asks for, or nothing, and only for the better."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings, strategies

from cosem.codec.data import decode_data
from cosem.errors import ConfigurationError, KeyMissingError
from cosem.security.agreement import EcdhKey, sign_key_data
from cosem.security.counters import VolatileCounterStore
from cosem.security.key_material import Key, PrivateKey, PublicKey
from cosem.security.key_wrap import KeyEncryptionKey
from cosem.security.keys import Keys
from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1
from cosem.security.requests import public_key_of
from cosem.security.signing import EcdsaKey
from cosem.security.suites import SecuritySuite
from cosem.server import HeldSecurity, LogicalDevice, security_setup_object
from cosem.types.data import Array, DoubleLongUnsigned, Enum, Integer, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.client.secured import KEYS, pairs
from tests.security.test_certificates import AUTHORITY, DAY, NOW, ROOT, ROOT_KEY, SUB, SUB_KEY, certificate
from tests.server.driver import StandingClock
from tests.vectors import vector

R, D = ActionResult, DataAccessResult
NAMES = ("encryption", "broadcast", "authentication", "master")
NEW = [Key(bytes(range(start, start + 16))) for start in (40, 41, 42, 43)]
METER = bytes(KEYS.server_title)


class Setup:
    """A Security setup object in a logical device, called as by a client."""

    def __init__(self, keys: Keys = KEYS, **facts) -> None:
        self.held = HeldSecurity(keys, counters=VolatileCounterStore(), **facts)
        self.object = security_setup_object(self.held)
        self.device = LogicalDevice("MMM1", objects=[self.object], clock=StandingClock(NOW))

    def call(self, number, parameter):
        return self.object.call(number, parameter)

    def result(self, number, parameter):
        return self.call(number, parameter).result

    def state(self):
        return self.held.keys, self.held.policy, tuple(self.held.certificates)


def wrapped(key: Key, master: Key = KEYS.master) -> OctetString:
    return OctetString(KeyEncryptionKey(master).wrap(key.octets))


def transfer(*items) -> Array:
    return Array(Structure((Enum(key_id), octets)) for key_id, octets in items)


def test_attributes():
    setup = Setup(policy=SecurityPolicyV1(0x6C))
    values = [setup.object.get(number) for number in range(1, 7)]
    assert values[0] == bytes.fromhex("00002B0000FF")
    assert values[1:3] == [Enum(0x6C), Enum(0)]
    assert values[3:5] == [OctetString(KEYS.client_title), OctetString(KEYS.server_title)]
    assert values[5] == ()
    old = Setup(policy=SecurityPolicyV0.AUTHENTICATED)
    assert (old.object.version, old.object.get(2), len(old.object.attributes)) == (0, Enum(1), 5)


def test_the_title_of_the_client_is_written_where_no_one_else_said_it():
    setup = Setup(replace(KEYS, client_title=None))
    assert setup.object.get(4) == b""
    assert setup.object.set(4, OctetString(METER)) is D.OTHER_REASON
    assert setup.object.set(4, OctetString(b"short")) is D.TYPE_UNMATCHED
    assert setup.object.set(4, Integer(3)) is D.TYPE_UNMATCHED
    assert setup.object.set(4, OctetString(KEYS.client_title)) is D.SUCCESS
    assert setup.object.get(4) == KEYS.client_title
    assert setup.held.protection(None)._client_title == KEYS.client_title
    for number in (1, 2, 3, 5, 6):
        assert setup.object.set(number, setup.object.get(number)) is D.READ_WRITE_DENIED
    known = Setup()
    assert known.object.set(4, OctetString(b"ABCDEFGH")) is D.OTHER_REASON


@pytest.mark.parametrize("version", [SecurityPolicyV0, SecurityPolicyV1])
def test_a_policy_is_only_ever_strengthened(version):
    numbers = range(4) if version is SecurityPolicyV0 else range(0, 256, 4)
    for present, wanted in product(numbers, numbers):
        setup = Setup(pairs(SecuritySuite(1))[1], policy=version(present))
        stronger = wanted & present == present
        assert (setup.result(1, Enum(wanted)) is R.SUCCESS) is stronger
        assert setup.held.policy == (wanted if stronger else present)
    setup = Setup(policy=version(0))
    for wrong in (1, 2, 3) if version is SecurityPolicyV1 else (4, 5, 255):
        assert setup.result(1, Enum(wrong)) is R.OTHER_REASON
    assert setup.result(1, Integer(0)) is R.TYPE_UNMATCHED


@pytest.mark.parametrize(
    ("suite", "missing", "refused"),
    [
        (0, (), (0x7C, 0xEC, 0xFC)),
        (1, ("signing",), (0xEC, 0xFC)),
        (1, ("peer_signing",), (0x7C, 0xFC)),
        (1, ("signing", "peer_signing"), (0x7C, 0xEC, 0xFC)),
        (2, (), ()),
    ],
)
def test_no_policy_is_activated_that_nobody_could_meet(suite, missing, refused):
    keys = KEYS if suite == 0 else replace(pairs(SecuritySuite(suite))[1], **dict.fromkeys(missing))
    for policy in (0x6C, 0x7C, 0xEC, 0xFC):
        setup = Setup(keys)
        before = setup.state()
        done = setup.result(1, Enum(policy))
        assert done is (R.OTHER_REASON if policy in refused else R.SUCCESS)
        assert policy not in refused or setup.state() == before


def test_a_signature_of_a_client_is_demanded_once_its_certificate_is_here():
    setup = Setup(replace(pairs(SecuritySuite(1))[1], peer_signing=None), anchors=[ROOT])
    client = certificate(bytes(KEYS.client_title).hex().upper())
    assert setup.result(1, Enum(0x7C)) is R.OTHER_REASON
    assert setup.result(6, OctetString(client.octets)) is R.SUCCESS
    assert setup.result(1, Enum(0x7C)) is R.SUCCESS


def test_a_certificate_whose_key_cannot_be_put_to_rest_is_not_held():
    def fail(keys, policy):
        raise ConfigurationError("the disk is full")

    setup = Setup(pairs(SecuritySuite(1))[1], anchors=[ROOT], on_change=fail)
    setup.result(4, Enum(0))
    der = certified(bytes(setup.call(5, Enum(0)).return_parameters), bits=USES[0][1], serial=90)
    before = setup.state()
    assert setup.result(6, OctetString(der)) is R.OTHER_REASON
    assert setup.state() == before


def test_the_vector_of_key_transfer():
    known = vector("security", "key-transfer")
    setup = Setup(replace(KEYS, master=Key(bytes.fromhex(known["master_key"]))), allow_test_keys=True)
    assert setup.result(2, decode_data(bytes.fromhex(known["hex"]))) is R.SUCCESS
    assert setup.held.keys.encryption.octets.hex().upper() == known["guek"]
    assert setup.held.keys.authentication.octets.hex().upper() == known["gak"]


@pytest.mark.parametrize("version", [0, 1])
def test_every_set_of_keys_is_taken_whole(version):
    ids = range(4 if version else 3)
    for size in ids:
        for chosen in combinations(ids, size + 1):
            setup = Setup(policy=SecurityPolicyV1(0x6C) if version else SecurityPolicyV0(3))
            assert (
                setup.result(2, transfer(*((key_id, wrapped(NEW[key_id])) for key_id in chosen))) is R.SUCCESS
            )
            for key_id, name in enumerate(NAMES):
                expected = NEW[key_id] if key_id in chosen else getattr(KEYS, name)
                assert getattr(setup.held.keys, name) == expected


GOOD = [(key_id, wrapped(NEW[key_id])) for key_id in range(4)]
BAD = {
    "not wrapped by the master key": (1, wrapped(NEW[1], NEW[2])),
    "one bit": (1, OctetString(bytes([GOOD[1][1][0] ^ 1]) + GOOD[1][1][1:])),
    "another length": (1, OctetString(KeyEncryptionKey(KEYS.master).wrap(bytes(range(32))))),
    "no key at all": (1, OctetString(b"")),
    "an unknown key": (4, GOOD[1][1]),
    "twice": (0, GOOD[1][1]),
    "known to everybody": (1, wrapped(Key(bytes(range(16))))),
    "one key for two purposes": (1, wrapped(NEW[0])),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_key_and_nothing_changes(bad, place):
    setup = Setup()
    items = [GOOD[0], GOOD[2]]
    items.insert(place, BAD[bad])
    assert setup.result(2, transfer(*items)) is R.OTHER_REASON
    assert setup.state() == (KEYS, SecurityPolicyV1(0x6C), ())
    assert setup.held.changes == 0


def test_version_0_takes_no_master_key_and_no_list_is_empty_or_too_long():
    assert Setup(policy=SecurityPolicyV0(3)).result(2, transfer(GOOD[3])) is R.OTHER_REASON
    for items in ((), (*GOOD, GOOD[0])):
        assert Setup().result(2, transfer(*items)) is R.OTHER_REASON
    assert Setup(replace(KEYS, master=None)).result(2, transfer(GOOD[0])) is R.OTHER_REASON


def test_what_cannot_be_put_to_rest_is_not_taken():
    kept = []

    def keep(keys, policy):
        kept.append((keys, policy))
        if len(kept) > 1:
            raise ConfigurationError("the disk is full")

    setup = Setup(policy=SecurityPolicyV1(0x24), on_change=keep)
    assert setup.result(2, transfer(GOOD[0])) is R.SUCCESS
    assert kept[0][0].encryption == NEW[0]
    before = setup.state()
    assert setup.result(2, transfer(GOOD[2])) is R.OTHER_REASON
    assert setup.result(1, Enum(0x6C)) is R.OTHER_REASON
    assert setup.state() == before


@given(strategies.recursive(
    strategies.one_of(strategies.integers(0, 255).map(Enum), strategies.binary(max_size=40).map(OctetString),
                      strategies.none(), strategies.integers(0, 9).map(DoubleLongUnsigned)),
    lambda inner: strategies.one_of(strategies.lists(inner, max_size=4).map(Array),
                                    strategies.lists(inner, max_size=4).map(Structure)), max_leaves=8),
    strategies.integers(-1, 10))  # fmt: skip
@settings(max_examples=300)
def test_whatever_is_sent_is_answered(parameter, number):
    setup = Setup(pairs(SecuritySuite(1))[1])
    outcome = setup.call(number, parameter)
    assert isinstance(outcome.result, ActionResult)
    if outcome.result is not R.SUCCESS:
        assert setup.held.changes == 0


# --- agreement -----------------------------------------------------------------------------------------


def half(keys: Keys, key_id: int, pair: EcdhKey, signed_id: int | None = None) -> tuple[int, OctetString]:
    signer = EcdsaKey(pair.suite, keys.signing)
    return key_id, OctetString(
        sign_key_data(signer, pair.public_key, key_id if signed_id is None else signed_id)
    )


def test_the_vector_of_key_agreement():
    """The published halves, and the key that they give; the server's random octets make its published key."""
    known = vector("security", "ka-2e0s")

    def octets(name):
        return bytes.fromhex(known[name])

    meter = PrivateKey(b"\x42" * 32)
    keys = Keys.parse(suite=1, client_title=octets("client_system_title").hex(), server_title=octets("server_system_title").hex(),
                      guek=bytes(range(7, 23)), gak=bytes(range(99, 115)))  # fmt: skip
    keys = replace(keys, signing=meter, peer_signing=PublicKey(octets("client_public_signing_key")))
    secret = int.from_bytes(octets("server_ephemeral_private"), "big") - 1
    setup = Setup(keys, random_octets=lambda size: secret.to_bytes(size, "big"))
    outcome = setup.call(3, decode_data(octets("key_agreement_parameter")))
    assert outcome.result is R.SUCCESS
    assert setup.held.keys.encryption.octets == octets("derived_key")
    ((key_id, data),) = outcome.return_parameters
    assert key_id == 0
    assert data[:64] == octets("server_ephemeral_public")


@pytest.mark.parametrize("what", ["signature", "signer", "key_id", "point", "length", "suite 0", "nobody"])
def test_a_half_that_is_not_the_client_s_changes_nothing(what):
    of_client, of_meter = pairs(SecuritySuite(1))
    pair = EcdhKey(SecuritySuite(1), b"\x05" * 32)
    good = half(of_client, 0, pair)
    data = good[1]
    if what == "signature":
        data = OctetString(data[:-1] + bytes([data[-1] ^ 1]))
    elif what == "signer":
        data = half(of_meter, 0, pair)[1]
    elif what == "key_id":
        data = half(of_client, 0, pair, signed_id=2)[1]
    elif what == "point":
        point = bytes(63) + b"\x01"
        data = OctetString(point + EcdsaKey(SecuritySuite(1), of_client.signing).sign(b"\x00" + point))
    elif what == "length":
        data = OctetString(data[:-1])
    elif what == "suite 0":
        of_meter = KEYS
    elif what == "nobody":
        of_meter = replace(of_meter, peer_signing=None)
    setup = Setup(of_meter)
    before = setup.state()
    second = half(of_client, 2, pair)
    assert setup.result(3, transfer(second, (0, data))) is R.OTHER_REASON
    assert setup.state() == before


# --- certificates --------------------------------------------------------------------------------------


def certified(request: bytes, **facts) -> bytes:
    """Return what an authority makes of a request."""
    asked = x509.load_der_x509_csr(request)
    assert asked.is_signature_valid

    class Pair:
        public_key = asked.public_key

    return certificate(asked.subject.rfc4514_string().removeprefix("CN="), key=Pair, **facts).octets


USES = {0: ("signing", ("digital_signature",)), 1: ("key_agreement", ("key_agreement",))}


@pytest.mark.parametrize("use", USES)
def test_a_meter_is_equipped_with_a_new_key_pair(use):
    name, bits = USES[use]
    of_meter = pairs(SecuritySuite(1))[1]
    setup = Setup(of_meter, anchors=[ROOT])
    former = getattr(of_meter, name)
    assert setup.result(4, Enum(use)) is R.SUCCESS
    assert getattr(setup.held.keys, name) == former  # not before it is certified
    request = bytes(setup.call(5, Enum(use)).return_parameters)
    der = certified(request, bits=bits, serial=90)
    assert setup.result(6, OctetString(der)) is R.SUCCESS
    new = getattr(setup.held.keys, name)
    assert new != former
    assert public_key_of(SecuritySuite(1), new) == setup.held.certificates.by_entity(0, use, METER).public_key
    listed = setup.object.get(6)
    assert [(int(each[0]), int(each[1])) for each in listed] == [(2, 3), (0, use)]
    assert bytes(listed[1][3]) == b"CN=Root"
    by_title = Structure((Enum(0), Structure((Enum(0), Enum(use), OctetString(METER)))))
    by_serial = Structure((Enum(1), Structure((OctetString(b"\x5a"), OctetString(b"CN=Root")))))
    as_der = Structure((Enum(1), Structure((OctetString(b"\x02\x01\x5a"), OctetString(ROOT.issuer_octets)))))
    for identification in (by_title, by_serial, as_der):
        assert setup.call(7, identification).return_parameters == der
        assert (
            setup.result(8, identification) is R.OTHER_REASON
        )  # the server's own is replaced, never removed
    assert setup.result(4, Enum(use)) is R.SUCCESS
    again = certified(bytes(setup.call(5, Enum(use)).return_parameters), bits=bits, serial=78)
    assert setup.result(6, OctetString(again)) is R.SUCCESS
    assert len(setup.object.get(6)) == 2


def test_certificates_of_others_come_and_go():
    of_meter = replace(pairs(SecuritySuite(1))[1], peer_signing=None)
    setup = Setup(of_meter, anchors=[ROOT])
    client = certificate(bytes(KEYS.client_title).hex().upper(), issuer="Sub", signer=SUB_KEY)
    assert setup.result(6, OctetString(client.octets)) is R.OTHER_REASON  # its authority is not known yet
    assert setup.result(6, OctetString(SUB.octets)) is R.SUCCESS
    assert setup.result(6, OctetString(client.octets)) is R.SUCCESS
    assert setup.held.certificates.public_keys()[0] == {bytes(KEYS.client_title): client.public_key}
    assert [int(each[0]) for each in setup.object.get(6)] == [2, 2, 1]
    material = setup.held.fresh_protection(None, every_message=True).context.material
    assert material.signing_keys[bytes(KEYS.client_title)] == client.public_key
    remove = Structure((Enum(0), Structure((Enum(1), Enum(0), OctetString(KEYS.client_title)))))
    assert setup.result(8, remove) is R.SUCCESS
    assert setup.result(8, remove) is R.OTHER_REASON
    assert setup.result(7, remove) is R.OTHER_REASON
    assert setup.held.certificates.public_keys() == ({}, {})
    anchor = Structure((Enum(0), Structure((Enum(2), Enum(3), OctetString(b"")))))
    assert setup.call(7, anchor).return_parameters == ROOT.octets
    assert setup.result(8, anchor) is R.OTHER_REASON


def test_certificates_that_nobody_vouches_for_are_refused():
    setup = Setup(pairs(SecuritySuite(1))[1], anchors=[ROOT])
    stranger = ec.derive_private_key(99, ec.SECP256R1())
    theirs = bytes(KEYS.client_title).hex().upper()
    refused = {
        "no certificate": b"\x30\x03\x02\x01\x01",
        "forged": certificate(theirs, signer=stranger).octets,
        "an authority of its own": certificate("Else", "Else", stranger, stranger, **AUTHORITY).octets,
        "the anchor again, by somebody else": certificate(
            "Root", "Root", stranger, stranger, **AUTHORITY
        ).octets,
        "over": certificate(theirs, begin=NOW.replace(year=2020), end=NOW.replace(year=2021)).octets,
        "of nobody": certificate("Somebody").octets,
        "for a key that is not here": certificate(METER.hex().upper()).octets,
        "for TLS, of which there is none": certificate(
            METER.hex().upper(), bits=("digital_signature", "key_agreement")
        ).octets,
    }
    before = setup.state()
    for what, octets in refused.items():
        assert setup.result(6, OctetString(octets)) is R.OTHER_REASON, what
    assert setup.state() == before
    assert (
        Setup(pairs(SecuritySuite(1))[1]).result(6, OctetString(certificate(theirs).octets)) is R.OTHER_REASON
    )


def test_suite_0_and_tls_have_no_key_pairs():
    for keys, use in ((KEYS, 0), (pairs(SecuritySuite(1))[1], 2), (pairs(SecuritySuite(1))[1], 9)):
        setup = Setup(keys)
        assert setup.result(4, Enum(use)) is R.OTHER_REASON
        assert setup.result(5, Enum(use)) is R.OTHER_REASON
    assert Setup(pairs(SecuritySuite(1))[1]).result(5, Enum(1)) is R.OTHER_REASON  # there is no pair yet


def test_what_a_held_security_is_made_of():
    with pytest.raises(KeyMissingError, match="system title of the server"):
        HeldSecurity(replace(KEYS, server_title=None))
    with pytest.raises(ConfigurationError, match="everybody knows"):
        HeldSecurity(replace(KEYS, encryption=Key(bytes(16))))
    held = Setup().held
    with pytest.raises(ConfigurationError, match="server_title does not change"):
        held.change_keys(server_title=KEYS.client_title)
    assert "000102" not in repr(held)
    assert "policy 6C" in repr(held)
    assert ROOT_KEY is not None


def test_a_certificate_that_has_expired_lends_its_key_no_longer():
    of_meter = replace(pairs(SecuritySuite(1))[1], peer_signing=None)
    setup = Setup(of_meter, anchors=[ROOT])
    client = certificate(bytes(KEYS.client_title).hex().upper())
    assert setup.result(6, OctetString(client.octets)) is R.SUCCESS
    held = {bytes(KEYS.client_title): client.public_key}
    for later, known in ((-9, held), (0, held), (2, {})):
        setup.device._source.now = NOW + later * DAY
        assert setup.held.certificates.public_keys()[0] == known
        material = setup.held.fresh_protection(None, every_message=True).context.material
        assert material.signing_keys == known
    setup.held.certificates.clock = None
    assert setup.held.certificates.public_keys()[0] == held
