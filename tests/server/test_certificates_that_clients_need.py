"""Certificates without which nobody could sign any more stay; those that were imported open associations."""

from __future__ import annotations

import pickle
import secrets
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosem.errors import AuthenticationError, ConfigurationError, CosemError, KeyMissingError
from cosem.security.authentication import Claim, EcdsaMechanism
from cosem.security.key_material import PrivateKey
from cosem.security.policy import SecurityPolicyV1
from cosem.server import secured_profile
from cosem.types.data import Enum, OctetString, Structure
from cosem.types.enumerations import ActionResult, AuthenticationMechanism
from tests.security.test_certificates import (
    AUTHORITY,
    DAY,
    NOW,
    ROOT,
    ROOT_KEY,
    SUB,
    SUB_KEY,
    certificate,
    hardware_module,
)
from tests.server.test_certificates_in_use import CLIENT, METER, OF_CLIENT, OF_METER, certified
from tests.server.test_security_setup import Setup

SUCCESS, OTHER_REASON = ActionResult.SUCCESS, ActionResult.OTHER_REASON
SIGNED_REQUESTS = SecurityPolicyV1(0x7C)
SIGNATURE = ("digital_signature",)
IMPORT, REMOVE = 6, 8
OF_THE_CLIENT = Structure((Enum(0), Structure((Enum(1), Enum(0), OctetString(CLIENT)))))
SECOND = PrivateKey(bytes([0x33]) * 32)


def setup(*imported, policy=SIGNED_REQUESTS, **keys) -> Setup:
    """Return a meter that knows clients by their certificates only, under a policy."""
    made = Setup(replace(OF_METER, **{"peer_signing": None, **keys}), anchors=[ROOT])
    for each in imported:
        assert made.result(IMPORT, OctetString(each.octets)) is SUCCESS
    made.held.strengthen(int(policy))
    return made


def of_client(private=OF_CLIENT.signing, **facts):
    return certified(private, SIGNATURE, **facts)


def of_another():
    key = ec.derive_private_key(0x3434, ec.SECP256R1())
    return certificate("4D4D4D0000000077", key=key, bits=SIGNATURE)


# --- what must stay -----------------------------------------------------------------------------------------


def test_the_only_key_that_the_policy_demands_is_not_removed():
    meter = setup(of_client())
    before = meter.state()
    assert meter.result(REMOVE, OF_THE_CLIENT) is OTHER_REASON
    assert meter.state() == before
    assert meter.held.certificates.public_keys()[0].keys() == {CLIENT}


def test_a_certificate_is_removed_where_another_client_still_signs():
    meter = setup(of_client(), of_another())
    assert meter.result(REMOVE, OF_THE_CLIENT) is SUCCESS
    assert CLIENT not in meter.held.certificates.public_keys()[0]


@pytest.mark.parametrize(
    ("policy", "keys"),
    [(SecurityPolicyV1(0x6C), {}), (SIGNED_REQUESTS, {"peer_signing": OF_METER.peer_signing})],
)
def test_a_certificate_is_removed_where_no_signature_depends_on_it(policy, keys):
    assert setup(of_client(), policy=policy, **keys).result(REMOVE, OF_THE_CLIENT) is SUCCESS


def test_the_authority_above_the_only_key_is_neither_removed_nor_replaced():
    def sub(key, serial):
        return certificate("Sub", "Root", key, ROOT_KEY, **AUTHORITY, serial=serial)

    meter = setup(sub(SUB_KEY, 91), of_client(issuer="Sub", signer=SUB_KEY))
    before = meter.state()
    serial = Structure((OctetString(bytes((91,))), OctetString(b"CN=Root")))
    for identification in (Structure((Enum(1), serial)), OF_THE_CLIENT):
        assert meter.result(REMOVE, identification) is OTHER_REASON
    other_key = ec.derive_private_key(0x5151, ec.SECP256R1())
    assert meter.result(IMPORT, OctetString(sub(other_key, 92).octets)) is OTHER_REASON
    assert meter.state() == before
    assert meter.result(IMPORT, OctetString(sub(SUB_KEY, 93).octets)) is SUCCESS  # the same key, renewed


def test_authorities_come_where_no_client_signs_yet():
    meter = setup(policy=SecurityPolicyV1(0x6C))
    meter.held.proven_by_signature = True
    for each in (SUB, of_client(issuer="Sub", signer=SUB_KEY)):
        assert meter.result(IMPORT, OctetString(each.octets)) is SUCCESS
    assert meter.result(REMOVE, OF_THE_CLIENT) is OTHER_REASON


# --- authorities with contradicting titles --------------------------------------------------------------------


