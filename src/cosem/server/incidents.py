"""What applications raise while a server serves: counted, logged, and turned into an outcome of the service."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from cosem.association.server.indications import (
    Indication,
    InvokeMethod,
    MethodOutcome,
    OpenIndication,
    OpenRefusal,
    ReadAttribute,
    WriteAttribute,
)
from cosem.errors import AccessError, ActionError
from cosem.types.enumerations import ActionResult, DataAccessResult

if TYPE_CHECKING:
    from cosem.server.limits import Statistics

__all__ = ["Incidents", "hold"]

log = logging.getLogger("cosem.server")

_MOST_PLACES: Final = 256
"""So many places that failed are remembered, so that a log is not filled with one traceback."""


class Incidents:
    """The errors of an application process that a server has met.

    Args:
        statistics: Where they are counted.
    """

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._logged: set[object] = set()

    def note(self, when: str, error: BaseException) -> None:
        """Log an error with a number of its own; where it happened only once."""
        self._statistics.incidents += 1
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        key = type(error), place and (place.tb_frame.f_code, place.tb_lineno)
        if key in self._logged:
            log.error("incident %d %s, as before: %r", self._statistics.incidents, when, error)
            return
        if len(self._logged) < _MOST_PLACES:
            self._logged.add(key)
        log.error("incident %d %s", self._statistics.incidents, when, exc_info=error)

    def fault(self, subject: object, error: object) -> None:
        """Log what an association reports of its own surroundings."""
        self._statistics.incidents += 1
        log.error("incident %d: %r: %s", self._statistics.incidents, subject, error)

    def outcome(self, indication: Indication, error: Exception) -> Any:
        """Return the outcome of a service that an exception of the application stands for."""
        if isinstance(error, (AccessError, ActionError)):
            number = int(error.result)
        elif isinstance(error, TimeoutError):
            number = int(DataAccessResult.TEMPORARY_FAILURE)
        else:
            number = int(DataAccessResult.OTHER_REASON)
            self.note(f"while {_named(indication)} was served", error)
        if isinstance(indication, InvokeMethod):
            return MethodOutcome(ActionResult(number))
        if isinstance(indication, (ReadAttribute, WriteAttribute)):
            return DataAccessResult(number)
        return OpenRefusal() if isinstance(indication, OpenIndication) else None


def _named(indication: Indication) -> str:
    """Return what was asked for, without any value: it may be a secret."""
    if isinstance(indication, InvokeMethod):
        return f"{indication.instance_id} method {indication.method_id}"
    if isinstance(indication, (ReadAttribute, WriteAttribute)):
        return f"{indication.instance_id} attribute {indication.attribute_id}"
    return type(indication).__name__


_tasks: set[asyncio.Future[Any]] = set()


def hold(task: asyncio.Future[Any]) -> None:
    """Keep a task that nobody waits for from being collected, and log how it failed."""
    _tasks.add(task)
    task.add_done_callback(_done)


def _done(task: asyncio.Future[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("what was due failed", exc_info=error)
