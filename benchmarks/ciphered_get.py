"""CPU of the client for one ciphered GET (HLS-GMAC, suite 0, tag and encryption), and what its counter store adds.

    python benchmarks/ciphered_get.py

The meter answers in the same process, without a network; its part is not counted. Best of many turns. What the store
adds is then compared with a whole GET: that over loopback TCP, to a server in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import cosem
import inputs
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.get import get
from cosem.association.client.parameters import AssociationParameters
from cosem.client.security import HighGmac
from cosem.security.counters import CounterStore, VolatileCounterStore
from cosem.security.demonstration import demonstration_keys
from cosem.server import AccessRights, HeldSecurity, LogicalDevice, RegisterObject, secured_profile
from cosem.store.sqlite_counters import SqliteCounterStore
from cosem.types.data import DoubleLongUnsigned
from cosem.types.enumerations import AuthenticationMechanism
from cosem.types.logical_name import LogicalName

NAME = LogicalName("1.0.1.8.0.255")
GETS, TURNS = 8192, 7  # as many as are reserved at a time: each turn pays for one reservation


class Pair:
    """A client and a meter, octets handed over by hand; the time of the client alone is taken."""

    def __init__(self, counters: CounterStore | None) -> None:
        keys = demonstration_keys()
        self.device = LogicalDevice("COS1", objects=[RegisterObject(NAME, value=DoubleLongUnsigned(5))])
        parameters = AssociationParameters(client_sap=1)
        if counters is None:
            self.device.add_association(1, AccessRights.full())
            self.client = ClientAssociation(parameters)
        else:
            held = HeldSecurity(keys, counters=VolatileCounterStore(), allow_test_keys=True)
            profile = secured_profile(AuthenticationMechanism.HLS_GMAC, held, client_sap=1)
            self.device.add_association(profile, AccessRights.full())
            prepared = HighGmac(keys, counters=counters, allow_test_keys=True).prepare(parameters)
            self.client = ClientAssociation(
                prepared.parameters, protection=prepared.protection, authenticator=prepared.authenticator
            )
        self.server = self.device.association(1)
        self.spent = 0.0
        self.run(self.client.open)

    def run(self, begin: Callable[[], Any]) -> Any:
        """Run an exchange and add the time that the client needs."""
        clock = time.process_time  # with that of threads that put counters to rest
        start = clock()
        exchange = begin()
        while not exchange.done:
            outgoing = self.client.next_outgoing()
            self.spent += clock() - start
            if outgoing is None:
                raise SystemExit("error: the client waits for nothing")
            answers = self.answers(outgoing.octets)
            start = clock()
            for answer in answers:
                self.client.receive(answer)
        result = exchange.result()
        self.spent += clock() - start
        return result

    def answers(self, octets: bytes) -> list[bytes]:
        processing = self.server.process(octets, 0.0)
        outcome: Any = None
        try:
            while True:
                outcome = self.device.resolve(self.server, processing.send(outcome))
        except StopIteration as stop:
            answers: list[bytes] = stop.value
            return answers

    def microseconds(self) -> float:
        """Return the time of one GET."""
        descriptor = CosemAttributeDescriptor(3, NAME, 2)
        self.spent = 0.0
        for _ in range(GETS):
            if self.run(lambda: self.client.start(lambda context: get(context, descriptor))) != 5:
                raise SystemExit("error: something else was read")
        return self.spent / GETS * 1e6


def measured() -> dict[str, float]:
    """Return microseconds by way; the ways take turns, and the best turn counts."""
    with tempfile.TemporaryDirectory() as folder:
        stores: list[tuple[str, AbstractContextManager[CounterStore | None]]] = [
            ("clear", nullcontext(None)),
            ("ciphered, counters in memory", nullcontext(VolatileCounterStore())),
            ("ciphered, counters at rest (SQLite)", SqliteCounterStore(Path(folder) / "counters")),
        ]
        pairs = {}
        for way, opened in stores:
            pairs[way] = Pair(opened.__enter__())
        turns = [{way: pair.microseconds() for way, pair in pairs.items()} for _ in range(TURNS)]
        found = {way: min(turn[way] for turn in turns) for way in pairs}
        for _, opened in stores:
            opened.__exit__(None, None, None)
        return found


def over_tcp() -> float:
    """Return microseconds of one ciphered GET with the socket, counters in memory."""
    script = Path(__file__).with_name("ciphered_server.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            port = int(server.stdout.readline())
            keys = cosem.Keys.parse(
                guek=inputs.ENCRYPTION_KEY.hex(),
                gak=inputs.AUTHENTICATION_KEY.hex(),
                client_title=inputs.title_of(1).hex(),
                server_title=inputs.SERVER_TITLE.hex(),
            )
            security = HighGmac(keys, counters=VolatileCounterStore(), allow_test_keys=True)
            with cosem.connect(f"tcp://127.0.0.1:{port}", client=1, security=security) as meter:
                turns = []
                for _ in range(TURNS):
                    start = time.process_time()
                    for _ in range(GETS):
                        meter.get(NAME, 2, class_id=3)
                    turns.append((time.process_time() - start) / GETS * 1e6)
            return min(turns)
        finally:
            server.terminate()


if __name__ == "__main__":
    times = measured()
    times["ciphered, counters in memory, over TCP"] = over_tcp()
    print("| one GET, CPU of the client | us |\n|---|--:|")
    for way, each in times.items():
        print(f"| {way} | {each:.1f} |")
    memory, rest, whole = (times[way] for way in list(times)[1:])
    added = rest - memory
    print(f"\nThe counter store adds {added:.1f} us: {100 * added / whole:.1f} % of a GET over TCP,")
    print(f"{100 * added / memory:.1f} % of what is computed for it.")
