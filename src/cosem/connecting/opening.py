"""From a plan to a connection with an open association, at first or anew, after a look at the meter's counter if asked for.

The order of the steps is one generator; the blocking and the asynchronous client only carry them out.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.client.security_base import INVOCATION_COUNTER, SecurityOfClient
from cosem.connecting.plan import PUBLIC_CLIENT, Plan
from cosem.errors import (
    AssociationRefused,
    AuthenticationError,
    ProtocolError,
    SecurityError,
    TransportClosed,
    TransportTimeout,
)
from cosem.security.counters import LARGEST_JUMP, is_near_the_end
from cosem.types.enumerations import AuthenticationMechanism

if TYPE_CHECKING:
    from cosem.association.client.parameters import AssociationParameters
    from cosem.association.client.preparation import ClientSecurity
    from cosem.transport.aio import AsyncConnection
    from cosem.transport.blocking import BlockingConnection

__all__ = ["OpenerOfPlan", "opened", "opened_async"]

_DATA_CLASS: Final = 1


@dataclass(frozen=True, slots=True)
class _Open:
    """Open the association of this plan."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class _ReadCounter:
    """Read the invocation counter in the association of this plan, and close it again."""

    plan: Plan


_Steps: TypeAlias = Generator[_Open | _ReadCounter, Any, Any]


def _steps(plan: Plan) -> _Steps:
    """Open an association; where the counter may be read, before if ours is not known, or when the meter refuses."""
    security = plan.security
    if not plan.read_counter or not isinstance(security, SecurityOfClient) or not security.counts:
        return (yield _Open(plan))
    looked = not security.last_counter()
    if looked:
        yield from _look(plan, security)
    try:
        return (yield _Open(plan))
    except (AssociationRefused, AuthenticationError):
        if looked:
            raise
    yield from _look(plan, security)
    return (yield _Open(plan))


def _look(plan: Plan, security: SecurityOfClient) -> _Steps:
    """Read the counter that the meter has seen, through the public client, and go on after it."""
    parameters = replace(
        plan.parameters,
        client_sap=PUBLIC_CLIENT,
        mechanism=AuthenticationMechanism.LOWEST,
        secret=None,
    )
    seen = yield _ReadCounter(replace(plan, parameters=parameters, security=None, read_counter=False))
    if isinstance(seen, bool) or not isinstance(seen, int) or not 0 <= seen <= 0xFFFFFFFF:
        raise ProtocolError(f"the invocation counter of the meter is {seen!r}")
    if is_near_the_end(seen) and not is_near_the_end(security.last_counter()):
        # Whoever forges this would use up all that is left at once.
        raise SecurityError(
            f"the meter is said to have seen the invocation counter {seen}, near the end of its range:"
            " change the key, or raise the counter yourself (raise_counter) if that is so"
        )
    ours = security.last_counter()
    if ours and seen - ours > LARGEST_JUMP:
        # Nothing vouches for what the public client reads; what we skip is lost until the key is changed.
        raise SecurityError(
            f"the meter is said to have seen the invocation counter {seen}, far beyond ours, {ours}:"
            " raise the counter yourself (raise_counter) if that is so"
        )
    security.raise_counter(seen)


def _with_hint(plan: Plan, error: Exception) -> Exception:
    """Return an error, with what may be behind it where a gateway was asked and did not answer as one."""
    gateway = plan.address.options.get("gateway")
    if gateway is None or type(error) not in {TransportClosed, TransportTimeout}:
        return error
    hinted = type(error)(
        f"{error}; gateway={gateway} speaks to a device behind a gateway: a meter that is none, or a gateway that does"
        " not know the device, has no answer to that"
    )
    return hinted.with_traceback(error.__traceback__)


def opened(plan: Plan) -> BlockingConnection:
    """Return a connection with an open association.

    Raises:
        TransportError: The meter cannot be reached.
        AssociationRefused: It does not want this association.
        SecurityError: One side could not prove who it is.
    """
    steps = _steps(plan)
    answer: Any = None
    error: Exception | None = None
    try:
        while True:
            step = steps.send(answer) if error is None else steps.throw(error)
            answer, error = None, None
            try:
                answer = _opened(step.plan) if isinstance(step, _Open) else _counter(step.plan)
            except Exception as raised:  # noqa: BLE001 -- the steps decide what it means
                error = _with_hint(plan, raised)
    except StopIteration as stop:
        connection: BlockingConnection = stop.value
        return connection


async def opened_async(plan: Plan) -> AsyncConnection:
    """Return a connection with an open association; see :func:`opened`."""
    steps = _steps(plan)
    answer: Any = None
    error: Exception | None = None
    try:
        while True:
            step = steps.send(answer) if error is None else steps.throw(error)
            answer, error = None, None
            try:
                opens = isinstance(step, _Open)
                answer = await (_opened_async(step.plan) if opens else _counter_async(step.plan))
            except Exception as raised:  # noqa: BLE001 -- the steps decide what it means
                error = _with_hint(plan, raised)
    except StopIteration as stop:
        connection: AsyncConnection = stop.value
        return connection


def _opened(plan: Plan) -> BlockingConnection:
    from cosem.transport.blocking import BlockingConnection

    association = plan.association()
    profile = plan.profile()
    link = profile.link(plan.address, association.parameters)
    channel = profile.channel(plan.address, plan.timeouts)
    connection = BlockingConnection(channel, link, association, plan.timeouts, observer=plan.observer)
    connection.peer = str(plan.address)
    try:
        connection.connect()
        if not association.parameters.pre_established:
            connection.run(association.open())
    except BaseException:
        connection.close()
        raise
    return connection


async def _opened_async(plan: Plan) -> AsyncConnection:
    association = plan.association()
    profile = plan.profile()
    link = profile.link(plan.address, association.parameters)
    connection = await profile.connection(plan.address, link, association, plan.timeouts, plan.observer)
    connection.peer = str(plan.address)
    try:
        await connection.connect()
        if not association.parameters.pre_established:
            await connection.run(association.open())
    except BaseException:
        connection.close()
        raise
    return connection


def _counter(plan: Plan) -> Any:
    from cosem.client.blocking import Client

    with Client(_opened(plan), plan.session(), str(plan.address)) as public:
        return public.get(INVOCATION_COUNTER, 2, class_id=_DATA_CLASS)


async def _counter_async(plan: Plan) -> Any:
    from cosem.client.aio import AsyncClient

    async with AsyncClient(await _opened_async(plan), plan.session(), str(plan.address)) as public:
        return await public.get(INVOCATION_COUNTER, 2, class_id=_DATA_CLASS)


class OpenerOfPlan:
    """Opens the association of a client anew.

    Args:
        plan: How it was opened.

    Attributes:
        security: That of the association.
    """

    __slots__ = ("_plan", "security")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.security = plan.security

    @property
    def asked_for(self) -> AssociationParameters:
        """What was asked for, before security added anything."""
        return self._plan.parameters

    def open(self, security: ClientSecurity | None) -> BlockingConnection:
        """Return a new connection with an open association, and keep its security."""
        connection = opened(replace(self._plan, security=security))
        self.security = security
        return connection

    async def open_async(self, security: ClientSecurity | None) -> AsyncConnection:
        """Return the same for one event loop."""
        connection = await opened_async(replace(self._plan, security=security))
        self.security = security
        return connection
