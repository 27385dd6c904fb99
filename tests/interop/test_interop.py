"""Our server with clients of others, our clients with the simulator of another, and the page that says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import cosem
from cosem.errors import AssociationRefused
from tests.interop.judging import CAPABILITIES, CLIENTS
from tests.interop.page import PAGE, Section, matrix, stated, with_matrix
from tests.interop.secured_readings import OURS, SCRIPTS
from tests.interop.securities import HEAD, TABLES
from tests.interop.simulator_steps import STEPS, Simulated

Judge = Callable[[str, str, str], str]

KINDS = ("blocking", "asynchronous")
TITLES = {
    "clear": "authentication without ciphering",
    "ciphered": "ciphered associations",
    "short names": "short names",
    "HDLC": "HDLC",
}


def _secured(where: str, title: str, peers: Sequence[str]) -> dict[str, Section]:
    return {
        f"{where}: {table}": (f"{title}: {words}", HEAD, peers, [each.row for each in TABLES[table]])
        for table, words in TITLES.items()
    }


SIMULATOR = "Our clients at the simulator of pydlms-client 0.1.0"
SECTIONS: dict[str, Section] = {
    "clients": ("Their clients at our server", "what they do", list(CLIENTS), list(CAPABILITIES)),
    **_secured("clients", "Clients at our server", [OURS, *SCRIPTS]),
    "clients: keys": (
        "Clients at our server: new keys",
        "method of Security setup; suite",
        [OURS, *SCRIPTS],
        [each.row for each in TABLES["keys"]],
    ),
    "simulator": (SIMULATOR, "what they do", [*KINDS, "short names"], list(STEPS)),
    **_secured("simulator", SIMULATOR, KINDS),
}
CASES = [
    pytest.param(section, peer, row, id=f"{section}: {peer}: {row}")
    for section, (_, _, peers, rows) in SECTIONS.items()
    for peer in peers
    for row in rows
]


@pytest.mark.parametrize(("section", "peer", "capability"), CASES)
def test_both_sides_understand_each_other(judged: Judge, section: str, peer: str, capability: str) -> None:
    assert judged(section, peer, capability)


def test_low_level_security_at_the_simulator(simulator: Simulated) -> None:
    with cosem.connect(simulator.url, client=2, password="12345678") as meter:
        assert str(meter.read("1.0.1.8.0.255")) == "12345678 Wh"
    with pytest.raises(AssociationRefused) as refused:
        cosem.connect(simulator.url, client=2, password="11111111")
    assert "password" in str(refused.value).lower() or "authentication" in str(refused.value).lower()


def test_the_page_says_what_was_found(judged: Judge, request: pytest.FixtureRequest) -> None:
    found = {
        (section, peer, row): judged(section, peer, row)
        for section, (_, _, peers, rows) in SECTIONS.items()
        for peer in peers
        for row in rows
    }
    text = matrix(SECTIONS, found)
    if request.config.getoption("--update-interop", default=False):
        PAGE.write_text(with_matrix(text), encoding="utf-8")
    assert stated() == text, "pytest tests/interop --update-interop writes it"
