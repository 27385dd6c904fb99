"""pydlms-client clients in secured associations; see ``secured.py``."""

from __future__ import annotations

from typing import Any

from pydlms.apdu.xdlms import entry_descriptor
from pydlms.client import DlmsClient
from pydlms.cosem.time import CosemDateTime
from pydlms.security.context import SecurityContext
from pydlms.security.ec import curve_for_suite, load_public_key
from pydlms.security.general import GeneralAad, KeyInfo
from pydlms.security.hls import Mechanism
from pydlms.security.keywrap import KeyId

from secured import Case, main

KEY_INFOS = {
    "identified": KeyInfo("identified"),
    "wrapped": KeyInfo("wrapped"),
    "one-pass": KeyInfo("agreed", scheme=1),
    "static-unified": KeyInfo("agreed", scheme=2),
}
PROTECTIONS = {
    "clear": "glo",
    "glo": "glo",
    "ded": "glo",
    "general-glo": "general-glo",
    "general-ded": "general-glo",
    "signing": "general-signing",
    "glo+signing": "glo+signing",
    "identified+signing": "general-ciphering+signing",
}


def context_of(case: Case) -> SecurityContext:
    """Return keys and titles as the library wants them."""
    keys = case.keys
    pairs: dict[str, Any] = {}
    if case.suite:
        from cryptography.hazmat.primitives.asymmetric.ec import derive_private_key

        curve = curve_for_suite(case.suite)
        pairs = {
            "signing_key": derive_private_key(int.from_bytes(keys.signing, "big"), curve),
            "key_agreement_key": derive_private_key(int.from_bytes(keys.key_agreement, "big"), curve),
            "peer_signing_key": load_public_key(case.suite, keys.peer_signing),
            "peer_key_agreement_key": load_public_key(case.suite, keys.peer_key_agreement),
        }
    return SecurityContext(
        keys.guek,
        keys.gak,
        keys.client_title,
        keys.server_title,
        invocation_counter=1,
        suite=case.suite,
        policy=case.security,
        master_key=keys.kek,
        general_aad=GeneralAad.WITH_HEADER,
        **pairs,
    )


class Client:
    """One association."""

    def __init__(self, case: Case) -> None:
        facts: dict[str, Any] = {"mechanism": Mechanism(case.mechanism), "password": case.secret}
        if case.ciphered or case.mechanism >= 5:
            facts["security"] = context = context_of(case)
            facts["ciphered_context"] = case.ciphered
            facts["use_dedicated_key"] = case.dedicated
            facts["protection"] = PROTECTIONS.get(case.form, "general-ciphering")
            facts["key_info"] = KEY_INFOS.get(case.form)
            if case.mechanism == 7:
                facts["signing_key"] = context.signing_key
                facts["server_public_key"] = context.peer_signing_key
        self.setup = case.setup
        self.client = DlmsClient.tcp(
            "127.0.0.1",
            case.port,
            client_sap=case.client,
            hdlc=case.hdlc,
            logical_names=not case.short_names,
            **facts,
        )

    def open(self) -> None:
        self.client.connect()

    def identity(self, name: str) -> bytes:
        return self.client.get(name, 1, 2).to_python()

    def register(self, name: str) -> tuple[int, int, int]:
        found = self.client.get_register(name)
        return found.raw, found.scaler, found.unit

    def rows(self, name: str, first: int, last: int) -> list[list[Any]]:
        rows = self.client.read_profile(name, entry_descriptor(first, last)).rows
        return [[wall_clock(cell) if isinstance(cell, bytes) else cell for cell in row] for row in rows]

    def transfer(self, guek: bytes, gak: bytes) -> None:
        keys = {KeyId.GLOBAL_UNICAST_ENCRYPTION: guek, KeyId.AUTHENTICATION: gak}
        self.client.transfer_keys(keys, self.setup)

    def agree(self) -> tuple[bytes, bytes]:
        which = (KeyId.GLOBAL_UNICAST_ENCRYPTION, KeyId.AUTHENTICATION)
        agreed = self.client.agree_keys(which, self.setup)
        return agreed[which[0]], agreed[which[1]]

    def release(self) -> None:
        self.client.association.release()

    def close(self) -> None:
        self.client.link.disconnect()


def wall_clock(octets: bytes) -> str:
    """Return a date-time as the wall clock of the meter."""
    return CosemDateTime.from_bytes(octets).to_datetime().replace(tzinfo=None).isoformat()


if __name__ == "__main__":
    main(Client)
