"""What counts as understood: one function for each capability, which compares what a peer saw with what ours reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cosem.errors import CosemError
from tests.interop.demonstration import OurReading
from tests.interop.securities import SecurityCase

__all__ = ["ABSENT", "CAPABILITIES", "CLIENTS", "Seen", "absent", "outcome", "succeeded"]

CLIENTS: Final = {
    "gurux-dlms 1.0.203": "gurux_client.py",
    "dlms-cosem 25.1.0": "dlms_cosem_client.py",
    "pydlms-client 0.1.0": "pydlms_client.py",
}
"""The clients of others, and the scripts that run them."""


@dataclass(frozen=True)
class Seen:
    """Everything about one peer's client at the demonstration meter.

    Args:
        plan: What it was asked to do.
        before: What our client read before.
        after: What our client read afterwards.
        public: Its report as client 16, without authentication; a short one.
        management: Its report as client 1, with a password.
        refused: Its report with a wrong password.
    """

    plan: dict[str, Any]
    before: OurReading
    after: OurReading
    public: dict[str, Any]
    management: dict[str, Any]
    refused: dict[str, Any]

    def value(self, case: str) -> Any:
        """Return what came of a case."""
        return succeeded(self.management, case)


def outcome(absent: str | None, check: Callable[[], object]) -> str:
    """Return what the matrix says: ``yes``, or why not. What is not there must not be there."""
    if absent is None:
        check()
        return "yes"
    try:
        check()
    except (AssertionError, CosemError):
        return absent
    raise AssertionError(f"the page says that {absent}; but it works")


def succeeded(report: dict[str, Any], case: str) -> Any:
    """Return the value of a case, which must have gone well."""
    assert report[case]["ok"], report[case].get("error")
    return report[case]["value"]


def _public(seen: Seen) -> None:
    succeeded(seen.public, "open")
    assert succeeded(seen.public, "identity") == seen.before.identity


def _password(seen: Seen) -> None:
    seen.value("open")
    assert seen.value("identity") == seen.before.identity


def _refused(seen: Seen) -> None:
    opening = seen.refused["open"]
    assert not opening["ok"]
    assert "reject" in opening["error"].lower()
    assert "identity" not in seen.refused


def _objects(seen: Seen) -> None:
    assert seen.value("objects") == seen.before.objects


def _registers(seen: Seen) -> None:
    for name, (raw, scaler_unit) in seen.before.registers.items():
        found = seen.value(f"register {name}")
        assert (found["scaler"], found["unit"]) == (scaler_unit.scaler, scaler_unit.unit)
        if name == "1.0.32.7.0.255":  # a voltage goes up and down
            assert 2200 < found["raw"] < 2400
        else:
            assert raw <= found["raw"] <= seen.after.registers[name][0]


def _clock(seen: Seen) -> None:
    found = datetime.fromisoformat(seen.value("clock"))
    if seen.before.clock <= seen.after.clock:  # otherwise summer time ended meanwhile
        assert seen.before.clock <= found <= seen.after.clock


def _list(seen: Seen) -> None:
    expected = [[each.scaler, each.unit] for _, each in seen.before.registers.values()]
    assert seen.value("list") == expected


def _rows(found: list[list[Any]], *expected: list[list[Any]]) -> None:
    """Compare rows with those before and after: a quarter of an hour may have ended between."""
    assert found
    assert found in expected


def _whole(seen: Seen) -> None:
    assert seen.value("columns") == seen.before.columns
    _rows(seen.value("whole"), seen.before.rows, seen.after.rows)


def _by_entry(seen: Seen) -> None:
    _rows(seen.value("by entry"), seen.before.chosen(seen.plan), seen.after.chosen(seen.plan))


def _by_range(seen: Seen) -> None:
    start, end = (
        datetime.fromisoformat(each).replace(tzinfo=None).isoformat() for each in seen.plan["range"]
    )
    expected = [row for row in seen.after.rows if start <= row[0] <= end]
    _rows(seen.value("by range"), expected)
    assert len(expected) == 11


def _written(seen: Seen, case: str) -> None:
    before, written, restored = seen.value(case)
    assert written == seen.plan[case]
    assert before == restored == b"Good morning".hex()


def _refusal(seen: Seen) -> None:
    message = seen.value("refusal")
    assert message
    assert "undefined" in message.lower() or "error 4" in message


def _method(seen: Seen) -> None:
    assert seen.value("method") == [True, False, True]


def _release(seen: Seen) -> None:
    seen.value("release")


CAPABILITIES: Final[dict[str, Callable[[Seen], None]]] = {
    "association without authentication": _public,
    "low level security": _password,
    "a wrong password is told apart": _refused,
    "object list": _objects,
    "registers with scaler and unit": _registers,
    "clock": _clock,
    "several attributes in one request": _list,
    "load profile, whole (3,360 rows in blocks)": _whole,
    "load profile, by entry": _by_entry,
    "load profile, by range": _by_range,
    "write, and read back": lambda seen: _written(seen, "write"),
    "write 3,000 octets in blocks": lambda seen: _written(seen, "write in blocks"),
    "an unknown object is told": _refusal,
    "methods": _method,
    "release": _release,
}
"""In the order of the matrix."""

_METHODS: Final = "by short names it takes methods as reading, we call them by writing"
_DEDICATED: Final = (
    "it uses the dedicated key from the first APDU after the AARE on, we do from the end of authentication on"
)
_INITIATE: Final = "it takes an InitiateRequest in the form glo- only, we protect it as all that follows"
_GMAC: Final = "it proves GMAC as in suite 0"
_PROOF: Final = "by short names it sends the proof of HLS by writing, we take it by reading"
GURUX, DLMS_COSEM, PYDLMS = CLIENTS

ABSENT: Final[dict[tuple[str, str, str], str]] = {
    ("clients", DLMS_COSEM, "write 3,000 octets in blocks"): "its client writes with one request",
    ("simulator", "short names", "methods"): _METHODS,
}
"""What was tried and is not there, by section, peer and capability. A test fails when it comes to be there."""


def absent(section: str, peer: str, case: SecurityCase) -> str | None:
    """Return why a way to authenticate and protect is not there; ``None`` if it is, or if nobody knows yet."""
    high, dedicated = case.mechanism > 1, case.form.endswith("ded")
    if section == "clients":
        if case.kinds == "E":
            return "our server takes no message without a tag"
        if peer == PYDLMS and high and dedicated:
            return _DEDICATED
        if peer == GURUX and dedicated and case.kinds == "A":
            return "its client encrypts no InitiateRequest then; we take a dedicated key only encrypted"
        if peer == GURUX and case.short_names and case.form == "clear":
            return _PROOF
        return None
    if case.mechanism == 5 and case.suite and case.form != "clear":
        return _GMAC
    if high and dedicated:
        return _DEDICATED
    if case.form in ("identified", "wrapped", "one-pass") or case.form.endswith("signing"):
        return _INITIATE
    return None
