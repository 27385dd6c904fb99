"""Secrets in APDUs: passwords, proofs and keys are found wherever the standard puts them, and nothing else is."""

from __future__ import annotations

import pytest

from cosem.translate.explain import explain
from cosem.translate.secrets import SecretFinder
from cosem.transport.recording import starred

SECRET = "A1B2C3D4E5F60718"
Step = tuple[bool, str]


def step(sent: bool, text: str) -> Step:
    return sent, text.replace(" ", "")


HIDDEN = {
    "the password of an AARQ": [
        step(
            True,
            "6036A1090607608574050801018A0207808B0760857405080201AC0A8008 S BE10040E01000000065F1F0400001E1DFFFF",
        )
    ],
    "a dedicated key": [
        step(
            True,
            "6026A109060760857405080101BE190417 01 01 08 S 00 00 06 5F1F0400001E1DFFFF",
        )
    ],
    "a dedicated key among what cannot be read": [
        step(True, "6026A109060760857405080101BE190417 01 01 08 S 01 07 06 5F1F0400001E1DFFFF")
    ],
    "the proof of a client": [step(True, "C301C1 000F 0000280000FF 01 01 0908 S")],
    "the proof of a meter": [
        step(True, "C301C1 000F 0000280000FF 01 00"),
        step(False, "C701C1 00 01 00 0908 S"),
    ],
    "a secret that a script writes": [
        step(
            True,
            "C101C1 0009 00000A0064FF 02 00"
            "0101 0202 120001 0101 0205 1601 12000F 09060000280001FF 0F07 0908 S",
        )
    ],
    "a key that a script transfers": [
        step(True, "C001C1 0009 00000A0064FF 02 00"),
        step(
            False,
            "C401C1 00 0101 0202 120001 0101 0205 1602 120040 090600002B0000FF 0F02 0101 0202 1600 0908 S",
        ),
    ],
    "a new secret": [step(True, "C101C1 000F 0000280000FF 07 00 0908 S")],
    "a secret that is read": [
        step(True, "C001C1 0013 0000140000FF 07 00"),
        step(False, "C401C1 00 0908 S"),
    ],
    "keys that are transferred": [step(True, "C301C1 0040 00002B0000FF 02 01 0101 0202 1600 0908 S")],
    "keys in blocks": [step(True, "C304C1 0040 00002B0000FF 02 01 00000001 08 S")],
    "keys in later blocks": [
        step(True, "C304C1 0040 00002B0000FF 02 00 00000001 02 0101"),
        step(True, "C306C1 01 00000002 08 S"),
    ],
    "a key of an M-Bus slave": [step(True, "C301C1 0048 0001180000FF 07 01 0908 S")],
    "a secret in a list": [
        step(True, "C104C1 02 0001 0000600100FF 02 00 000F 0000280000FF 07 00 02 0901FF 0908 S")
    ],
    "a secret after an error in a list": [
        step(True, "C003C1 02 0001 0000600100FF 02 00 0013 0000140000FF 08 00"),
        step(False, "C403C1 02 01 04 00 0908 S"),
    ],
    "a secret with access": [
        step(True, "D9 40000001 00 02 01 0008 0000010000FF 02 02 000F 0000280000FF 07 02 00 0908 S")
    ],
    "a key in general blocks": [
        step(True, "E0 00 0001 0000 09 C301C1004000002B00"),
        step(True, "E0 80 0002 0000 0D 00FF0201 09 S"),
    ],
    "the proof with short names": [
        step(True, "0501 04FA58 01 0908 S"),
    ],
    "the proof of a meter with short names": [
        step(True, "0501 04FA58 01 0900"),
        step(False, "0C01 00 0908 S"),
    ],
    "the secret of an object whose base name was read": [
        step(True, "0501 02FA08"),
        step(False, "0C01 00 0101 0204 102000 120013 1100 09060000140000FF"),
        step(True, "0501 022030"),
        step(False, "0C01 00 0908 S"),
    ],
    "the secret of an object whose base name was read in portions": [
        step(True, "0501 02FA08"),
        step(False, "0C01 02 00 0001 09 01 00 0101 0204 102000"),
        step(True, "0501 05 0001"),
        step(False, "0C01 02 FF 0002 0D 120013 1100 09060000140000FF"),
        step(True, "0501 022030"),
        step(False, "0C01 00 0908 S"),
    ],
    "what is authenticated only": [step(True, "DB 08 4D4D4D0000BC614E 0D 10 00000001 S")],
    "an AARQ that is damaged": [step(True, "60FF A109 S")],
}


@pytest.mark.parametrize("name", HIDDEN)
def test_it_is_found(name: str) -> None:
    finder = SecretFinder()
    for sent, text in HIDDEN[name]:
        apdu = bytes.fromhex(text.replace("S", SECRET))
        shown = starred(apdu, finder(apdu, sent))
        assert len(shown) == len(apdu)
        assert bytes.fromhex(SECRET) not in shown
        if "S" in text:
            assert shown.count(b"*" * 8) >= 1
            if "damaged" not in name and "authenticated" not in name:
                explain(shown)
        elif "blocks" not in name:
            assert shown == apdu


HIDDEN["the answer to a request for a secret in general blocks"] = [
    step(True, "E0 80 0001 0000 0D C001C1 0013 0000140000FF 07 00"),
    step(False, "E0 80 0001 0001 0E C401C100 0908 S 0000"),
]

SHOWN = {
    "a register": [
        step(True, "C001C1 0003 0100010800FF 02 00"),
        step(False, "C401C1 00 0908 S"),
    ],
    "a challenge": [
        step(
            True,
            "6036A1090607608574050801018A0207808B0760857405080205AC0A8008 S BE10040E01000000065F1F0400001E1DFFFF",
        )
    ],
    "the answer to another request": [
        step(True, "C001C1 0013 0000140000FF 07 00"),
        step(True, "C001C2 0001 0000600100FF 02 00"),
        step(False, "C401C2 00 0908 S"),
    ],
    "a variable of an unknown object": [step(True, "0501 021234"), step(False, "0C01 00 0908 S")],
    "the answer to a request in general blocks after one for a secret": [
        step(True, "C001C1 0013 0000140000FF 07 00"),
        step(True, "E0 00 0001 0000 07 C001C200010000"),
        step(True, "E0 80 0002 0000 06 600100FF0200"),
        step(False, "E0 80 0001 0002 0D C401C200 0908 S 00"),
    ],
    "what is encrypted": [step(True, "DB 08 4D4D4D0000BC614E 0D 20 00000001 S")],
    "an answer that is damaged": [step(False, "C4FFC1 00 0908 S")],
}


@pytest.mark.parametrize("name", SHOWN)
def test_other_values_are_left(name: str) -> None:
    finder = SecretFinder()
    for sent, text in SHOWN[name]:
        apdu = bytes.fromhex(text.replace("S", SECRET))
        assert finder(apdu, sent) == ()


def test_a_known_secret_is_masked_wherever_it_stands() -> None:
    finder = SecretFinder([b"12345678", b"abc"])
    apdu = bytes.fromhex("C401C100 0A13") + b"..12345678abc345678"
    assert starred(apdu, finder(apdu, False))[6:] == b"..********abc345678"
