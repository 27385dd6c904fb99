"""Policies, access rights and the octets and options that carry protection, number by number."""

from __future__ import annotations

import pytest

from cosem.errors import ConfigurationError
from cosem.security.policy import (
    ProtectionKind,
    SecurityPolicyV0,
    SecurityPolicyV1,
    lacking,
    required_by_access_mode,
)
from cosem.security.status import (
    GeneralHeader,
    KeyUsed,
    Layer,
    LayerOptions,
    ProtectionForm,
    SecurityOptions,
    SecurityStatus,
)
from cosem.security.suites import TAG_SIZE, SecurityControl
from tests.security.protecting import HEAD_END, METER, SUITE_0, SUITE_1, SUITE_2

A, E, S = ProtectionKind.AUTHENTICATED, ProtectionKind.ENCRYPTED, ProtectionKind.SIGNED
NONE = ProtectionKind.NONE


@pytest.mark.parametrize(
    ("number", "request_kinds", "version_1"),
    [(0, NONE, 0x00), (1, A, 0x24), (2, E, 0x48), (3, A | E, 0x6C)],
)
def test_version_0_demands_the_same_of_both_directions(number, request_kinds, version_1):
    policy = SecurityPolicyV0(number)
    assert policy.request == policy.response == request_kinds
    assert policy.version_1 == SecurityPolicyV1.parse(version_1)
    assert policy.version_1.request == policy.version_1.response == request_kinds


@pytest.mark.parametrize(
    ("bit", "request_kinds", "response_kinds"),
    [(2, A, NONE), (3, E, NONE), (4, S, NONE), (5, NONE, A), (6, NONE, E), (7, NONE, S)],
)
def test_version_1_has_a_bit_for_each_demand(bit, request_kinds, response_kinds):
    policy = SecurityPolicyV1.parse(1 << bit)
    assert (policy.request, policy.response) == (request_kinds, response_kinds)
    assert policy.version_1 is policy
    for access in (0, 3):
        mode = 1 << bit | access
        assert required_by_access_mode(mode) == request_kinds
        assert required_by_access_mode(mode, response=True) == response_kinds


def test_each_bit_of_version_1_has_its_name():
    assert {policy.name: int(policy) for policy in SecurityPolicyV1} == {
        "AUTHENTICATED_REQUEST": 0x04,
        "ENCRYPTED_REQUEST": 0x08,
        "DIGITALLY_SIGNED_REQUEST": 0x10,
        "AUTHENTICATED_RESPONSE": 0x20,
        "ENCRYPTED_RESPONSE": 0x40,
        "DIGITALLY_SIGNED_RESPONSE": 0x80,
    }
    assert SecurityPolicyV1.parse(0) is SecurityPolicyV1.NOTHING
    assert int(SecurityPolicyV1.NOTHING) == 0


@pytest.mark.parametrize("number", [1, 2, 3, 5, 0xFF, 0x100, -1, -4])
def test_numbers_without_a_meaning_are_no_policy(number):
    with pytest.raises(ConfigurationError):
        SecurityPolicyV1.parse(number)


def test_there_is_no_further_policy_of_version_0():
    with pytest.raises(ValueError):
        SecurityPolicyV0(4)


