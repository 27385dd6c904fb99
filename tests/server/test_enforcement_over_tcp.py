"""Over TCP, with our client: what each policy and each access right makes of what the client does."""

from __future__ import annotations

import pytest

import cosem
from cosem.client.ciphering import Ciphering
from cosem.client.security import Ciphered
from cosem.errors import AccessError, ActionError, ExceptionResponseError, TransportTimeout
from cosem.security.counters import VolatileCounterStore
from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1
from cosem.security.suites import SecuritySuite
from cosem.server import (
    AccessMode,
    AccessRights,
    HeldSecurity,
    LogicalDevice,
    RegisterObject,
    secured_profile,
)
from cosem.server.threads import serve_in_thread
from cosem.transport.timeouts import Timeouts
from cosem.types.data import DoubleLongUnsigned, Integer
from cosem.types.enumerations import (
    ActionResult,
    AuthenticationMechanism,
    DataAccessResult,
    ServiceErrorCode,
    StateErrorCode,
)
from tests.client.secured import pairs
from tests.server.test_enforcement import PROTECTIONS

OF_CLIENT, OF_METER = pairs(SecuritySuite(1))
NAME, VALUE = "1-0:1.8.0", DoubleLongUnsigned(7)
E = 2
_ENCRYPTED = Ciphering(authenticated=False, encryption_only=True)
SENT = {
    kinds: None if options is None else Ciphering(options=options) for kinds, options in PROTECTIONS.items()
}
"""How a client protects, by what its messages then have."""
POLICIES = [
    *SecurityPolicyV0,
    *(SecurityPolicyV1(number) for number in (0x00, 0x04, 0x08, 0x0C, 0x6C, 0x10, 0x14, 0xFC)),
]


class Device(LogicalDevice):
    """A meter whose one association stands from the start: each request is judged by itself."""

    def __init__(self, policy=SecurityPolicyV1.NOTHING) -> None:
        super().__init__("MMM12345678", objects=[RegisterObject(NAME, value=VALUE, scaler_unit=(0, 30))])
        held = HeldSecurity(OF_METER, policy=policy, counters=VolatileCounterStore())
        profile = secured_profile(AuthenticationMechanism.LOWEST, held, client_sap=1, pre_established=True)
        self.rights = AccessRights.full()
        self.add_association(profile, self.rights)


def connected(address, ciphering, counters, **facts):
    security = None
    if ciphering is not None:
        security = Ciphered(OF_CLIENT, ciphering, counters=counters)
    return cosem.connect(address, client=1, pre_established=True, security=security, **facts)


@pytest.mark.parametrize(
    "policy", POLICIES, ids=lambda policy: f"v{int(isinstance(policy, SecurityPolicyV1))}-{policy:02X}"
)
def test_a_policy_takes_what_has_enough_and_names_what_has_not(policy):
    demanded, counters = int(policy.request), VolatileCounterStore()
    with serve_in_thread(Device(policy)) as address:
        for kinds, ciphering in (*SENT.items(), (E, _ENCRYPTED)):
            with connected(address, ciphering, counters) as client:
                if kinds == E or demanded & ~kinds:  # without a tag nobody knows who encrypted
                    with pytest.raises(ExceptionResponseError) as refused:
                        client.get(NAME, 2, class_id=3)
                    assert refused.value.state_error is StateErrorCode.SERVICE_NOT_ALLOWED
                    assert refused.value.service_error is ServiceErrorCode.OPERATION_NOT_POSSIBLE
                else:
                    assert client.get(NAME, 2, class_id=3) == VALUE


# The newest encoding: bit 0 read, 1 write, 2 to 4 what the request needs, 5 to 7 what the answer gets.
MODES = [0x00, 0x01, 0x02, 0x03, 0x05, 0x07, 0x0D, 0x0F, 0x11, 0x13, 0x1D, 0x21, 0x25, 0x6D, 0x6F, 0xFF]


@pytest.mark.parametrize("mode", MODES, ids="{:02X}".format)
def test_an_access_right_holds_for_reading_writing_and_calling(mode):
    device = Device()
    device.rights.allow(NAME, 2, AccessMode(mode)).allow_method(NAME, 1, AccessMode(mode))
    demanded, answered = mode >> 2 & 7, mode >> 5 & 7
    counters, refused = VolatileCounterStore(), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    with serve_in_thread(device) as address:
        for kinds, ciphering in SENT.items():
            if answered and not kinds:
                continue  # a client without keys takes no protected answer: see the test below
            with connected(address, ciphering, counters) as client:
                for bit, error, request in (
                    (1, AccessError, lambda: client.get(NAME, 2, class_id=3)),
                    (2, AccessError, lambda: client.set(NAME, 2, VALUE, class_id=3)),
                    (1, ActionError, lambda: client.call(NAME, 1, Integer(0), class_id=3)),
                ):
                    if mode & bit and not demanded & ~kinds:
                        request()
                        continue
                    with pytest.raises(error) as caught:
                        request()
                    expected = refused if mode & bit else DataAccessResult.READ_WRITE_DENIED
                    assert int(caught.value.result) == int(expected), (mode, kinds, bit)
                    assert isinstance(caught.value.result, (DataAccessResult, ActionResult))


def test_a_client_without_keys_gets_nothing_where_answers_are_protected():
    with serve_in_thread(Device(SecurityPolicyV1.ENCRYPTED_RESPONSE)) as address:
        impatient = {"timeouts": Timeouts(answer=0.05), "retries": 1}
        with (
            connected(address, None, None, **impatient) as client,
            pytest.raises(TransportTimeout),
        ):
            client.get(NAME, 2, class_id=3)
        with connected(address, SENT[1], VolatileCounterStore()) as client:
            assert client.get(NAME, 2, class_id=3) == VALUE
