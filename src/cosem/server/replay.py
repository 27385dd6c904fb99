"""A meter that is a recording: it answers what was asked in it with what was answered in it.

The same request, but for its invoke-id, gets the octets of the recording, whatever
is odd about them, in any order. What belongs to the request before it, such as the
next block, must come after it as it did. A client that asks in other portions, in
lists or one by one, in other blocks or through other services, gets an answer that
is put together of the outcomes in the recording. What repeats gets its answers in
their order, and then begins again.

Ciphered requests are never the same twice. With keys they are opened, answered out
of what the recording says, and protected anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem import apdu
from cosem.association.control_function import State
from cosem.association.server.association import Processing, ServerAssociation
from cosem.association.server.indications import Established, InvokeMethod, ReadAttribute, WriteAttribute
from cosem.errors import ConfigurationError, DecodeError
from cosem.server.logical_device import LogicalDevice
from cosem.server.replay_knowledge import Knowledge, Subject, refused, request_of, subject_of
from cosem.server.replay_profiles import ReplayProfiles, conformance_of
from cosem.transport.recording import Entry, Recording
from cosem.types.data import DoubleLongUnsigned
from cosem.types.enumerations import DataAccessResult, ServiceErrorCode, StateErrorCode

if TYPE_CHECKING:
    from cosem.association.server.profile import ServerLimits
    from cosem.security.counters import CounterStore
    from cosem.security.keys import Keys
    from cosem.types.enumerations import Conformance

__all__ = ["Exchange", "ReplayDevice", "exchanges_of"]

_AARQ, _AARE, _RLRQ, _BLOCK = 0x60, 0x61, 0x62, 0xE0
_SERVICES: Final = frozenset({0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7})
_ACCESS: Final = frozenset({0xD9, 0xDA})
_CONTINUED: Final = frozenset({b"\xc0\x02", b"\xc1\x03", b"\xc3\x02", b"\xc3\x05", b"\xc3\x06"})
"""Requests that go on with the one before: the next block of GET, SET and ACTION."""
_MOST_TOLD: Final = 4096
"""So many requests without an answer are known again, so that each is told once."""
_RELEASED: Final = bytes.fromhex("6303800100")
_COUNTER: Final = bytes((0, 0, 43, 1))
"""The first value groups of the names of invocation counters."""
_REFUSED: Final = DataAccessResult.OBJECT_UNAVAILABLE
Unanswered: TypeAlias = Callable[[bytes], object]
"""Is told of each request that has no answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of a recording, and what the meter sent until the next one.

    Args:
        request: The request.
        answers: The APDUs of the meter, in their order.
    """

    request: Entry
    answers: tuple[bytes, ...]


def exchanges_of(recording: Recording) -> tuple[Exchange, ...]:
    """Return what was asked and answered.

    Raises:
        ConfigurationError: Nothing was answered.
    """
    found: list[Exchange] = []
    request: Entry | None = None
    answers: list[bytes] = []
    # What went over one connection belongs together, whatever went over others in between.
    for entry in sorted(recording.apdus, key=lambda entry: entry.connection):
        if not entry.sent:
            answers.append(entry.octets)
            continue
        if request is not None:
            found.append(Exchange(request, tuple(answers)))
        request, answers = entry, []
    if request is not None:
        found.append(Exchange(request, tuple(answers)))
    if not any(each.answers for each in found):
        raise ConfigurationError("the recording holds no request with an answer")
    return tuple(found)


class ReplayDevice(LogicalDevice):
    """The meter of a recording, for a :class:`~cosem.server.server.Server`.

    Args:
        recording: What was recorded.
        unanswered: Is told of each request that has no answer, once.
        plain: What was in the APDUs that are ciphered, by their places among the entries of the recording.
        keys: Those of the meter, for clients that cipher or authenticate with them.
        counters: Where the counters of what is sent are kept; by default a file of the user.
        first_counter: The lowest that may be used: those below were used in the recording.

    Raises:
        ConfigurationError: Nothing was answered in it, or the keys do not fit.
        KeyMissingError: A key is missing.
    """

    def __init__(
        self,
        recording: Recording,
        unanswered: Unanswered = bool,
        *,
        plain: Mapping[int, bytes] | None = None,
        keys: Keys | None = None,
        counters: CounterStore | None = None,
        first_counter: int = 0,
    ) -> None:
        super().__init__("RECORDING", sap=recording.header.server)
        self._exchanges = exchanges_of(recording)
        opened = plain or {}
        apdus = [(place, each) for place, each in enumerate(recording.entries) if each.kind == "apdu"]
        self._knowledge = Knowledge(sorted(apdus, key=lambda each: each[1].connection), opened)
        self._profiles = ReplayProfiles(recording, opened, keys, counters, first_counter)
        self._unanswered = unanswered
        self._told: set[bytes] = set()

    def association(self, client_sap: int, limits: ServerLimits | None = None) -> ServerAssociation:
        """Return a fresh association: it begins at the beginning of the recording."""
        return _ReplayAssociation(
            self._exchanges,
            self._knowledge,
            self._profiles,
            self._tell,
            client_sap=client_sap,
            server_sap=self.sap,
            limits=limits,
        )

    def resolve(self, association: ServerAssociation, indication: object) -> Any:
        """Return the outcome of an indication, as it was recorded."""
        if isinstance(indication, (ReadAttribute, WriteAttribute, InvokeMethod)) and isinstance(
            association, _ReplayAssociation
        ):
            return association.outcome(subject_of(indication))
        return super().resolve(association, indication)

    def _tell(self, request: bytes) -> None:
        """Tell of a request without an answer, unless that was told before."""
        place = _invoke_place(request)
        alike = request if place is None else request[: place.start] + request[place.stop :]
        if alike not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(alike)
            self._unanswered(request)


class _ReplayAssociation(ServerAssociation):
    """Answers from a recording."""

    __slots__ = (
        "_at",
        "_exchanges",
        "_knowledge",
        "_long_invoke_id",
        "_opening",
        "_profiles",
        "_short_invoke_id",
        "_turns",
        "_unanswered",
    )

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        knowledge: Knowledge,
        profiles: ReplayProfiles,
        unanswered: Unanswered,
        *,
        client_sap: int,
        **options: Any,
    ) -> None:
        self._at = 0
        self._opening = False
        super().__init__(profiles.pre_established(client_sap), client_sap=client_sap, **options)
        self._exchanges = exchanges
        self._knowledge = knowledge
        self._profiles = profiles
        self._unanswered = unanswered
        self._turns: dict[Subject, int] = {}
        self._short_invoke_id = self._long_invoke_id = b""

    @property
    def pre_established(self) -> bool:
        """Whether it is kept although nobody opened it: its place in the recording must not be forgotten."""
        return super().pre_established or (self._at > 0 and not self._opening)

    def outcome(self, subject: Subject) -> Any:
        """Return the next outcome of a subject that was recorded, or that there is none."""
        outcomes = self._knowledge.outcomes(subject)
        if not outcomes and self._profiles.ciphered and _is_counter(subject):
            return DoubleLongUnsigned(0)  # messages are protected anew: every counter is new, and may be used
        if not outcomes:
            self._unanswered(request_of(subject))
            return refused(subject[0], _REFUSED)
        turn = self._turns.get(subject, 0)
        self._turns[subject] = turn + 1
        return outcomes[turn % len(outcomes)]

    def process(self, octets: bytes, now: float, *, confirmed: bool = True) -> Processing:
        """Return the answers of the recording, or an answer that is put together of what is in it."""
        if not octets:
            return []
        self._note(octets)
        if octets[0] == _AARQ:
            return (yield from self._open(octets, now, confirmed=confirmed))
        if self.protection is not None:
            return (yield from super().process(octets, now, confirmed=confirmed))
        found = self._find(octets)
        associated = self.state is State.ASSOCIATED
        if found is not None:
            if not associated:
                yield Established()  # for a recording every client is welcome, and may stay
            elif octets[0] == _RLRQ:
                yield from super().process(octets, now, confirmed=False)
            self._at = found + 1
            return [self._adapted(answer) for answer in self._exchanges[found].answers]
        if associated:
            return (yield from super().process(octets, now, confirmed=confirmed))
        answer = _otherwise(octets)
        if octets[0] != _RLRQ:
            self._unanswered(octets)
        return [answer] if confirmed and answer else []

    def _open(self, octets: bytes, now: float, *, confirmed: bool) -> Processing:
        """Open the association that the client asks for; if it was recorded, with the answer of the recording."""
        found = self._find(octets)
        self.profiles = self._profiles.of(self.client_sap, octets, self._agreed(found))
        self._opening = True
        try:
            answers = yield from super().process(octets, now, confirmed=confirmed)
        finally:
            self._opening = False
        if found is not None and self.protection is None and self.authenticator is None:
            if self.state is not State.ASSOCIATED:
                # Without keys its answer can only be repeated, and the client will see that.
                self._unanswered(octets)
                yield Established()
            self._at = found + 1
            return list(self._exchanges[found].answers)
        if self.state is not State.ASSOCIATED:
            self._unanswered(octets)
        return answers

    def _agreed(self, found: int | None) -> Conformance | None:
        answers = () if found is None else self._exchanges[found].answers
        return next((conformance_of(each) for each in answers if each[0] == _AARE), None)

    def _find(self, octets: bytes) -> int | None:
        """Return the next exchange with this request."""
        size = len(self._exchanges)
        if octets[0] == _BLOCK or octets[:2] in _CONTINUED:
            here = self._at if self._at < size else 0
            return here if _same(self._exchanges[here].request, octets) else None
        order = [(self._at + step) % size for step in range(size)]
        for index in order:
            if _same(self._exchanges[index].request, octets):
                return index
        if octets[0] == _AARQ:
            return next((index for index in order if _opens_alike(self._exchanges[index], octets)), None)
        if octets[0] == _RLRQ:
            return next((i for i in order if self._exchanges[i].request.octets[0] == _RLRQ), None)
        return None

    def _note(self, octets: bytes) -> None:
        place = _invoke_place(octets)
        if place is not None:
            if place.stop - place.start == 1:
                self._short_invoke_id = octets[place]
            else:
                self._long_invoke_id = octets[place]

    def _adapted(self, answer: bytes) -> bytes:
        """Return an answer with the invoke-id of the request."""
        place = _invoke_place(answer)
        if place is None:
            return answer
        invoke_id = self._short_invoke_id if place.stop - place.start == 1 else self._long_invoke_id
        return answer[: place.start] + invoke_id + answer[place.stop :] if invoke_id else answer


def _is_counter(subject: Subject) -> bool:
    """Return whether somebody reads from which invocation counter on messages are accepted."""
    what, class_id, name, member, *_ = subject
    return (what, class_id, member) == ("read", 1, 2) and name[:4] == _COUNTER


def _invoke_place(octets: bytes) -> slice | None:
    """Return where the invoke-id stands, in a general block, too; ``None`` if there is none."""
    start = 0
    if octets[0] == _BLOCK:
        if octets[2:4] != b"\x00\x01" or len(octets) < 7:
            return None
        start = 7 + (octets[6] & 0x7F if octets[6] & 0x80 else 0)
    tag = octets[start] if start < len(octets) else 0
    if tag in _SERVICES and len(octets) > start + 2:
        return slice(start + 2, start + 3)
    if tag in _ACCESS and len(octets) > start + 4:
        return slice(start + 1, start + 5)
    return None


def _same(request: Entry, octets: bytes) -> bool:
    """Return whether a request is that of the recording, but for its invoke-id and what was masked."""
    recorded = request.octets
    if len(recorded) != len(octets):
        return False
    place = _invoke_place(octets)
    ignored = [*request.masked, *(((place.start, place.stop),) if place is not None else ())]
    if not ignored:
        return recorded == octets
    left, right = bytearray(recorded), bytearray(octets)
    for start, stop in ignored:
        left[start:stop] = right[start:stop] = bytes(stop - start)
    return left == right


def _opens_alike(exchange: Exchange, octets: bytes) -> bool:
    """Return whether an association is proposed with the same names and means to authenticate."""
    if exchange.request.octets[0] != _AARQ or not any(each[0] == _AARE for each in exchange.answers):
        return False
    try:
        ours: Any = apdu.decode(exchange.request.octets)
        theirs: Any = apdu.decode(octets)
    except DecodeError:
        return False
    names = ("application_context_name", "mechanism_name")
    return all(getattr(ours, name) == getattr(theirs, name) for name in names)


def _otherwise(octets: bytes) -> bytes:
    """Return what is answered where the recording has no answer; nothing to what asks for none."""
    tag, kind = octets[0], octets[1:2]
    if tag == _RLRQ:
        return _RELEASED
    if tag == _AARQ or len(octets) < 4:
        return b""
    if tag == 0xC0 and kind == b"\x01":
        return bytes((0xC4, 1, octets[2], 1, _REFUSED))
    if tag == 0xC1 and kind == b"\x01":
        return bytes((0xC5, 1, octets[2], _REFUSED))
    if tag == 0xC3 and kind == b"\x01":
        return bytes((0xC7, 1, octets[2], _REFUSED, 0))
    if tag == 0x05:
        return bytes((0x0C, octets[1] & 0x7F)) + bytes((1, _REFUSED)) * (octets[1] & 0x7F)
    if tag == 0x06:
        return bytes((0x0D, octets[1] & 0x7F)) + bytes((1, _REFUSED)) * (octets[1] & 0x7F)
    return bytes((0xD8, StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.OTHER_REASON))
