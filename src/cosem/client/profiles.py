"""Handles of profiles: ``meter.profile("1-0:99.1.0").read(last="7d")``.

Long periods are read in several requests. When the connection breaks, what has arrived is
kept: ``reconnect`` is asked for another client, and the rest is read there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from cosem.association.context import no_progress
from cosem.client.operations import profile as operations
from cosem.client.profile_reading import ProfileReading
from cosem.client.targets import name_of
from cosem.errors import LinkError

if TYPE_CHECKING:
    from cosem.association.context import Progress
    from cosem.client.aio.base import AsyncBase
    from cosem.client.blocking.base import BlockingBase
    from cosem.client.profile_layout import ProfileLayout
    from cosem.client.profile_table import ProfileTable
    from cosem.client.session import Session
    from cosem.client.targets import Target

__all__ = ["AsyncProfile", "Profile"]

_ROWS_AT_ONCE: Final = 4000
"""Some 150 kB: a few seconds of TCP, and no great loss when a slow line breaks."""
_ATTEMPTS: Final = 3
"""So many new connections without a new row are enough."""


class _Breaks:
    """Counts connections that broke before a row came."""

    def __init__(self, reading: ProfileReading) -> None:
        self._reading = reading
        self._rows = -1
        self._attempts = 0

    def another(self) -> bool:
        """Return whether it is worth another connection."""
        rows = len(self._reading.rows)
        self._attempts = 1 if rows > self._rows else self._attempts + 1
        self._rows = rows
        return self._attempts <= _ATTEMPTS


class Profile:
    """A profile of a meter."""

    def __init__(self, client: BlockingBase, session: Session, target: Target) -> None:
        self._client = client
        self._session = session
        self.logical_name = name_of(target)

    def layout(self, *, refresh: bool = False) -> ProfileLayout:
        """Return what the rows mean: columns with units, period, order; read once.

        Raises:
            AccessError: The meter refused its capture objects.
        """
        return self._client.run(
            lambda context: operations.layout_of(context, self._session, self.logical_name, refresh=refresh)
        )

    def read(
        self,
        *,
        since: datetime | date | str | None = None,
        until: datetime | date | str | None = None,
        last: str | timedelta | float | None = None,
        entries: tuple[int, int] | int | None = None,
        fill: bool = True,
        progress: Progress = no_progress,
        rows_at_once: int = _ROWS_AT_ONCE,
        reconnect: Callable[[], BlockingBase] | None = None,
        reading: ProfileReading | None = None,
    ) -> ProfileTable:
        """Return rows; all of them if nothing is said.

        Args:
            since: From this moment on, included; without zone in the local time of the meter. A bare
                date is its beginning, ISO 8601 texts are taken as well.
            until: Up to this moment, included; a bare date is its end.
            last: From so long ago on, by the clock of the meter: ``"7d"``, ``"36h"``, a ``timedelta`` or seconds.
            entries: First and last row, from 1 on, 0 for the end; or how many of the newest.
            fill: Whether a null gets the value that the standard's compression left out, and a delta is added to the
                row before; otherwise it keeps its type, such as ``DeltaInteger``.
            progress: Told of the octets transferred so far.
            rows_at_once: A longer period, or more numbers, become several requests of about so many rows each;
                0 for a single request.
            reconnect: Gives a client with a new connection when this one breaks; it is used from then on.
            reading: How far it has come. Kept by the caller, and given to a second call with the same arguments,
                it goes on where the first one broke.

        Raises:
            ConfigurationError: What is asked for contradicts itself.
            AccessError: The meter refused the profile.
            UnsupportedError: Rows are wanted by time, and the profile does not tell it.
            LinkError: The connection broke, and there is no other.
        """
        selection = operations.selection_of(since, until, last, entries, datetime.now(UTC))
        kept = ProfileReading() if reading is None else reading
        breaks = _Breaks(kept)
        while True:
            try:
                return self._client.run(
                    partial(
                        operations.read_profile,
                        session=self._session,
                        target=self.logical_name,
                        selection=selection,
                        progress=progress,
                        fill=fill,
                        rows_at_once=rows_at_once,
                        reading=kept,
                    )
                )
            except LinkError:
                if reconnect is None or not breaks.another():
                    raise
            self._client = reconnect()
            self._session = self._client.session

    def __repr__(self) -> str:
        return f"<Profile {self.logical_name} of {self._client.peer}>"


class AsyncProfile:
    """A profile of a meter, read with ``await``."""

    def __init__(self, client: AsyncBase, session: Session, target: Target) -> None:
        self._client = client
        self._session = session
        self.logical_name = name_of(target)

    async def layout(self, *, refresh: bool = False) -> ProfileLayout:
        """As :meth:`Profile.layout`."""
        return await self._client.run(
            lambda context: operations.layout_of(context, self._session, self.logical_name, refresh=refresh)
        )

    async def read(
        self,
        *,
        since: datetime | date | str | None = None,
        until: datetime | date | str | None = None,
        last: str | timedelta | float | None = None,
        entries: tuple[int, int] | int | None = None,
        fill: bool = True,
        progress: Progress = no_progress,
        rows_at_once: int = _ROWS_AT_ONCE,
        reconnect: Callable[[], Awaitable[AsyncBase]] | None = None,
        reading: ProfileReading | None = None,
    ) -> ProfileTable:
        """As :meth:`Profile.read`."""
        selection = operations.selection_of(since, until, last, entries, datetime.now(UTC))
        kept = ProfileReading() if reading is None else reading
        breaks = _Breaks(kept)
        while True:
            try:
                return await self._client.run(
                    partial(
                        operations.read_profile,
                        session=self._session,
                        target=self.logical_name,
                        selection=selection,
                        progress=progress,
                        fill=fill,
                        rows_at_once=rows_at_once,
                        reading=kept,
                    )
                )
            except LinkError:
                if reconnect is None or not breaks.another():
                    raise
            self._client = await reconnect()
            self._session = self._client.session

    def __repr__(self) -> str:
        return f"<AsyncProfile {self.logical_name} of {self._client.peer}>"
