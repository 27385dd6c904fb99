"""From a URL to a client: :func:`connect` and :func:`connect_async`.

:mod:`~cosem.connecting.plan` puts the options of the URL and of the call together,
:mod:`~cosem.connecting.profiles` has the communication profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Unpack

from cosem.connecting.plan import ConnectOptions, Plan, plan_of
from cosem.connecting.profiles import PROFILES, Profile
from cosem.errors import ConfigurationError
from cosem.transport.url import parse_url

if TYPE_CHECKING:
    from cosem.association.client.blocks import BlockSettings
    from cosem.association.client.preparation import ClientSecurity
    from cosem.association.short_names.table import ShortNameTable
    from cosem.client.aio import AsyncClient
    from cosem.client.blocking import Client
    from cosem.transport.observing import Observer
    from cosem.transport.timeouts import Timeouts
    from cosem.types.enumerations import Conformance

__all__ = ["PROFILES", "ConnectOptions", "ConnectingClient", "Profile", "connect", "connect_async"]

OnClose: TypeAlias = Callable[[], object]
_MOST_PARALLEL: Final = 15
"""One invoke-id of the 16 stays free for what was given up."""


def connect(
    url: str = "sim:",
    *,
    client: int | None = None,
    server: int | None = None,
    physical: int | None = None,
    password: str | bytes | None = None,
    security: ClientSecurity | None = None,
    conformance: Conformance | None = None,
    max_pdu_size: int | None = None,
    timeouts: Timeouts | float | None = None,
    retries: int | None = None,
    repeat_writes: bool = False,
    strict: bool | None = None,
    any_invoke_id: bool = False,
    block_transfer: BlockSettings | None = None,
    confirmed: bool = True,
    pre_established: bool = False,
    short_names: bool | ShortNameTable | None = None,
    hls_selector: int = 0,
    read_counter: bool = False,
    observer: Observer | None = None,
) -> Client:
    """Return a client with an open association; use it as a context manager, or close it.

    Args:
        url: ``tcp://host:4059`` or ``udp://host:4059`` (wrapper), a bare ``host:port``, ``hdlc+tcp://host:port``,
            ``serial:///dev/ttyUSB0`` or ``rfc2217://host:port`` (HDLC on a serial line, ``?mode_e=1`` after a
            sign-on), or ``sim:`` for a simulated meter in this process. Its query may hold ``client``, ``server``,
            ``max_pdu_size``, ``retries``, ``strict`` and ``short_names``, which mean what the arguments of these names
            do, and ``timeout``, the seconds that ``timeouts=`` takes as a number; with HDLC also ``physical``,
            ``address_size`` (1, 2, 4), ``max_info`` and ``window``. The how-to "Connect" has all of them.
        client: Client address; 16, the public client, if neither here nor in the URL.
        server: Address of the logical device; 1, the management logical device, by default.
        physical: Address of the physical device on a line that several share; HDLC only.
        password: Low level security with this password; a text is sent as UTF-8.
        security: High level security and ciphering; see :class:`cosem.association.client.preparation.ClientSecurity`.
        conformance: The services to propose; all that this client can use by default.
        max_pdu_size: Longest APDU that we take, octets: 64..65535 (the default), or 0 for no limit. The standard
            allows 12 and more, but there are meters that refuse every proposal below 64.
        timeouts: How long to wait: for all there is to wait for, or as a number for one answer, seconds.
        retries: How often a read is repeated when no answer comes; 1 by default.
        repeat_writes: Whether writing and calling are repeated, too. The meter may execute them twice.
        strict: Whether deviations from the standard that are tolerated otherwise are errors.
        any_invoke_id: For meters that answer with invoke-id 0, or that of an earlier request: the one open request
            takes the answer all the same, and a request without an answer ends the association.
        block_transfer: Windows and patience of general block transfers, a :class:`~cosem.association.client.blocks.BlockSettings`.
        confirmed: ``False`` for an unconfirmed association, in which nothing is answered.
        pre_established: The association stands without being opened, and is not released.
        short_names: Whether the meter refers to its objects by short names; or their base names, for a meter
            that does not tell them, or to save asking: a ``ShortNameTable``.
        hls_selector: Selector with which high level security goes by short name: 0, or 1 for meters that want that.
        read_counter: Whether to read the invocation counter that the meter has seen, through the public client, where
            ours is not known or the meter refuses; ours goes forward only. Nobody vouches for what is read.
        observer: Sees all octets and APDUs, both directions.

    Raises:
        ConfigurationError: The URL or the options contradict each other, or are out of range.
        TransportError: The meter cannot be reached, or does not answer; says why.
        AssociationRefused: The meter does not want this association; says why, and what it may be.
        SecurityError: One side could not prove who it is.
    """
    from cosem.client.blocking import Client
    from cosem.connecting.opening import OpenerOfPlan, opened

    plan = plan_of(
        url,
        client=client,
        server=server,
        physical=physical,
        password=password,
        security=security,
        conformance=conformance,
        max_pdu_size=max_pdu_size,
        timeouts=timeouts,
        retries=retries,
        repeat_writes=repeat_writes,
        strict=strict,
        any_invoke_id=any_invoke_id,
        block_transfer=block_transfer,
        confirmed=confirmed,
        pre_established=pre_established,
        short_names=short_names,
        hls_selector=hls_selector,
        read_counter=read_counter,
        observer=observer,
    )
    plan, on_close = _simulated(plan)
    try:
        connection = opened(plan)
    except BaseException:
        if on_close is not None:
            on_close()
        raise
    return Client(connection, plan.session(), str(plan.address), on_close, OpenerOfPlan(plan))


def connect_async(
    url: str = "sim:", *, parallel: int = 1, **options: Unpack[ConnectOptions]
) -> ConnectingClient:
    """Return what becomes an :class:`~cosem.client.aio.AsyncClient`: ``await`` it, or enter it with ``async with``.

    Args:
        url: As for :func:`connect`.
        parallel: How many requests may be under way at the same time, 1..15; the others wait. Few meters work
            on more than one, and the standard leaves it to them. With short names or ``any_invoke_id`` it is always 1.
            More than 1 does without general block transfer, unless ``conformance`` names it: its blocks do not say
            to which request they belong, and so one request at a time is all there can be.
        **options: As the arguments of :func:`connect`.

    Raises:
        TypeError: There is no such option.
        ConfigurationError: ``parallel`` is out of range, or as :func:`connect`; its other errors come when awaited.
    """
    if unknown := sorted(options.keys() - ConnectOptions.__annotations__.keys()):
        raise TypeError(f"connect_async() got an unexpected keyword argument {unknown[0]!r}")
    if not 1 <= parallel <= _MOST_PARALLEL:
        raise ConfigurationError(f"parallel {parallel} is outside 1..{_MOST_PARALLEL}")
    plan = plan_of(url, **options)
    if parallel > 1 and options.get("conformance") is None:
        plan = plan.without_general_blocks()
    alone = plan.any_invoke_id or plan.parameters.application_context.short_names
    return ConnectingClient(plan, 1 if alone else parallel)


class ConnectingClient:
    """An asynchronous client on its way: awaitable, and an async context manager that closes it."""

    __slots__ = ("_client", "_parallel", "_plan")

    def __init__(self, plan: Plan, parallel: int = 1) -> None:
        self._plan = plan
        self._parallel = parallel
        self._client: AsyncClient | None = None

    def __await__(self) -> Generator[Any, None, AsyncClient]:
        return _open_async(self._plan, self._parallel).__await__()

    async def __aenter__(self) -> AsyncClient:
        self._client = await _open_async(self._plan, self._parallel)
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()


async def _open_async(plan: Plan, parallel: int) -> AsyncClient:
    """Open a client with asyncio."""
    import asyncio

    from cosem.client.aio import AsyncClient
    from cosem.connecting.opening import OpenerOfPlan, opened_async

    plan, on_close = (
        await asyncio.to_thread(_simulated, plan) if plan.address.scheme == "sim" else (plan, None)
    )
    try:
        connection = await opened_async(plan)
    except BaseException:
        if on_close is not None:
            on_close()
        raise
    opener = OpenerOfPlan(plan)
    return AsyncClient(connection, plan.session(), str(plan.address), on_close, parallel, opener)


def _simulated(plan: Plan) -> tuple[Plan, OnClose | None]:
    """Start the simulated meter if one is asked for, and return where to reach it, and how to stop it."""
    if plan.address.scheme != "sim":
        return plan, None
    from cosem.connecting.simulated import simulated
    from cosem.server.threads import serve_in_thread

    serving = serve_in_thread(simulated(plan.address.path))
    address = parse_url(serving.__enter__())
    return replace(plan, address=replace(address, options=plan.address.options)), serving.stop
