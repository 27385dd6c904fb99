"""Values of security are frozen and have no room for more; what holds secrets prints none."""

from __future__ import annotations

import pkgutil
from dataclasses import fields, is_dataclass
from importlib import import_module

import pytest

import cosem.security
from cosem.errors import ConfigurationError
from cosem.security.context import Side
from cosem.security.counters import ReplayMode
from cosem.security.inspection import Verdict
from cosem.security.key_material import KeyRole
from cosem.security.keys import Keys
from cosem.security.material import SecurityMaterial
from cosem.security.status import GeneralHeader, KeyUsed, ProtectionForm

MODULES = [
    import_module(found.name) for found in pkgutil.walk_packages(cosem.security.__path__, "cosem.security.")
]
VALUES = sorted(
    {
        each
        for module in MODULES
        for each in vars(module).values()
        if isinstance(each, type) and is_dataclass(each) and each.__module__ == module.__name__
    },
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_frozen(value):
    assert value.__dataclass_params__.frozen
    assert set(value.__slots__) == {field.name for field in fields(value)}


@pytest.mark.parametrize("value", [Keys, SecurityMaterial])
def test_what_holds_secrets_says_itself_what_it_shows(value):
    assert value.__dataclass_params__.repr is False


def test_the_words_of_files_and_options_stay_what_they_are():
    assert [str(mode) for mode in ReplayMode] == ["strict", "warn", "off"]
    assert [side.value for side in Side] == ["client", "server"]
    assert [verdict.value for verdict in Verdict] == ["verified", "unverifiable", "failed"]
    assert {role.name: str(role) for role in KeyRole} == {
        "GLOBAL_UNICAST_ENCRYPTION": "guek",
        "GLOBAL_BROADCAST_ENCRYPTION": "gbek",
        "GLOBAL_AUTHENTICATION": "gak",
        "MASTER": "kek",
        "DEDICATED": "dedicated",
        "SIGNING": "signing",
        "KEY_AGREEMENT": "key-agreement",
        "TLS": "tls",
        "HLS_SECRET": "hls-secret",
        "PASSWORD": "password",
    }


def test_forms_and_keys_have_the_names_by_which_they_are_shown():
    assert [form.value for form in ProtectionForm] == [
        "glo- or ded-, by service",
        "general-glo-ciphering",
        "general-ded-ciphering",
        "general-ciphering",
        "general-signing",
    ]
    assert [key.value for key in KeyUsed] == [
        "global unicast encryption key",
        "global broadcast encryption key",
        "dedicated key",
        "key wrapped in the message",
        "key agreed by C(1e,1s)",
        "key agreed by C(0e,2s)",
        "key established before",
        "signing key",
    ]


def test_a_header_is_empty_unless_it_is_filled():
    assert GeneralHeader().fields == (b"",) * 5


def test_there_are_values():
    assert len(VALUES) >= 10


@pytest.mark.parametrize(("suite", "wrong"), [(1, 48), (2, 32)])
@pytest.mark.parametrize(
    ("field", "factor"),
    [("signing", 1), ("key_agreement", 1), ("peer_signing", 2), ("peer_key_agreement", 2)],
)
def test_a_key_of_another_curve_is_refused(suite, wrong, field, factor):
    curves = {32: "P-256", 48: "P-384"}
    says = f"{field} is a key of {curves[wrong]}, security suite {suite} wants one of {curves[80 - wrong]}"
    with pytest.raises(ConfigurationError, match=says):
        Keys.parse({"suite": suite, field: b"\1" * wrong * factor})
    assert getattr(Keys.parse({"suite": suite, field: b"\1" * (80 - wrong) * factor}), field) is not None


def test_of_a_key_of_the_wrong_length_it_is_said_how_it_was_taken():
    with pytest.raises(ConfigurationError, match=r"guek has 32 octets.*taken as text of 32 characters"):
        Keys.parse(guek="this is a key of 32 characters..")
    with pytest.raises(
        ConfigurationError, match=r"gak has 16 octets.*authentication was taken as hex of 32 ch"
    ):
        Keys.parse(suite=2, guek="00" * 32, gak="00" * 16)
    with pytest.raises(ConfigurationError, match=r"wants 32$"):
        Keys.parse(suite=2, guek=b"0" * 16)


@pytest.mark.parametrize("suite", [0, 1, 2])
@pytest.mark.parametrize("text", ["00112233445566778899AABBCCDDEEFG", "00112233445566778899AABBCCDDAAZZ"])
def test_a_slip_of_the_finger_makes_no_key_of_text(suite, text):
    with pytest.raises(
        ConfigurationError, match=r"all of them hexadecimal digits but [12]: mistyped\?"
    ) as told:
        Keys.parse(suite=suite, guek=text)
    assert text not in str(told.value)
    assert "DDEE" not in str(told.value)
    if suite == 2:
        assert Keys.parse(suite=suite, guek=f"text:{text}").encryption is not None


def test_digits_that_are_no_whole_octets_are_told():
    with pytest.raises(ConfigurationError, match="in pairs that are not whole"):
        Keys.parse(guek="00112233445566778899AABBCCDDEEF")
