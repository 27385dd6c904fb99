"""Script table at the server: lists of writes and calls that run inside the meter (Blue Book, class_id 9)."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any, Final

from cosem.classes.standard.script_table import Script, ScriptAction, ScriptService, ScriptTable
from cosem.errors import AccessError, ActionError
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.types.enumerations import ActionResult
from cosem.types.logical_name import LogicalName

__all__ = ["ScriptTableObject"]

log = logging.getLogger("cosem.server")

_DEEPEST: Final = 8
"""So many scripts may have called each other; one that calls itself ends here."""


class ScriptTableObject(CosemObject, ScriptTable):
    """Scripts. Whoever may call ``execute`` needs no rights to what its actions touch.

    Args:
        logical_name: Its name.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    def __init__(self, logical_name: LogicalName | str, **values: Any) -> None:
        self._depth = 0
        super().__init__(logical_name, **values)

    def call_execute(self, identifier: int) -> Outcome[ActionResult]:
        """Run a script: all its actions in order. Script 0 does nothing.

        Returns:
            The first refusal, where an action was refused; the actions after it run all the same.
        """
        if identifier == 0:
            return ActionResult.SUCCESS
        scripts: tuple[Script, ...] = self.scripts
        script = next((each for each in scripts if each.script_identifier == identifier), None)
        if script is None or self._depth >= _DEEPEST:
            return ActionResult.OTHER_REASON
        running = self._run(script)
        waiting = self._step(running, None)
        return _finish(self, running, waiting) if is_awaitable(waiting) else waiting

    def _step(self, running: Generator[Any, Any, ActionResult], outcome: Any) -> Any:
        """Go on until something must be awaited, or return the result."""
        self._depth += 1
        try:
            while True:
                outcome = running.send(outcome)
                if is_awaitable(outcome):
                    return outcome
        except StopIteration as stop:
            return stop.value
        finally:
            self._depth -= 1

    def _run(self, script: Script) -> Generator[Any, Any, ActionResult]:
        """Run the actions; yields outcomes, is sent them when they are there."""
        first = ActionResult.SUCCESS
        for action in script.actions:
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


async def _finish(
    table: ScriptTableObject, running: Generator[Any, Any, ActionResult], waiting: Any
) -> ActionResult:
    while is_awaitable(waiting):
        outcome: Any
        try:
            outcome = await waiting
        except Exception as error:  # noqa: BLE001 -- as above
            outcome = _refusal(table, error)
        waiting = table._step(running, outcome)  # noqa: SLF001 -- a part of it that must be a coroutine
    return ActionResult(waiting)


def _refusal(subject: object, error: Exception) -> ActionResult:
    if isinstance(error, (AccessError, ActionError)):
        return ActionResult(error.result)
    log.error("an action of a script failed: %r", subject, exc_info=error)
    return ActionResult.OTHER_REASON
