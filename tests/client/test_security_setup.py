"""What is in force in a meter is read, made stricter, and equipped with certificates."""

from __future__ import annotations

import asyncio

import pytest

import cosem
from cosem.classes.standard.security_setup import CertificateEntity, CertificateType
from cosem.client.security_setup import SecuritySetupOfMeter
from cosem.errors import ActionError, ConfigurationError, ProtocolError
from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1
from cosem.security.suites import SecuritySuite
from cosem.server.threads import serve_in_thread
from cosem.types.data import Array, Enum, OctetString
from tests.client.secured import SecuredMeter, pairs, security
from tests.server.driver import StandingClock
from tests.server.test_security_setup import METER, NOW, ROOT, certified

OF_CLIENT, OF_METER = pairs(SecuritySuite(1))
CLIENT = bytes(OF_CLIENT.client_title)
SIGNATURE = CertificateType.DIGITAL_SIGNATURE


def served(**facts):
    meter = SecuredMeter(OF_METER, **facts)
    meter.device._source = StandingClock(NOW)
    return meter


def test_what_is_in_force_is_read_and_made_stricter():
    meter = served(policy=SecurityPolicyV1(0x24))
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(OF_CLIENT)) as client,
    ):
        setup = client.security_setup
        state = setup.read()
        assert (state.policy, state.suite) == (SecurityPolicyV1(0x24), 1)
        assert (state.client_title, state.server_title) == (CLIENT, METER)
        setup.activate(SecurityPolicyV1(0x6C))
        assert setup.read().policy == 0x6C
        with pytest.raises(ActionError):
            setup.activate(SecurityPolicyV1(0x24))
        with pytest.raises(ConfigurationError, match="two things"):
            setup.activate(3)
        assert repr(setup) == f"<SecuritySetupOfMeter LogicalName('0.0.43.0.0.255') of {url}>"
        assert setup.certificates() == []


def test_a_policy_of_version_0_is_told_apart():
    meter = served(policy=SecurityPolicyV0(1))
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(OF_CLIENT)) as client,
    ):
        assert client.security_setup.read().policy is SecurityPolicyV0.AUTHENTICATED
        client.security_setup.activate(SecurityPolicyV0.AUTHENTICATED_AND_ENCRYPTED)
        assert client.security_setup.read().policy is SecurityPolicyV0.AUTHENTICATED_AND_ENCRYPTED


def test_a_meter_is_equipped():
    meter = served(anchors=[ROOT])
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(OF_CLIENT)) as client,
    ):
        setup = client.security_setup
        setup.generate_key_pair(SIGNATURE)
        der = certified(setup.certificate_request(SIGNATURE), serial=90)
        with pytest.raises(cosem.CosemError):
            setup.import_certificate(der[:-1])
        setup.import_certificate(der)
        assert setup.export_certificate(CertificateEntity.SERVER, SIGNATURE, METER).octets == der
        listed = setup.certificates()
        assert [each.certificate_entity for each in listed] == [2, 0]
        assert listed[1].certificate_serial_number == b"\x5a"
        with pytest.raises(ActionError):
            setup.remove_certificate(CertificateEntity.SERVER, SIGNATURE, METER)
        with pytest.raises(ActionError):
            setup.export_certificate(CertificateEntity.CLIENT, SIGNATURE, CLIENT)


def test_the_same_from_an_event_loop():
    meter = served(anchors=[ROOT], policy=SecurityPolicyV1(0x24))

    async def equip(url):
        async with cosem.connect_async(url, client=1, security=security(OF_CLIENT)) as client:
            setup = client.security_setup
            await setup.activate(SecurityPolicyV1(0x6C))
            await setup.generate_key_pair(SIGNATURE)
            der = certified(await setup.certificate_request(SIGNATURE), serial=90)
            await setup.import_certificate(der)
            exported = await setup.export_certificate(CertificateEntity.SERVER, SIGNATURE, METER)
            assert exported.octets == der
            with pytest.raises(ActionError):
                await setup.remove_certificate(CertificateEntity.SERVER, SIGNATURE, METER)
            return await setup.read(), await setup.certificates(), repr(setup)

    with serve_in_thread(meter.device) as url:
        state, certificates, shown = asyncio.run(equip(url))
    assert state.policy == 0x6C
    assert len(certificates) == 2
    assert shown.startswith("<AsyncSecuritySetup")


class Strange:
    """A client of a meter that answers with something else."""

    peer = "strange"

    def __init__(self, answer) -> None:
        self.answer = answer

    def get(self, target, attribute, *, class_id):
        return self.answer

    def call(self, target, method, parameter, *, class_id):
        return self.answer


@pytest.mark.parametrize("answer", [None, Array(()), Enum(0x83), Enum(0xFFFF & 0xFF), "text"])
def test_answers_that_are_none(answer):
    setup = SecuritySetupOfMeter(Strange(answer))
    for ask in (
        setup.read,
        lambda: setup.certificate_request(SIGNATURE),
        lambda: setup.export_certificate(0, 0, METER),
    ):
        with pytest.raises(ProtocolError):
            ask()
    if answer != Array(()):
        with pytest.raises(ProtocolError):
            setup.certificates()
    with pytest.raises(cosem.CosemError):
        SecuritySetupOfMeter(Strange(OctetString(b"no certificate"))).export_certificate(0, 0, METER)
