"""Script table at the server: lists of writes and calls that run inside the meter (Blue Book, class_id 9)."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any, Final

from cosem.classes.standard.script_table import Script, ScriptAction, ScriptService, ScriptTable
from cosem.errors import AccessError, ActionError
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.types.enumerations import ActionResult

__all__ = ["ScriptTableObject"]

log = logging.getLogger("cosem.server")

_DEEPEST: Final = 8
"""So many scripts may have called each other; one that calls itself ends here."""
_MOST_ACTIONS: Final = 2000
"""So many actions may follow from one call from outside, in all the scripts that call each other."""


class _Call:
    """One run of a script.

    Attributes:
        depth: How many runs it is within.
        begun: The actions that were begun so far, counted in the first element for all runs of one call from outside.
    """

    __slots__ = ("begun", "depth")

    def __init__(self, caller: _Call | None) -> None:
        self.depth: int = 0 if caller is None else caller.depth + 1
        self.begun: list[int] = [0] if caller is None else caller.begun


_caller: ContextVar[_Call | None] = ContextVar("caller", default=None)
"""The run whose action is being done."""


class ScriptTableObject(CosemObject, ScriptTable):
    """Scripts. Whoever may call ``execute`` needs no rights to what its actions touch.

    Args:
        logical_name: Its name.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    def call_execute(self, identifier: int) -> Outcome[ActionResult]:
        """Run a script: all its actions in order. Script 0 does nothing.

        Returns:
            The first refusal, where an action was refused; the actions after it run all the same. Where scripts call
            each other too deep or too often, the actions beyond are refused.
        """
        if identifier == 0:
            return ActionResult.SUCCESS
        scripts: tuple[Script, ...] = self.scripts
        script = next((each for each in scripts if each.script_identifier == identifier), None)
        call = _Call(_caller.get())
        if script is None or call.depth >= _DEEPEST:
            return ActionResult.OTHER_REASON
        running = self._run(script, call)
        waiting = _step(running, call, None)
        return _finish(self, running, call, waiting) if is_awaitable(waiting) else waiting

    def _run(self, script: Script, call: _Call) -> Generator[Any, Any, ActionResult]:
        """Run the actions; yields outcomes, is sent them when they are there."""
        first = ActionResult.SUCCESS
        for action in script.actions:
            if call.begun[0] >= _MOST_ACTIONS:
                return first or ActionResult.OTHER_REASON
            call.begun[0] += 1
            outcome = yield self._do(action)
            result = ActionResult(int(getattr(outcome, "result", outcome)))
            if first is ActionResult.SUCCESS:
                first = result
        return first

    def _do(self, action: ScriptAction) -> Outcome[Any]:
        device = self.device
        where = action.class_id, action.logical_name, int(action.index)
        try:
            service = int(action.service_id)
            if device is not None and service == ScriptService.WRITE_ATTRIBUTE:
                return device.write_inside(*where, action.parameter)
            if device is not None and service == ScriptService.EXECUTE_METHOD:
                return device.invoke_inside(*where, action.parameter)
        except Exception as error:  # noqa: BLE001 -- the actions after it run all the same
            return _refusal(action, error)
        return ActionResult.SUCCESS if service == ScriptService.NONE else ActionResult.OTHER_REASON


def _step(running: Generator[Any, Any, ActionResult], call: _Call, outcome: Any) -> Any:
    """Go on until something must be awaited, or return the result."""
    before = _caller.get()
    _caller.set(call)
    try:
        while True:
            outcome = running.send(outcome)
            if is_awaitable(outcome):
                return outcome
    except StopIteration as stop:
        return stop.value
    finally:
        _caller.set(before)


async def _finish(
    table: ScriptTableObject, running: Generator[Any, Any, ActionResult], call: _Call, waiting: Any
) -> ActionResult:
    while is_awaitable(waiting):
        outcome: Any
        before = _caller.get()
        _caller.set(call)  # what is awaited may go on to run scripts
        try:
            outcome = await waiting
        except Exception as error:  # noqa: BLE001 -- as above
            outcome = _refusal(table, error)
        finally:
            _caller.set(before)
        waiting = _step(running, call, outcome)
    return ActionResult(waiting)


def _refusal(subject: object, error: Exception) -> ActionResult:
    if isinstance(error, (AccessError, ActionError)):
        return ActionResult(error.result)
    log.error("an action of a script failed: %r", subject, exc_info=error)
    return ActionResult.OTHER_REASON
