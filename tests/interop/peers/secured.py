"""The part that the scripts for security share: read a meter in each association of a list, and report.

Standard input has ``{"port": ..., "hdlc_port": ..., "plan": {...}, "cases": [{...}, ...]}``; standard output gets one
object of reports by address of the client.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from report import Report, plain

__all__ = ["Case", "Keys", "Peer", "main"]


@dataclass(frozen=True)
class Keys:
    """Keys and titles of the client; those of the suites 1 and 2 are raw: numbers, and x and y."""

    suite: int
    server_title: bytes
    client_title: bytes
    guek: bytes
    gak: bytes
    kek: bytes
    signing: bytes = b""
    key_agreement: bytes = b""
    peer_signing: bytes = b""
    peer_key_agreement: bytes = b""


@dataclass(frozen=True)
class Case:
    """One association; the names are those of the tests' ``securities.py``."""

    port: int
    client: int
    mechanism: int
    suite: int
    secret: str | None
    form: str
    kinds: str
    short_names: bool
    hdlc: bool
    change: str
    keys: Keys

    @property
    def ciphered(self) -> bool:
        """Whether the application context has ciphering."""
        return self.form != "clear"

    @property
    def security(self) -> int:
        """The bits of the security control octet for tag and encryption."""
        return 0x10 * ("A" in self.kinds) | 0x20 * ("E" in self.kinds)

    @property
    def setup(self) -> str:
        """The name of the Security setup of this association."""
        return f"0.0.43.0.{self.client}.255"

    @property
    def dedicated(self) -> bool:
        """Whether there is a dedicated key."""
        return "ded" in self.form


class Peer(Protocol):
    """What a script does with the library that it runs."""

    def open(self) -> None: ...
    def identity(self, name: str) -> bytes: ...
    def register(self, name: str) -> tuple[int, int, int]: ...
    def rows(self, name: str, first: int, last: int) -> list[list[Any]]: ...
    def transfer(self, guek: bytes, gak: bytes) -> None: ...
    def agree(self) -> tuple[bytes, bytes]: ...
    def release(self) -> None: ...
    def close(self) -> None: ...


def main(connect: Callable[[Case], Peer]) -> None:
    """Read in each association."""
    wanted = json.load(sys.stdin)
    reports = {}
    with contextlib.redirect_stdout(sys.stderr):  # a library may print
        for each in wanted["cases"]:
            keys = {
                name: value if name == "suite" else bytes.fromhex(value)
                for name, value in each["keys"].items()
            }
            facts = {name: value for name, value in each.items() if name in Case.__dataclass_fields__}
            port = wanted["hdlc_port" if each["hdlc"] else "port"]
            case = Case(**facts | {"port": port, "keys": Keys(**keys)})
            reports[case.client] = _read(connect, case, wanted["plan"]).cases
    print(json.dumps(reports, default=plain))


def _read(connect: Callable[[Case], Peer], case: Case, plan: dict[str, Any]) -> Report:
    report = Report()
    if case.change:
        with report.case("change"):
            case = _changed(connect, case)
        if not report.ok("change"):
            return report
    peer: Peer | None = None
    with report.case("open"):
        peer = connect(case)
        peer.open()
    if peer is None:
        return report
    if report.ok("open"):
        with report.case("identity") as result:
            result(bytes(peer.identity(plan["identity"])))
        for name in plan["registers"]:
            with report.case(f"register {name}") as result:
                raw, scaler, unit = peer.register(name)
                result({"raw": raw, "scaler": scaler, "unit": int(unit)})
        with report.case("by entry") as result:
            result(peer.rows(plan["profile"], *plan["entries"]))
        with report.case("release"):
            peer.release()
    with contextlib.suppress(OSError):
        peer.close()
    return report


def _changed(connect: Callable[[Case], Peer], case: Case) -> Case:
    """Change keys in an association of its own, and return the case with the new ones."""
    peer = connect(case)
    peer.open()
    if case.change == "key_transfer":
        guek, gak = (secrets.token_bytes(len(case.keys.guek)) for _ in range(2))
        peer.transfer(guek, gak)
    else:
        guek, gak = peer.agree()
    peer.release()
    peer.close()
    return replace(case, keys=replace(case.keys, guek=guek, gak=gak))
