"""What a client association hands out and takes in: exchanges, octets for the link, notifications, findings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from cosem.apdu import Apdu
from cosem.association.context import Conversation, ServiceContext
from cosem.errors import CosemError, StateError

__all__ = ["Exchange", "Findings", "Notification", "NotificationQueue", "Outgoing", "ProtectionLike"]

T = TypeVar("T")


class ProtectionLike(Protocol):
    """What the association needs of :class:`cosem.security.protection.Protection`."""

    def protect(self, apdu: bytes) -> bytes:
        """Return the protected octets of a clear APDU."""
        ...

    def unprotect(self, apdu: bytes) -> tuple[bytes, Any]:
        """Return the clear octets of a protected APDU and what was verified."""
        ...

    def overhead(self, size: int) -> int:
        """Return how many octets the protection adds to a clear APDU of ``size`` octets."""
        ...

    def learn_peer_title(self, title: bytes) -> None:
        """Take the system title in the AARE.

        Raises:
            SecurityError: It is none, or another one than is known.
        """
        ...

    def hold_dedicated_key(self, octets: bytes) -> None:
        """Take the dedicated key in the InitiateRequest, for later."""
        ...

    def activate_dedicated_key(self) -> None:
        """Use the dedicated key from now on."""
        ...

    def forget(self) -> None:
        """Drop every key that belongs to this association alone."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Octets for the link.

    Args:
        octets: One APDU, protected as it must be.
        confirmed: Whether an answer is expected: I frames in HDLC, UI frames otherwise.
    """

    octets: bytes
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Notification:
    """What the server sent without being asked.

    Args:
        apdu: EventNotificationRequest, InformationReportRequest or DataNotification.
        security_status: What protected it; ``None`` for nothing.
        findings: Deviations from the standard.
    """

    apdu: Apdu
    security_status: Any = None
    findings: tuple[str, ...] = ()


class NotificationQueue(deque[Notification]):
    """What the server sent by itself and nobody has fetched yet; when there is too much the oldest goes.

    Args:
        most: How many are kept.

    Attributes:
        dropped: How many nobody fetched in time.
    """

    def __init__(self, most: int) -> None:
        super().__init__(maxlen=most)
        self.dropped = 0

    def append(self, notification: Notification) -> None:
        """Take one more."""
        self.dropped += len(self) == self.maxlen
        super().append(notification)

    def follow(self, former: NotificationQueue) -> None:
        """Take what nobody fetched from the association before this one, older than what is here."""
        newer = [*self]
        self.clear()
        for notification in (*former, *newer):
            self.append(notification)
        self.dropped += former.dropped
        former.clear()


class Findings(list[str]):
    """Deviations from the standard, the newest ones."""

    _MOST = 64

    def append(self, finding: str) -> None:
        """Take one more; the oldest goes when there are too many."""
        super().append(finding)
        del self[: -self._MOST]

    def extend(self, findings: Iterable[str]) -> None:
        """Take more."""
        super().extend(findings)
        del self[: -self._MOST]


class Exchange(Generic[T]):
    """One conversation on its way.

    Attributes:
        conversation: What it runs.
        key: What pairs the answer that it waits for with it; ``None`` while it waits for none.
        done: Whether it has ended.
        subject: The request that says what it is about; ``None`` before the first.
        request: The last request: the subject, or what goes on with it.
        number: Which of all the requests that went out the last one is.
        steps: How many times it has sent something: each begins a new wait.
        answer_begun: Whether the last that came was a block of a result, and not the last one of it.
        patience: How long to wait for the next answer, seconds; ``None`` as long as the time-outs say.
        waits: How long whoever pumps waits for each answer, seconds; ``None`` as long as nobody has said so.
        on_done: Called once when it ends.
        context: What the conversation knows of its association; ``None`` for opening and releasing.
    """

    __slots__ = (
        "_error",
        "_value",
        "answer_begun",
        "context",
        "conversation",
        "done",
        "key",
        "number",
        "on_done",
        "patience",
        "request",
        "steps",
        "subject",
        "waits",
    )

    def __init__(self, conversation: Conversation[T], context: ServiceContext | None = None) -> None:
        self.conversation = conversation
        self.context = context
        self.key: int | str | None = None
        self.subject: Apdu | None = None
        self.request: Apdu | None = None
        self._value: Any = None
        self._error: Exception | None = None
        self.done = False
        self.number = 0
        self.steps = 0
        self.answer_begun = False
        self.patience: float | None = None
        self.waits: float | None = None
        self.on_done: Callable[[Exchange[T]], None] | None = None

    def result(self) -> T:
        """Return what the conversation returned.

        Raises:
            CosemError: What it raised.
            StateError: It has not ended.
        """
        if not self.done:
            raise StateError("running", "result")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]

    def finish(self, value: Any, error: Exception | None) -> None:
        """End it; for the association only."""
        if isinstance(error, CosemError) and self.context is not None:
            known = self.context.results_so_far
            if known is not None:
                error.results = tuple(known())
        self._value, self._error, self.done = value, error, True
        if self.on_done is not None:
            self.on_done(self)