def test_an_authority_of_two_titles_locks_nobody_out():
    authority = certificate(
        "4D4D4D0000BC6150", "Root", SUB_KEY, ROOT_KEY, **AUTHORITY, extensions=[(hardware_module(b"ABCDEFGH"), False)],
        serial=91,
    )  # fmt: skip
    with pytest.raises(CosemError):
        _ = authority.system_title
    meter = setup(authority, policy=SecurityPolicyV1(0x6C))
    assert meter.held.protection(CLIENT).policy == 0x6C
    below = of_client(issuer="4D4D4D0000BC6150", signer=SUB_KEY)
    assert meter.result(IMPORT, OctetString(below.octets)) is SUCCESS
    assert meter.held.certificates.public_keys()[0].keys() == {CLIENT}
    assert len(meter.object.get(6)) == 3
    assert meter.result(IMPORT, OctetString(authority.octets)) is SUCCESS  # in place of itself
    assert meter.result(REMOVE, OF_THE_CLIENT) is SUCCESS
    serial = Structure((OctetString(bytes((91,))), OctetString(b"CN=Root")))
    assert meter.call(7, Structure((Enum(1), serial))).return_parameters == authority.octets
    assert meter.result(REMOVE, Structure((Enum(1), serial))) is SUCCESS
    assert tuple(meter.held.certificates) == (ROOT,)


def test_an_end_entity_of_two_titles_is_not_imported():
    two = certificate(CLIENT.hex().upper(), extensions=[(hardware_module(b"ABCDEFGH"), False)])
    assert setup(policy=0x6C).result(IMPORT, OctetString(two.octets)) is OTHER_REASON


# --- HLS 7 -----------------------------------------------------------------------------------------------------


def opened(meter: Setup, private=OF_CLIENT.signing, *, brought=None) -> bool:
    """Return whether a client with this key proves who it is."""
    profile = secured_profile(AuthenticationMechanism.HLS_ECDSA, meter.held, client_sap=1)
    half = profile.authenticator()
    if not half.accepts_certificate(brought):
        return False
    own = secrets.token_bytes(32)
    challenge = half.begin(own, CLIENT)
    prover = EcdsaMechanism(replace(OF_CLIENT, signing=private).signing_key(), bytes(OF_CLIENT.peer_signing))
    try:
        answer = half.reply(prover.prove(Claim(challenge, own, CLIENT, METER)))
    except AuthenticationError:
        return False
    prover.check(Claim(own, challenge, METER, CLIENT), answer)
    return True


def test_a_client_is_known_by_the_certificate_that_was_imported():
    meter = setup(of_client(), policy=0x6C)
    assert opened(meter)
    assert not opened(meter, SECOND)
    assert meter.result(REMOVE, OF_THE_CLIENT) is OTHER_REASON  # it opens the association


def test_the_imported_certificate_comes_before_the_key_that_was_configured():
    meter = setup(of_client(SECOND), policy=0x6C, peer_signing=OF_METER.peer_signing)
    assert opened(meter, SECOND)
    assert not opened(meter)
    assert meter.result(REMOVE, OF_THE_CLIENT) is SUCCESS
    assert opened(meter)


def test_an_expired_certificate_opens_nothing():
    meter = setup(of_client(), policy=0x6C)
    meter.device._source.now = NOW + 2 * DAY
    assert not opened(meter)


@pytest.mark.parametrize(("private", "result"), [(OF_CLIENT.signing, True), (SECOND, False)])
def test_a_certificate_that_the_client_brings_must_be_for_the_key_that_is_held(private, result):
    assert opened(setup(of_client(), policy=0x6C), private, brought=of_client(private).octets) is result


def test_a_client_that_brings_the_certificate_of_another_key_is_refused():
    meter = setup(of_client(), policy=0x6C)
    assert not opened(meter, brought=of_client(SECOND).octets)
    assert not opened(meter, brought=b"\x30\x03\x02\x01\x01")


def test_without_any_certificate_the_missing_key_is_told_at_once():
    meter = Setup(replace(OF_METER, peer_signing=None))
    with pytest.raises(KeyMissingError) as caught:
        secured_profile(AuthenticationMechanism.HLS_ECDSA, meter.held, client_sap=1)
    assert "peer_signing" in str(pickle.loads(pickle.dumps(caught.value)))


def test_what_is_not_removed_says_why():
    meter = setup(of_client())
    (held,) = [each for each in meter.held.certificates if each != ROOT]
    with pytest.raises(ConfigurationError, match="would be left"):
        meter.held.remove_certificate(held)
    with pytest.raises(ConfigurationError, match="anchor"):
        meter.held.remove_certificate(ROOT)
