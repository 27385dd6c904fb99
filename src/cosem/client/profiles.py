"""Handles of profiles: ``meter.profile("1-0:99.1.0").read(last="7d")``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from cosem.association.context import no_progress
from cosem.client.operations import profile as operations
from cosem.client.targets import name_of

if TYPE_CHECKING:
    from cosem.association.context import Progress
    from cosem.client.aio import AsyncClient
    from cosem.client.blocking import Client
    from cosem.client.profile_layout import ProfileLayout
    from cosem.client.profile_table import ProfileTable
    from cosem.client.session import Session
    from cosem.client.targets import Target

__all__ = ["AsyncProfile", "Profile"]


class Profile:
    """A profile of a meter."""

    def __init__(self, client: Client, session: Session, target: Target) -> None:
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
    ) -> ProfileTable:
        """Return rows; all of them if nothing is said.

        Args:
            since: From this moment on, included; without zone in the local time of the meter. A bare
                date is its beginning, ISO 8601 texts are taken as well.
            until: Up to this moment, included; a bare date is its end.
            last: From so long ago on, by the clock of the meter: ``"7d"``, ``"36h"``, a ``timedelta`` or seconds.
            entries: First and last row, from 1 on, 0 for the end; or how many of the newest.
            fill: Whether a null gets the value that the standard's compression left out.
            progress: Told of the octets transferred so far.

        Raises:
            ConfigurationError: What is asked for contradicts itself.
            AccessError: The meter refused the profile.
            UnsupportedError: Rows are wanted by time, and the profile does not tell it.
        """
        selection = operations.selection_of(since, until, last, entries, datetime.now(UTC))
        return self._client.run(
            lambda context: operations.read_profile(
                context, self._session, self.logical_name, selection, progress, fill=fill
            )
        )

    def __repr__(self) -> str:
        return f"<Profile {self.logical_name} of {self._client.peer}>"


class AsyncProfile:
    """A profile of a meter, read with ``await``."""

    def __init__(self, client: AsyncClient, session: Session, target: Target) -> None:
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
    ) -> ProfileTable:
        """As :meth:`Profile.read`."""
        selection = operations.selection_of(since, until, last, entries, datetime.now(UTC))
        return await self._client.run(
            lambda context: operations.read_profile(
                context, self._session, self.logical_name, selection, progress, fill=fill
            )
        )

    def __repr__(self) -> str:
        return f"<AsyncProfile {self.logical_name} of {self._client.peer}>"