@pytest.mark.parametrize("old", SecurityPolicyV0)
@pytest.mark.parametrize("new", SecurityPolicyV0)
def test_a_policy_follows_another_if_it_demands_as_much(old, new):
    stronger = {(0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (3, 1), (2, 2), (3, 2), (3, 3)}
    assert new.contains(old) is ((int(new), int(old)) in stronger)
    assert new.version_1.contains(old.version_1) is ((int(new), int(old)) in stronger)


def test_what_is_lacking():
    assert lacking(A | E | S, A | E) == NONE
    assert lacking(NONE, A | S) == A | S
    assert lacking(E, A | E) == A
    assert (A | S).names == ("authenticated", "signed")
    assert NONE.names == ()


def test_the_suites():
    assert [suite.key_size for suite in (SUITE_0, SUITE_1, SUITE_2)] == [16, 16, 32]
    assert [suite.coordinate_size for suite in (SUITE_1, SUITE_2)] == [32, 48]
    assert [suite.signature_size for suite in (SUITE_1, SUITE_2)] == [64, 96]
    for name in ("coordinate_size", "signature_size"):
        with pytest.raises(ConfigurationError):
            getattr(SUITE_0, name)
    assert TAG_SIZE == 12


@pytest.mark.parametrize("octet", range(256))
def test_every_bit_of_the_security_control_octet(octet):
    control = SecurityControl(octet)
    assert control.suite == octet % 16
    bits = [control.authenticated, control.encrypted, control.broadcast, control.compressed]
    assert bits == [bool(octet >> bit & 1) for bit in (4, 5, 6, 7)]
    assert control.protected is (bits[0] or bits[1])
    names = ("authenticated", "encrypted", "broadcast", "compressed")
    assert SecurityControl.build(control.suite, **dict(zip(names, bits, strict=True))) == control
    assert repr(control) == f"SecurityControl(0x{octet:02X})"


def test_nothing_is_done_unless_it_is_said():
    assert [SecurityControl.build(suite) for suite in (0, 1, 2, 15)] == [0, 1, 2, 15]


@pytest.mark.parametrize("suite", [-1, 16])
def test_a_suite_has_four_bits(suite):
    with pytest.raises(ConfigurationError):
        SecurityControl.build(suite)


SIGNING = LayerOptions(ProtectionForm.GENERAL_SIGNING, KeyUsed.SIGNING)
PLAIN = LayerOptions(ProtectionForm.GENERAL_CIPHERING, authenticated=False, encrypted=False)


@pytest.mark.parametrize(
    ("before", "required", "after"),
    [
        ((LayerOptions(),), A | E, (LayerOptions(),)),
        ((LayerOptions(encrypted=False),), E, (LayerOptions(),)),
        ((LayerOptions(authenticated=False),), A, (LayerOptions(),)),
        ((LayerOptions(encrypted=False),), A, (LayerOptions(encrypted=False),)),
        ((LayerOptions(),), S, (LayerOptions(), SIGNING)),
        ((SIGNING,), A, (LayerOptions(ProtectionForm.GENERAL_GLO, encrypted=False), SIGNING)),
        ((SIGNING,), E, (LayerOptions(ProtectionForm.GENERAL_GLO, authenticated=False), SIGNING)),
        (
            (SIGNING, SIGNING),
            A,
            (LayerOptions(ProtectionForm.GENERAL_GLO, encrypted=False), SIGNING, SIGNING),
        ),
        ((SIGNING, PLAIN), A | E, (SIGNING, LayerOptions(ProtectionForm.GENERAL_CIPHERING))),
        ((PLAIN, PLAIN), A, (LayerOptions(ProtectionForm.GENERAL_CIPHERING, encrypted=False), PLAIN)),
        ((), S, (SIGNING,)),
        ((), A | E | S, (LayerOptions(ProtectionForm.GENERAL_GLO), SIGNING)),
    ],
)
def test_options_are_strengthened_by_what_they_lack(before, required, after):
    assert SecurityOptions(before).strengthened(required) == SecurityOptions(after)
    assert not lacking(SecurityOptions(after).kinds, required)


def test_options_that_lack_nothing_are_the_same_object():
    options = SecurityOptions()
    assert options.strengthened(A | E) is options


def test_the_header_has_lengths():
    header = GeneralHeader(b"\x01\x02", METER, HEAD_END, b"", b"\xff")
    assert header.octets == b"\x02\x01\x02\x08" + METER + b"\x08" + HEAD_END + b"\x00\x01\xff"
    assert header.fields == (b"\x01\x02", METER, HEAD_END, b"", b"\xff")


def layer(
    control: int | None, *, verified: bool, key: KeyUsed = KeyUsed.GLOBAL_UNICAST, counter: int | None = 1
) -> Layer:
    form = ProtectionForm.GENERAL_SIGNING if control is None else ProtectionForm.SERVICE_SPECIFIC
    return Layer(form, key, None if control is None else SecurityControl(control), verified, METER, counter)


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        (layer(0x30, verified=True), A | E),
        (layer(0x30, verified=False), E),
        (layer(0x10, verified=True), A),
        (layer(0x10, verified=False), NONE),
        (layer(0x20, verified=False), E),
        (layer(None, verified=True), S),
        (layer(None, verified=False), NONE),
        (layer(0x00, verified=False), NONE),
    ],
)
def test_only_what_was_verified_counts_as_authenticated_or_signed(found, kinds):
    assert found.kinds == kinds
    status = SecurityStatus((found,))
    assert status.kinds == kinds
    assert (status.authenticated, status.encrypted, status.signed) == (A in kinds, E in kinds, S in kinds)
    assert status.verified is found.verified


def test_a_status_speaks_of_all_its_layers():
    status = SecurityStatus(
        (
            layer(None, verified=True, counter=None),
            layer(0x70, verified=False, key=KeyUsed.GLOBAL_BROADCAST, counter=7),
        )
    )
    assert status.verified
    assert status.broadcast
    assert status.kinds == S | E
    assert (status.form, status.key, status.control) == (
        ProtectionForm.GENERAL_SIGNING,
        KeyUsed.GLOBAL_UNICAST,
        None,
    )
    assert status.invocation_counter == 7
    assert SecurityStatus((layer(None, verified=True, counter=None),)).invocation_counter is None
    answer = status.answer().layers
    assert [each.key for each in answer] == [KeyUsed.GLOBAL_UNICAST, KeyUsed.GLOBAL_UNICAST]
    assert [(each.authenticated, each.encrypted) for each in answer] == [(False, False), (True, True)]
