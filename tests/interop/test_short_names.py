"""Clients of others that refer to our objects by short names, and what the simulator does when it is only read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

import cosem
from cosem.association.client.parameters import ALL_SERVICES_SN
from cosem.types.data import Integer, OctetString
from cosem.types.enumerations import Conformance
from tests.interop.demonstration import PLAN, read_with_ours
from tests.interop.simulator_steps import Simulated

SCRIPTS = {"gurux-dlms": "gurux_sn.py", "pydlms-client": "pydlms_sn.py"}
MANAGEMENT: dict[str, Any] = {"client": 1, "password": "87654321"}
SOON = timedelta(minutes=2)


@pytest.fixture(scope="module", params=SCRIPTS)
def report(request: pytest.FixtureRequest, our_server: int, run_client: Callable[..., Any]) -> dict[str, Any]:
    """What a peer's client saw at our server, as the client that may do everything."""
    security = {"mechanism": 1, "secret": MANAGEMENT["password"]}
    message = _message(our_server)
    try:
        cases: dict[str, Any] = run_client(
            SCRIPTS[request.param], our_server, PLAN, security, "--client", "1"
        )
        cases["message"] = _message(our_server)
    finally:
        with cosem.connect(f"tcp://127.0.0.1:{our_server}", **MANAGEMENT) as meter:
            meter.set(PLAN["message"], 2, message)
    return cases


def _message(port: int) -> OctetString:
    with cosem.connect(f"tcp://127.0.0.1:{port}", **MANAGEMENT) as meter:
        return OctetString(meter.get(PLAN["message"]))


def test_every_case_went_well(report):
    failed = {name: case["error"] for name, case in report.items() if name != "message" and not case["ok"]}
    assert not failed


def test_it_sees_the_objects_and_base_names_that_our_client_sees(report, our_server):
    with cosem.connect(f"tcp://127.0.0.1:{our_server}", short_names=True, **MANAGEMENT) as meter:
        ours = {(each.base_name, each.class_id, str(each.logical_name)) for each in meter.objects()}
    assert {(each[0], each[1], each[3]) for each in report["objects"]["value"]} == ours


def test_it_reads_the_values_that_our_client_reads_by_logical_names(report, our_server):
    ours = read_with_ours(our_server, **MANAGEMENT)
    assert report["identity"]["value"] == ours.identity
    for name, (raw, scaler_unit) in ours.registers.items():
        seen = report[f"register {name}"]["value"]
        assert (seen["scaler"], seen["unit"]) == (scaler_unit.scaler, int(scaler_unit.unit))
        assert seen["raw"] == pytest.approx(raw, rel=0.1)  # they go on counting meanwhile
    assert len(report["list"]["value"]) == len(PLAN["registers"])
    assert abs(datetime.fromisoformat(report["clock"]["value"]) - ours.clock) < SOON
    assert report["columns"]["value"] == ours.columns
    assert report["by entry"]["value"] == ours.chosen(PLAN)


def test_it_writes_calls_and_is_refused(report):
    written = report["write"]["value"]
    assert (written["written"], written["restored"]) == (PLAN["write"], written["before"])
    assert report["methods"]["value"] == [True, False, True]
    refusal = report["refusal"]["value"]
    assert "3" in refusal or "READ_WRITE_DENIED" in refusal
    assert report["release"]["value"] == "released"


def test_what_it_writes_in_blocks_arrives_whole(report):
    if "write in blocks" in report:
        assert report["message"].hex() == PLAN["write in blocks"]
    else:
        assert report["message"].hex() == report["write"]["value"]["restored"]


def test_methods_are_called_by_reading_where_writing_was_not_agreed_on(simulator: Simulated):
    services = ALL_SERVICES_SN & ~Conformance.WRITE
    with cosem.connect(simulator.url, short_names=True, conformance=services) as meter:
        assert not Conformance.WRITE & meter.conformance
        meter.call(PLAN["disconnect"], "remote_disconnect", Integer(0))
        state = meter.get(PLAN["disconnect"], "output_state")
    with cosem.connect(simulator.url) as meter:
        meter.set(PLAN["disconnect"], 2, True)
    assert state is False
