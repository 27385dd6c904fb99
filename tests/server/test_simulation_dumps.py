"""A meter that was taken down and is served again is the same meter to a client, template by template."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import cosem
from cosem.classes.meter_record import MeterRecord, ObjectRights
from cosem.classes.standard.access_rights import AccessMode
from cosem.client.security_base import INVOCATION_COUNTER
from cosem.connecting import connect
from cosem.connecting.simulated import meter_maker, record_of, template_names
from cosem.security.counters import VolatileCounterStore
from cosem.security.demonstration import demonstration_keys
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


CIPHERED = ("dsmr-like", "idis-like")


def dump_of_ciphering_client(url: str) -> MeterRecord:
    security = cosem.HighGmac(
        replace(demonstration_keys(), server_title=None),
        cosem.Ciphering(),
        allow_test_keys=True,
        counters=VolatileCounterStore(),
    )
    with connect(url, client=2, security=security, read_counter=True) as meter:
        return meter.dump()


def without_counter(record: MeterRecord) -> str:
    """Return a meter as text, without the number of messages that it was read with."""
    objects = tuple(
        replace(each, values={}) if each.logical_name == INVOCATION_COUNTER else each for each in record
    )
    return meter_to_toml(replace(record, objects=objects))


def test_the_counter_of_a_ciphered_meter_is_served_though_this_client_does_not_see_it() -> None:
    made = record_of("dsmr-like")
    objects = tuple(
        replace(each, rights={16: ObjectRights({2: AccessMode.READ})})
        if each.logical_name == INVOCATION_COUNTER
        else each
        for each in made
    )
    hiding = simulated_meter(replace(made, objects=objects), clock=StandingClock())
    with serve_in_thread(hiding) as url:
        first = dump_of_ciphering_client(url)
    text = meter_to_toml(first).replace('"HLS_GMAC"', '"HLS_GMAC"\nkeys = "demo"')
    with serve_in_thread(simulated_meter(meter_from_toml(text))) as url:
        second = dump_of_ciphering_client(url)
        with connect(url, client=16) as public:
            assert public.get(INVOCATION_COUNTER, 2, class_id=1) > 0
    assert meter_to_toml(second) == meter_to_toml(first)


@pytest.mark.parametrize("name", CIPHERED)
def test_a_ciphered_meter_that_is_served_is_read_by_what_took_it_down(name: str) -> None:
    with serve_in_thread(meter_maker(name, clock=StandingClock())(7, None)) as url:
        first = dump_of_ciphering_client(url)
    text = meter_to_toml(first).replace('"HLS_GMAC"', '"HLS_GMAC"\nkeys = "demo"')
    with serve_in_thread(simulated_meter(meter_from_toml(text))) as url:
        for _ in range(2):  # counters are not used twice
            second = dump_of_ciphering_client(url)
            assert without_counter(second) == without_counter(first)
        with connect(url) as public:
            shown = [each.logical_name for each in public.objects() if each.class_id != 15]
            assert shown == [INVOCATION_COUNTER]
    assert [each.client for each in first.associations] == [2, 16]
    assert len(first.objects) > 2
