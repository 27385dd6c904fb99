"""The demonstration meter with an association for each way to authenticate and protect.

It is run as a process, with the associations that are wanted as a JSON list; it prints the ports of its wrapper and of
HDLC, then serves. Each association has a security context of its own, with a Security setup that changes its keys:
0.0.43.0.C.255 belongs to client C.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2]))

from cosem.errors import VerificationError
from cosem.security.counters import VolatileCounterStore
from cosem.security.policy import SecurityPolicyV1
from cosem.security.status import KeyUsed, ProtectionForm, SecurityStatus
from cosem.server import AccessRights, HeldSecurity, LogicalDevice, Server, demonstration_meter
from cosem.server.objects.security_setup import security_setup_object
from cosem.server.security import secured_profile
from cosem.types.enumerations import AuthenticationMechanism
from tests.interop.securities import LAYERS, keys_of_server, usual_function

INITIATE_REQUEST, ACTION_REQUEST, ACCESS_REQUEST = 0x01, 0xC3, 0xD9
SPECIFIC = ProtectionForm.SERVICE_SPECIFIC
GENERAL = {
    KeyUsed.GLOBAL_UNICAST: ProtectionForm.GENERAL_GLO,
    KeyUsed.DEDICATED: ProtectionForm.GENERAL_DED,
}
POLICIES = {"AE": 0x6C, "A": 0x24, "E": 0x48}


class Demanding:
    """A protection that takes requests in one form only, so that whoever reads has shown that form.

    InitiateRequest and pass 3 may have another one; ACCESS has no service-specific form, the general one stands for it.
    """

    def __init__(self, protection: Any, form: str, kinds: str) -> None:
        self._protection = protection
        self._layers = list(LAYERS[form])
        self._of_access = [
            (GENERAL[key], key) if each is SPECIFIC else (each, key) for each, key in LAYERS[form]
        ]
        self._kinds = ("A" in kinds, "E" in kinds)

    def unprotect(self, apdu: bytes) -> tuple[bytes, SecurityStatus]:
        """Return the clear octets of a request and what was found."""
        octets, status = self._protection.unprotect(apdu)
        if octets[0] not in (INITIATE_REQUEST, ACTION_REQUEST):
            layers = self._of_access if octets[0] == ACCESS_REQUEST else self._layers
            controls = [each.control for each in status.layers if each.control is not None]
            if [(each.form, each.key) for each in status.layers] != layers or any(
                (each.authenticated, each.encrypted) != self._kinds for each in controls
            ):
                raise VerificationError("another form of protection")
        return octets, status

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protection, name)


def add(meter: LogicalDevice, wanted: dict[str, Any], counters: VolatileCounterStore) -> None:
    """Add an association and its security context."""
    mechanism, secrets = AuthenticationMechanism(wanted["mechanism"]), {}
    if wanted["secret"]:
        secrets["password" if mechanism is AuthenticationMechanism.LLS else "hls_secret"] = wanted[
            "secret"
        ].encode()
    title = bytes.fromhex(wanted["client_title"])
    if wanted["form"] == "clear" and mechanism < AuthenticationMechanism.HLS_GMAC:
        title = None  # nobody has to say it
    policy = 0 if wanted["form"] in ("clear", "signing") else POLICIES[wanted["kinds"]]
    held = HeldSecurity(
        keys_of_server(wanted["suite"], title, **secrets),
        policy=SecurityPolicyV1(policy),
        counters=counters,
        across_associations=wanted["form"] != "signing",  # peers number no transactions
    )
    profile = secured_profile(
        mechanism,
        held,
        client_sap=wanted["client"],
        ciphered=wanted["form"] != "clear",
        short_names=wanted["short_names"],
        function=usual_function,
        lenient_release=True,  # a peer releases in clear
    )
    if (protection := profile.protection) is not None:
        demanded = wanted["form"], wanted["kinds"]
        profile = replace(profile, protection=lambda title: Demanding(protection(title), *demanded))
    meter.add(security_setup_object(held, f"0.0.43.0.{wanted['client']}.255"))
    meter.add_association(profile, AccessRights.full())


async def main(wanted: list[dict[str, Any]]) -> None:
    meter, counters = demonstration_meter(), VolatileCounterStore()
    for each in wanted:
        add(meter, each, counters)
    async with (
        Server(meter).listen("tcp://127.0.0.1:0") as wrapper,
        Server(meter).listen("hdlc+tcp://127.0.0.1:0") as hdlc,
    ):
        print(urlsplit(wrapper.address).port, urlsplit(hdlc.address).port, flush=True)
        await wrapper.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
