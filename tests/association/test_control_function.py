"""The control functions of figures 9 and 10: the tables, pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from cosem.association.control_function import (
    CLIENT_TRANSITIONS,
    SERVER_TRANSITIONS,
    ClientEvent,
    ControlFunction,
    ServerEvent,
    State,
    diagram,
)
from cosem.errors import StateError

S, C, V = State, ClientEvent, ServerEvent

FIGURE_9 = {
    (S.IDLE, C.OPEN_REQUEST): S.ASSOCIATION_PENDING,
    (S.IDLE, C.RELEASE_REQUEST): S.IDLE,
    (S.IDLE, C.TRIGGER_EVENT_NOTIFICATION_SENDING_REQUEST): S.IDLE,
    (S.IDLE, C.EVENT_NOTIFICATION_INDICATION): S.IDLE,
    (S.ASSOCIATION_PENDING, C.OPEN_CONFIRM_OK): S.ASSOCIATED,
    (S.ASSOCIATION_PENDING, C.OPEN_CONFIRM_NOK): S.IDLE,
    (S.ASSOCIATION_PENDING, C.ABORT_INDICATION): S.IDLE,
    (S.ASSOCIATED, C.DATA_SERVICE): S.ASSOCIATED,
    (S.ASSOCIATED, C.EVENT_NOTIFICATION_INDICATION): S.ASSOCIATED,
    (S.ASSOCIATED, C.RELEASE_REQUEST): S.ASSOCIATION_RELEASE_PENDING,
    (S.ASSOCIATED, C.ABORT_INDICATION): S.IDLE,
    (S.ASSOCIATION_RELEASE_PENDING, C.RELEASE_CONFIRM): S.IDLE,
    (S.ASSOCIATION_RELEASE_PENDING, C.ABORT_INDICATION): S.IDLE,
}
FIGURE_10 = {
    (S.IDLE, V.OPEN_INDICATION): S.ASSOCIATION_PENDING,
    (S.IDLE, V.RELEASE_INDICATION): S.IDLE,
    (S.IDLE, V.EVENT_NOTIFICATION_REQUEST): S.IDLE,
    (S.IDLE, V.INFORMATION_REPORT_REQUEST): S.IDLE,
    (S.ASSOCIATION_PENDING, V.OPEN_RESPONSE_OK): S.ASSOCIATED,
    (S.ASSOCIATION_PENDING, V.OPEN_RESPONSE_NOK): S.IDLE,
    (S.ASSOCIATION_PENDING, V.ABORT_INDICATION): S.IDLE,
    (S.ASSOCIATED, V.DATA_SERVICE): S.ASSOCIATED,
    (S.ASSOCIATED, V.EVENT_NOTIFICATION_REQUEST): S.ASSOCIATED,
    (S.ASSOCIATED, V.INFORMATION_REPORT_REQUEST): S.ASSOCIATED,
    (S.ASSOCIATED, V.RELEASE_INDICATION): S.ASSOCIATION_RELEASE_PENDING,
    (S.ASSOCIATED, V.ABORT_INDICATION): S.IDLE,
    (S.ASSOCIATION_RELEASE_PENDING, V.RELEASE_RESPONSE): S.IDLE,
    (S.ASSOCIATION_RELEASE_PENDING, V.ABORT_INDICATION): S.IDLE,
}
SIDES = [
    pytest.param(CLIENT_TRANSITIONS, ClientEvent, FIGURE_9, id="client"),
    pytest.param(SERVER_TRANSITIONS, ServerEvent, FIGURE_10, id="server"),
]
OURS = {"CREATED", "DELETED", "PRE_ESTABLISHED", "TRIGGER_EVENT_NOTIFICATION_SENDING_REQUEST"}
"""Events outside the figures, or drawn in fewer states than they make sense in."""


@pytest.mark.parametrize(("table", "events", "figure"), SIDES)
def test_the_table_is_the_figure(table, events, figure):
    for pair, target in figure.items():
        assert table[pair] is target
    more = {(state, event) for state, event in table if event.name not in OURS} - figure.keys()
    assert more == {(S.IDLE, events.ABORT_INDICATION)}


@pytest.mark.parametrize(("table", "events", "figure"), SIDES)
def test_a_pair_that_is_not_in_the_table_changes_nothing(table, events, figure):
    for state, event in product(State, events):
        control = ControlFunction(table)
        control.state = state
        target = table.get((state, event))
        if target is not None:
            assert control.fire(event) is control.state is target
            continue
        with pytest.raises(StateError) as caught:
            control.fire(event)
        assert (caught.value.state, caught.value.event) == (state.name, event.name)
        assert control.state is state


@pytest.mark.parametrize(("table", "events", "figure"), SIDES)
def test_every_state_can_be_left_and_reached(table, events, figure):
    assert set(table.values()) == set(State)
    for state in State:
        assert any(source is state and target is not state for (source, _), target in table.items())


@pytest.mark.parametrize(("table", "events", "figure"), SIDES)
def test_the_diagram_draws_every_transition(table, events, figure):
    text = diagram(table)
    assert text.startswith("stateDiagram-v2\n")
    for (state, event), target in table.items():
        (arrow,) = [
            line for line in text.splitlines() if line.strip().startswith(f"{state.name} --> {target.name}:")
        ]
        assert event.name in arrow.split(": ")[1].split(", ")
