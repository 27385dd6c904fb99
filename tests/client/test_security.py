"""Client and server of ours with real keys, in memory: every mechanism, clear and ciphered."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.get import get
from cosem.association.client.parameters import AssociationParameters
from cosem.association.control_function import State
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import ReadAttribute
from cosem.client import security_base
from cosem.client.ciphering import Ciphering
from cosem.client.security import (
    Ciphered,
    HighEcdsa,
    HighGmac,
    HighManufacturer,
    HighMd5,
    HighSha1,
    HighSha256,
    LowLevel,
)
from cosem.errors import (
    AssociationRefused,
    ConfigurationError,
    CosemError,
    CounterExhausted,
    KeyMissingError,
    SecurityError,
)
from cosem.security.counters import CounterName, VolatileCounterStore
from cosem.security.key_material import Secret
from cosem.security.keys import Keys
from cosem.security.policy import SecurityPolicyV1
from cosem.security.signing import EcdsaKey
from cosem.security.suites import SecuritySuite
from cosem.server import security as server_security
from cosem.server.security import secured_profile
from cosem.store.sqlite_counters import SqliteCounterStore
from cosem.types.data import DoubleLongUnsigned
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance
from cosem.types.logical_name import LogicalName

M = AuthenticationMechanism
CLIENT, SERVER = "MMM0000000001", "MMM0000BC614E"
ENERGY = CosemAttributeDescriptor(3, LogicalName("1.0.1.8.0.255"), 2)
VALUE = DoubleLongUnsigned(674803)


def proof_of_ours(claim):
    return hashlib.sha512(b"ours" + claim.challenge).digest()


def pair(number: int, suite: int) -> EcdsaKey:
    return EcdsaKey(SecuritySuite(suite), bytes([number]) * (32 if suite == 1 else 48))


def both_keys(suite: int = 0) -> tuple[Keys, Keys]:
    """Return the keys of one meter as client and as server have them."""
    size = 32 if suite == 2 else 16
    shared = Keys.parse(
        suite=suite, client_title=CLIENT, server_title=SERVER, guek=bytes(range(7, 7 + size)),
        gak=bytes(range(99, 99 + size)), hls_secret="sesame", password="12345678",
    )  # fmt: skip
    if suite == 0:
        return shared, shared
    mine, theirs = pair(1, suite), pair(2, suite)
    client = replace(shared, signing=mine)
    client = client.over(Keys.parse(suite=suite, peer_signing=theirs.public_key))
    server = replace(shared, signing=theirs)
    return client, server.over(Keys.parse(suite=suite, peer_signing=mine.public_key))


def security_of(
    mechanism: AuthenticationMechanism, keys: Keys, ciphering: Ciphering | None, **settings: Any
) -> Any:
    common = {"keys": keys, "ciphering": ciphering, **settings}
    if mechanism is M.LOWEST:
        return Ciphered(keys, ciphering, **settings)
    if mechanism is M.HLS:
        return HighManufacturer(proof_of_ours, **common)
    if mechanism in (M.HLS_GMAC, M.HLS_ECDSA):
        return (HighGmac if mechanism is M.HLS_GMAC else HighEcdsa)(keys, ciphering, **settings)
    return {M.LLS: LowLevel, M.HLS_MD5: HighMd5, M.HLS_SHA1: HighSha1, M.HLS_SHA256: HighSha256}[mechanism](
        **common
    )


class Line:
    """A client, a meter with one register, and the octets between them."""

    def __init__(
        self, security: Any, *profiles: Any, parameters: AssociationParameters | None = None
    ) -> None:
        prepared = security.prepare(parameters or AssociationParameters(client_sap=1))
        self.client = ClientAssociation(
            prepared.parameters, protection=prepared.protection, authenticator=prepared.authenticator
        )
        self.server = ServerAssociation(profiles, client_sap=1, server_sap=1)
        self.carried: list[tuple[str, bytes]] = []
        self.change = lambda _direction, octets: octets

    def run(self, exchange: Any) -> Any:
        waiting: deque[bytes] = deque()
        for _ in range(50):
            if exchange.done:
                return exchange.result()
            while (outgoing := self.client.next_outgoing()) is not None:
                octets = self.change("request", outgoing.octets)
                self.carried.append(("request", octets))
                waiting.extend(self.process(octets))
            if waiting:
                octets = self.change("answer", waiting.popleft())
                self.carried.append(("answer", octets))
                self.client.receive(octets)
            elif not exchange.done:
                raise LookupError("silence")
        raise AssertionError("it never ends")

    def process(self, octets: bytes) -> list[bytes]:
        processing = self.server.process(octets, 0.0, confirmed=True)
        outcome = None
        try:
            while True:
                indication = processing.send(outcome)
                outcome = VALUE if isinstance(indication, ReadAttribute) else None
        except StopIteration as stop:
            return list(stop.value)

    def open(self) -> Any:
        return self.run(self.client.open())

    def read(self) -> Any:
        return self.run(self.client.start(lambda context: get(context, ENERGY)))

    def release(self) -> Any:
        return self.run(self.client.release())


def line(
    mechanism: AuthenticationMechanism,
    *,
    suite: int = 0,
    ciphering: Ciphering | None = None,
    store: Any = None,
    client_keys: Any = lambda keys: keys,
    **profile: Any,
) -> Line:
    mine, theirs = both_keys(suite)
    store = store or VolatileCounterStore()
    if mechanism is M.HLS:
        profile["function"] = proof_of_ours
    security = security_of(mechanism, client_keys(mine), ciphering, counters=store)
    served = secured_profile(
        mechanism, theirs, client_sap=1, ciphered=ciphering is not None, counters=store, **profile
    )
    return Line(security, served)


def cases():
    ciphered = Ciphering()
    for mechanism in list(M)[:8]:
        for suite in (1, 2) if mechanism is M.HLS_ECDSA else (0, 1, 2):
            if mechanism is not M.LOWEST:
                yield pytest.param(mechanism, suite, None, id=f"{mechanism.name}-clear-{suite}")
            yield pytest.param(mechanism, suite, ciphered, id=f"{mechanism.name}-ciphered-{suite}")


@pytest.mark.parametrize(("mechanism", "suite", "ciphering"), list(cases()))
def test_every_mechanism_opens_reads_and_releases(mechanism, suite, ciphering):
    meter = line(mechanism, suite=suite, ciphering=ciphering)
    meter.open()
    assert meter.client.state is State.ASSOCIATED
    assert meter.read() == VALUE
    assert meter.read() == VALUE
    assert meter.release()
    expected = ApplicationContext.LN if ciphering is None else ApplicationContext.LN_CIPHERED
    assert meter.client.parameters.application_context is expected
    clear = [octets for _, octets in meter.carried if octets[0] in (0xC0, 0xC3, 0xC4, 0xC7)]
    assert bool(clear) == (ciphering is None)


@pytest.mark.parametrize(
    "ciphering",
    [
        Ciphering(encrypted=False, policy=SecurityPolicyV1(0x24)),
        Ciphering(dedicated=True),
        Ciphering(general=True),
        Ciphering(general=True, dedicated=True),
        Ciphering(policy=SecurityPolicyV1(0x6C)),
    ],
    ids=["authenticated", "dedicated", "general", "general dedicated", "policy"],
)
@pytest.mark.parametrize("mechanism", [M.LOWEST, M.LLS, M.HLS_GMAC])
def test_every_way_to_protect(mechanism, ciphering):
    policy = SecurityPolicyV1(0x24 if not ciphering.encrypted else 0x6C)
    meter = line(mechanism, ciphering=ciphering, policy=policy)
    meter.open()
    assert meter.read() == VALUE
    tags = {octets[0] for _, octets in meter.carried[-2:]}
    if ciphering.general:
        assert tags == ({0xDC} if ciphering.dedicated else {0xDB})
    else:
        assert tags == ({0xD0, 0xD4} if ciphering.dedicated else {0xC8, 0xCC})
    assert meter.release()


def test_a_dedicated_key_is_fresh_for_each_association():
    store, keys = VolatileCounterStore(), both_keys()[0]
    security = HighGmac(keys, Ciphering(dedicated=True), counters=store)
    drawn = {security.prepare(AssociationParameters(client_sap=1)).parameters.dedicated_key for _ in range(5)}
    assert len(drawn) == 5
    assert {len(key) for key in drawn} == {16}


# --- what is wrong is refused ------------------------------------------------------------------------


def changed(field: str, value: Any) -> Any:
    return lambda keys: replace(keys, **{field: value})


WRONG = {
    M.LOWEST: [("encryption", b"\xaa"), ("authentication", b"\xaa")],
    M.LLS: [("password", Secret(b"87654321"))],
    M.HLS_MD5: [("hls_secret", Secret(b"simsim"))],
    M.HLS_SHA1: [("hls_secret", Secret(b"simsim"))],
    M.HLS_SHA256: [("hls_secret", Secret(b"simsim"))],
    M.HLS_GMAC: [("encryption", b"\xaa"), ("authentication", b"\xaa")],
}


@pytest.mark.parametrize("ciphered", [False, True])
@pytest.mark.parametrize(
    ("mechanism", "field", "value"),
    [(mechanism, *each) for mechanism, wrong in WRONG.items() for each in wrong],
)
def test_a_wrong_secret_opens_nothing(mechanism, field, value, ciphered):
    if mechanism is M.LOWEST and not ciphered:
        ciphered = True
    from cosem.security.key_material import Key

    wrong = value if isinstance(value, Secret) else Key(value * 16)
    meter = line(mechanism, ciphering=Ciphering() if ciphered else None, client_keys=changed(field, wrong))
    with pytest.raises((AssociationRefused, SecurityError)):
        meter.open()
    assert meter.client.state is not State.ASSOCIATED
    assert meter.server.state is not State.ASSOCIATED
    assert all(VALUE.to_bytes(4, "big") not in octets for _, octets in meter.carried)


@pytest.mark.parametrize("mechanism", [M.HLS_MD5, M.HLS_SHA1, M.HLS_GMAC, M.HLS_SHA256, M.HLS_ECDSA])
def test_a_meter_that_cannot_prove_itself_is_left(mechanism):
    meter = line(mechanism, suite=1)

    def change(direction, octets):
        forged = direction == "answer" and octets[0] == 0xC7
        return octets[:-1] + bytes([octets[-1] ^ 1]) if forged else octets

    meter.change = change
    with pytest.raises(SecurityError, match="did not prove"):
        meter.open()
    assert meter.client.state is not State.ASSOCIATED


@pytest.mark.parametrize("mechanism", list(WRONG))
def test_refusals_of_the_server_tell_nothing(mechanism):
    answers = set()
    for field, value in (WRONG.get(mechanism) or [])[:1]:
        from cosem.security.key_material import Key

        wrong = [value, Secret(b"x")] if isinstance(value, Secret) else [Key(value * 16), Key(b"\xbb" * 16)]
        for each in wrong:
            meter = line(mechanism, ciphering=Ciphering(), client_keys=changed(field, each))
            with pytest.raises(CosemError):
                meter.open()
            answers.add(meter.carried[-1][1][:40] if mechanism is M.LOWEST else meter.carried[-1][1][:1])
    assert len(answers) == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_bit_is_taken(data):
    meter = line(M.HLS_GMAC, ciphering=Ciphering())
    meter.open()
    direction = data.draw(st.sampled_from(["request", "answer"]))

    def change(each, octets):
        if each != direction:
            return octets
        position = data.draw(st.integers(0, 8 * len(octets) - 1))
        forged = bytearray(octets)
        forged[position // 8] ^= 1 << (position % 8)
        return bytes(forged)

    meter.change = change
    try:
        value = meter.read()
    except (CosemError, LookupError):
        return
    raise AssertionError(f"{value!r} was taken")


def test_a_replayed_request_is_refused():
    meter = line(M.HLS_GMAC, ciphering=Ciphering())
    meter.open()
    meter.read()
    request = [octets for direction, octets in meter.carried if direction == "request"][-1]
    (answer,) = meter.process(request)
    assert answer[:3] == bytes.fromhex("D80106")
    assert meter.read() == VALUE  # the association goes on


def test_a_replayed_answer_is_refused():
    meter = line(M.HLS_GMAC, ciphering=Ciphering())
    meter.open()
    meter.read()
    old = [octets for direction, octets in meter.carried if direction == "answer"][-1]
    meter.change = lambda direction, octets: old if direction == "answer" else octets
    with pytest.raises(SecurityError):
        meter.read()


def test_a_recorded_session_opens_nothing_after_a_restart(tmp_path):
    path = tmp_path / "counters"
    with SqliteCounterStore(path) as store:
        meter = line(M.LOWEST, ciphering=Ciphering(), store=store)
        meter.open()
        meter.read()
    recorded = [octets for direction, octets in meter.carried if direction == "request"]
    with SqliteCounterStore(path) as store:
        again = line(M.LOWEST, ciphering=Ciphering(), store=store)
        (answer,) = again.process(recorded[0])
        assert answer[:3] == bytes.fromhex("D80106")
        assert again.server.state is not State.ASSOCIATED


def test_a_recorded_meter_deceives_no_client_after_a_crash(tmp_path):
    path = tmp_path / "counters"
    store = SqliteCounterStore(path)
    server_store = VolatileCounterStore()
    mine, theirs = both_keys()
    profile = secured_profile(M.LOWEST, theirs, client_sap=1, counters=server_store)
    meter = Line(Ciphered(mine, counters=store), profile)
    meter.open()
    meter.read()
    recorded = [octets for direction, octets in meter.carried if direction == "answer"]
    # The process dies here: nothing is flushed, nothing is closed.
    again = Line(Ciphered(mine, counters=SqliteCounterStore(path)), profile)
    again.change = lambda direction, octets: recorded[0] if direction == "answer" else octets
    with pytest.raises(SecurityError):
        again.open()


@pytest.mark.parametrize("ciphering", [None, Ciphering(), Ciphering(dedicated=True)])
def test_no_nonce_is_used_twice(ciphering):
    class Watched(VolatileCounterStore):
        def __init__(self):
            super().__init__()
            self.given = []

        def reserve(self, name, count, least=0):
            values = super().reserve(name, count, least)
            self.given += [(name, value) for value in values]
            return values

    store = Watched()
    for _ in range(3):
        meter = line(M.HLS_GMAC, ciphering=ciphering, store=store)
        meter.open()
        for _ in range(3):
            meter.read()
        meter.release()
    assert len(set(store.given)) == len(store.given) > 5


# --- counters of the client ---------------------------------------------------------------------------


def test_a_client_that_is_behind_is_told_and_goes_on():
    store, mine = VolatileCounterStore(), both_keys()[0]
    meter = line(M.LOWEST, ciphering=Ciphering(), store=store)
    meter.open()
    behind = VolatileCounterStore()  # the client lost its counters
    security = Ciphered(mine, counters=behind)
    profile = secured_profile(M.LOWEST, both_keys()[1], client_sap=1, counters=store)
    with pytest.raises(AssociationRefused, match="invocation counter"):
        Line(security, profile).open()
    security.raise_counter(5000)
    meter = Line(security, profile)
    meter.open()
    assert meter.read() == VALUE
    assert behind.peek(CounterName.of(mine.encryption, bytes(mine.client_title), behind.salt)) > 5001
    security.raise_counter(3)
    assert meter.read() == VALUE
    with pytest.raises(CounterExhausted):
        security.raise_counter(0xFFFFFFFE)


def test_the_last_counter_is_the_last():
    store = VolatileCounterStore()
    meter = line(M.LOWEST, ciphering=Ciphering(), store=store)
    mine = both_keys()[0]
    Ciphered(mine, counters=store).raise_counter(0xFFFFFFFC)
    meter.open()
    assert meter.read() == VALUE
    with pytest.raises(CounterExhausted):
        meter.read()


def test_the_default_store_is_a_file_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "mine" / "counters"))
    mine, theirs = both_keys()
    meter = Line(HighGmac(mine), secured_profile(M.HLS_GMAC, theirs, client_sap=1))
    meter.open()
    assert meter.read() == VALUE
    assert (tmp_path / "mine" / "counters").exists()


# --- what is missing or contradicts -------------------------------------------------------------------


def test_what_is_missing_is_named():
    parameters = AssociationParameters(client_sap=1)
    keys = both_keys()[0]
    for security, says in (
        (Ciphered(Keys.parse(client_title=CLIENT), counters=VolatileCounterStore()), "encryption"),
        (HighGmac({"guek": b"k" * 16}, counters=VolatileCounterStore()), "system title of the client"),
        (HighSha256("sesame"), "system title of the client"),
        (HighEcdsa(keys, counters=VolatileCounterStore()), "peer_signing"),
    ):
        with pytest.raises(KeyMissingError, match=says):
            security.prepare(parameters)
    for make, says in ((LowLevel, "password"), (HighMd5, "hls-secret"), (HighSha256, "hls-secret")):
        with pytest.raises(KeyMissingError, match=says):
            make()
    with pytest.raises(KeyMissingError, match="system title"):
        HighGmac({"guek": b"k" * 16}, counters=VolatileCounterStore()).raise_counter(1)


def test_what_contradicts_is_refused():
    lls = AssociationParameters(client_sap=1, mechanism=M.LLS, secret=b"x")
    with pytest.raises(ConfigurationError, match="both asked for"):
        HighMd5("sesame").prepare(lls)
    with pytest.raises(ConfigurationError, match="no ciphering"):
        HighMd5("sesame").prepare(AssociationParameters(application_context=ApplicationContext.LN_CIPHERED))
    with pytest.raises(ConfigurationError, match="another system title"):
        HighGmac(both_keys()[0]).prepare(AssociationParameters(calling_ap_title=b"MMM00001"))
    with pytest.raises(ConfigurationError, match="pre-established"):
        HighMd5("sesame").prepare(AssociationParameters(pre_established=True))
    with pytest.raises(ConfigurationError):
        Ciphering(authenticated=False)
    with pytest.raises(ConfigurationError):
        Ciphering(authenticated=False, encrypted=False)


def test_the_title_may_be_given_with_the_parameters():
    keys = Keys.parse(guek=bytes(range(7, 23)), gak=bytes(range(99, 115)))
    prepared = HighGmac(keys, counters=VolatileCounterStore()).prepare(
        AssociationParameters(calling_ap_title=b"MMM00001")
    )
    assert prepared.parameters.calling_ap_title == b"MMM00001"


def test_short_names_with_ciphering():
    prepared = HighGmac(both_keys()[0], counters=VolatileCounterStore()).prepare(
        AssociationParameters(application_context=ApplicationContext.SN)
    )
    assert prepared.parameters.application_context is ApplicationContext.SN_CIPHERED
    served = secured_profile(
        M.HLS_GMAC, both_keys()[1], client_sap=1, short_names=True, counters=VolatileCounterStore()
    )
    assert served.application_context is ApplicationContext.SN_CIPHERED


def test_a_certificate_goes_into_the_request():
    mine = both_keys(1)[0]
    security = HighEcdsa(mine, certificate=b"DER", counters=VolatileCounterStore())
    assert security.prepare(AssociationParameters()).parameters.calling_ae_qualifier == b"DER"


def test_another_title_than_the_configured_one_is_refused():
    meter = line(M.HLS_GMAC, client_keys=changed("server_title", both_keys()[0].client_title.of("MMM", 77)))
    with pytest.raises(SecurityError):
        meter.open()


def test_the_title_of_the_meter_need_not_be_known():
    for ciphering in (None, Ciphering()):
        meter = line(M.HLS_GMAC, ciphering=ciphering, client_keys=changed("server_title", None))
        meter.open()
        assert meter.read() == VALUE


# --- warnings ----------------------------------------------------------------------------------------


def test_legacy_and_weak_is_told_once(caplog, monkeypatch):
    monkeypatch.setattr(security_base, "_told", set())
    weak = Keys.parse(guek=bytes(range(16)), gak=bytes(range(16)), client_title=CLIENT)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            LowLevel("12345678").prepare(AssociationParameters())
            HighMd5("sesame").prepare(AssociationParameters())
            HighSha1("sesame").prepare(AssociationParameters())
            HighSha256("sesame", keys={"client_title": CLIENT}).prepare(AssociationParameters())
            Ciphered(weak, Ciphering(encrypted=False), counters=VolatileCounterStore()).prepare(
                AssociationParameters()
            )
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == len(set(texts)) == 7
    for part in ("LLS", "MD5", "SHA-1", "encryption key is an example", "authentication key is an example"):
        assert sum(part in text for text in texts) == 1
    assert "authentication are one key" in caplog.text or "are one key" in caplog.text
    assert "not encrypted" in caplog.text
    assert "sesame" not in caplog.text


def test_the_server_refuses_keys_that_everybody_knows():
    weak = Keys.parse(guek=bytes(range(16)), gak=bytes(range(0xD0, 0xE0)), server_title=SERVER)
    with pytest.raises(ConfigurationError, match="everybody knows"):
        secured_profile(M.HLS_GMAC, weak, client_sap=1, counters=VolatileCounterStore())
    same = Keys.parse(guek=b"\1\2" * 8, gak=b"\1\2" * 8, server_title=SERVER)
    with pytest.raises(ConfigurationError, match="one key"):
        secured_profile(M.HLS_GMAC, same, client_sap=1, counters=VolatileCounterStore())
    assert secured_profile(
        M.HLS_GMAC, weak, client_sap=1, counters=VolatileCounterStore(), allow_test_keys=True
    ).authenticator


def test_the_server_names_what_is_missing(monkeypatch, caplog):
    monkeypatch.setattr(server_security, "_told", set())
    store = VolatileCounterStore()
    keys = Keys.parse(server_title=SERVER)
    for mechanism, says in (
        (M.HLS_GMAC, "guek"),
        (M.LLS, "password"),
        (M.HLS_MD5, "hls-secret"),
        (M.HLS_ECDSA, "signing"),
    ):
        with pytest.raises(KeyMissingError, match=says):
            secured_profile(mechanism, keys, client_sap=1, ciphered=False, counters=store)
    with pytest.raises(KeyMissingError, match="system title of the server"):
        secured_profile(M.HLS_GMAC, {"guek": b"\1\2" * 8}, client_sap=1, counters=store)
    with pytest.raises(KeyMissingError, match="system title of the server"):
        secured_profile(M.HLS_SHA256, {"hls_secret": "x"}, client_sap=1, ciphered=False, counters=store)
    with pytest.raises(ConfigurationError, match="function"):
        secured_profile(M.HLS, keys, client_sap=1, ciphered=False, counters=store)
    with pytest.raises(KeyMissingError, match="peer_signing"):
        secured_profile(
            M.HLS_ECDSA,
            replace(keys, suite=1, signing=pair(1, 1)),
            client_sap=1,
            ciphered=False,
            counters=store,
        )
    for _ in range(2):
        secured_profile(M.LLS, {"password": "x"}, client_sap=1, ciphered=False, counters=store)
    assert len(caplog.records) == 1


def test_the_secret_of_the_server_may_change():
    current = [b"sesame"]
    served = secured_profile(M.HLS_MD5, {"hls_secret": "first"}, client_sap=1, ciphered=False)
    served = replace(served, authenticator=served.authenticator.with_secret(lambda: current[0]))
    Line(HighMd5("sesame"), served).open()
    current[0] = b"changed"
    with pytest.raises(SecurityError):
        Line(HighMd5("sesame"), served).open()
    Line(HighMd5("changed"), served).open()


def test_nothing_shows_a_secret():
    mine = both_keys(1)[0]
    for mechanism in list(M)[1:8]:
        shown = repr(security_of(mechanism, mine, Ciphering(), counters=VolatileCounterStore()))
        assert "sesame" not in shown
        assert "12345678" not in shown
        assert mine.encryption.octets.hex() not in shown.lower()


@pytest.mark.parametrize("second", [b"\1\2" * 8, b"\3\4" * 8])
def test_no_counter_of_a_dedicated_key_comes_twice(second):
    security = Ciphered(both_keys()[0], Ciphering(dedicated=True), counters=VolatileCounterStore())
    protection = security.prepare(AssociationParameters(client_sap=1)).protection
    used = []
    for key in (b"\1\2" * 8, second):
        protection.hold_dedicated_key(key)
        protection.activate_dedicated_key()
        for _ in range(2):
            sealed = protection.protect(bytes.fromhex("C001C100080000010000FF0200"))
            assert sealed[0] == 0xD0
            used.append(int.from_bytes(sealed[3:7], "big"))
        protection.forget()
    assert used == [0, 1, 2, 3]


@pytest.mark.parametrize("general", [True, False])
def test_general_protection_is_proposed_where_it_is_used(general):
    security = Ciphered(both_keys()[0], Ciphering(general=general), counters=VolatileCounterStore())
    proposed = security.prepare(AssociationParameters()).parameters.proposed_conformance
    assert bool(proposed & Conformance.GENERAL_PROTECTION) is general


def test_another_mechanism_is_refused_without_a_secret_too():
    with pytest.raises(ConfigurationError, match="both asked for"):
        HighMd5("sesame").prepare(AssociationParameters(mechanism=M.HLS_SHA1))


@pytest.mark.parametrize("short_names", [True, False])
@pytest.mark.parametrize("ciphered", [True, False])
def test_the_services_of_a_secured_association(short_names, ciphered):
    served = secured_profile(
        M.HLS_GMAC, both_keys()[1], client_sap=1, short_names=short_names, ciphered=ciphered,
        counters=VolatileCounterStore(),
    )  # fmt: skip
    assert bool(served.conformance & Conformance.GENERAL_PROTECTION) is ciphered
    assert bool(served.conformance & Conformance.READ) is short_names
    assert bool(served.conformance & Conformance.GET) is not short_names
    assert served.protected_only is ciphered


def test_the_policy_of_a_server_is_tag_and_encryption():
    assert server_security.AUTHENTICATED_AND_ENCRYPTED == 0x6C
    meter = line(M.LOWEST, ciphering=Ciphering(encrypted=False))
    with pytest.raises(CosemError):
        meter.open()


def test_a_setting_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match=r"no setting dedicated_key; it has .*largest_jump"):
        HighGmac(both_keys()[0], dedicated_key=True)


@pytest.mark.parametrize("kind", [LowLevel, HighMd5, HighSha1, HighSha256, HighManufacturer])
@pytest.mark.parametrize("given", [Keys(), {"guek": "00" * 16}])
def test_keys_in_the_place_of_a_secret_are_told(kind, given):
    with pytest.raises(ConfigurationError, match=r"keys=\.\.\."):
        kind(given)


@pytest.mark.parametrize("kind", [LowLevel, HighSha256])
def test_what_is_no_secret_is_told(kind):
    with pytest.raises(ConfigurationError, match="a int is no "):
        kind(12345678)


@pytest.mark.parametrize("kind", [HighGmac, HighEcdsa, Ciphered])
def test_what_is_no_keys_is_told(kind):
    with pytest.raises(ConfigurationError, match="takes Keys, or a mapping of them, and no str"):
        kind("00112233")
