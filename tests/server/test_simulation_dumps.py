"""A meter that was taken down and is served again is the same meter to a client, template by template."""

from __future__ import annotations

from typing import Any

import pytest

from cosem.connecting import connect
from cosem.connecting.simulated import meter_maker, template_names
from cosem.server import serve_in_thread
from cosem.server.simulation.building import simulated_meter
from cosem.translate.meter_file import meter_from_toml, meter_to_toml
from tests.server.driver import StandingClock

SECRETS = {"COSEM_PASSWORD": "87654321"}
MANAGER: dict[str, Any] = {"client": 1, "password": "87654321"}
CLIENTS: dict[str, dict[str, Any]] = {
    "public": {},
    "reader": {"client": 17, "password": "12345678"},
    "manager": MANAGER,
}
CASES = [(name, who) for name in template_names() for who in CLIENTS]


def dumped(url: str, name: str, **facts: Any) -> str:
    with connect(url, short_names=name == "short-names", **facts) as meter:
        return meter_to_toml(meter.dump())


@pytest.mark.parametrize(("name", "who"), CASES, ids=[f"{name}-{who}" for name, who in CASES])
def test_the_dump_of_a_template_that_is_served_gives_the_same_dump(name: str, who: str) -> None:
    facts = CLIENTS[who]
    with serve_in_thread(meter_maker(name, clock=StandingClock())(7, None)) as url:
        first = dumped(url, name, **facts)
    secrets = {"COSEM_PASSWORD": str(facts.get("password"))}
    with serve_in_thread(simulated_meter(meter_from_toml(first), environment=secrets)) as url:
        second = dumped(url, name, **facts)
    assert second == first
    assert len(meter_from_toml(first).objects) > 2
