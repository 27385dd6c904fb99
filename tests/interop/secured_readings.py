"""What clients read in each secured association of a demonstration meter, and what of it counts as understood."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cosem
from cosem.errors import CosemError
from cosem.security.counters import VolatileCounterStore
from cosem.store.memory_keys import MemoryKeyStore
from tests.interop.demonstration import PLAN, OurReading, read_with_ours
from tests.interop.judging import succeeded
from tests.interop.securities import SECURITIES, SecurityCase, security_of_ours

__all__ = ["OURS", "SCRIPTS", "Ports", "judge", "not_offered", "our_reports", "read_by", "secured_server"]

OURS: Final = "cosem"
SCRIPTS: Final = {
    "gurux-dlms 1.0.203": "gurux_secured.py",
    "dlms-cosem 25.1.0": "dlms_cosem_secured.py",
    "pydlms-client 0.1.0": "pydlms_secured.py",
}
HERE: Final = Path(__file__).parent

Ports = tuple[int, int]
"""That of the wrapper, and that of HDLC."""

Reports = dict[str, dict[str, Any]]
"""By address of the client, and by case."""


@contextmanager
def secured_server() -> Iterator[Ports]:
    """Run a demonstration meter with every association; each has counters that nobody used."""
    wanted = json.dumps([each.association() for each in SECURITIES])
    command = [sys.executable, str(HERE / "secured_server.py"), wanted]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        try:
            wrapper, hdlc = map(int, server.stdout.readline().split())
            yield wrapper, hdlc
            assert server.poll() is None, "the server ended before it was stopped"
        finally:
            server.terminate()


def read_by(peer: str, peer_python: Path) -> tuple[OurReading, Reports]:
    """Return what our client reads in clear, and then what a peer reads in each association."""
    with secured_server() as (wrapper, hdlc):
        reference = read_with_ours(wrapper)
        if peer == OURS:
            return reference, our_reports(wrapper, hdlc)
        wanted = {
            "port": wrapper,
            "hdlc_port": hdlc,
            "plan": PLAN,
            "cases": [each.security() for each in SECURITIES],
        }
        done = subprocess.run(
            [peer_python, HERE / "peers" / SCRIPTS[peer]],
            input=json.dumps(wanted),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    reports: Reports = json.loads(done.stdout)
    return reference, reports


def our_reports(wrapper: int, hdlc: int) -> Reports:
    """Return what our own client reads in each association, in the words of the peers' scripts."""
    counters = VolatileCounterStore()
    reports: Reports = {}
    for case in SECURITIES:
        url = f"hdlc+tcp://127.0.0.1:{hdlc}" if case.hdlc else f"tcp://127.0.0.1:{wrapper}"
        security = security_of_ours(case, counters)
        options: dict[str, Any] = {
            "client": case.client,
            "security": security,
            "short_names": case.short_names,
        }
        try:
            with cosem.connect(url, **options) as meter:
                if case.change:
                    _change(meter, case, security.keys)
                report = _read(meter)
        except CosemError as error:
            report = {"open": {"ok": False, "error": repr(error)}}
        reports[str(case.client)] = report
    return reports


def _change(meter: Any, case: SecurityCase, keys: Any) -> None:
    store = MemoryKeyStore()
    store.put("meter", keys)
    change = {"key_transfer": meter.keys.rotate, "key_agreement": meter.keys.agree}[case.change]
    new = change(store=store, name="meter", setup=f"0.0.43.0.{case.client}.255")
    assert new.encryption != keys.encryption
    assert new.authentication != keys.authentication


def _read(meter: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"open": None, "identity": bytes(meter.get(PLAN["identity"], 2)).hex()}
    for name in PLAN["registers"]:
        reading = meter.read(name)
        unit = reading.scaler_unit
        found[f"register {name}"] = {"raw": int(reading.raw), "scaler": unit.scaler, "unit": unit.unit}
    rows = meter.profile(PLAN["profile"]).read(entries=tuple(PLAN["entries"]), fill=False)
    found["by entry"] = [[row[0].replace(tzinfo=None).isoformat(), *map(int, row[1:])] for row in rows]
    found["release"] = meter.release()
    return {name: {"ok": True, "value": value} for name, value in found.items()}


def not_offered(report: dict[str, Any]) -> str | None:
    """Return what a peer's script says that its library has not; ``None`` if the case was tried."""
    for step in ("change", "open"):
        error = str(report.get(step, {}).get("error", "")).strip().splitlines()
        if error and error[-1].startswith("NotImplementedError: "):
            return error[-1].partition(": ")[2]
    return None


def judge(reference: OurReading, report: dict[str, Any]) -> None:
    """Check that a client opened its association, read what there is, and released it."""
    assert report.get("change", {"ok": True})["ok"], report["change"]["error"]
    succeeded(report, "open")
    assert succeeded(report, "identity") == reference.identity
    for name, (raw, scaler_unit) in reference.registers.items():
        found = succeeded(report, f"register {name}")
        assert (found["scaler"], found["unit"]) == (scaler_unit.scaler, scaler_unit.unit)
        assert found["raw"] >= raw or name == "1.0.32.7.0.255"  # a voltage goes up and down
    rows = succeeded(report, "by entry")
    assert len(rows) == 5
    assert rows[:4] == reference.chosen(PLAN)[:4] or rows[:4] == reference.chosen(PLAN)[1:]
    succeeded(report, "release")
