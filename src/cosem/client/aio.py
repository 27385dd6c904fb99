"""The asynchronous client: the same operations as the blocking one, awaited; several may run at once."""

from __future__ import annotations

from asyncio import Semaphore, to_thread
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from cosem.association.context import no_progress
from cosem.client.base import ClientBase
from cosem.client.operations import attributes
from cosem.client.session import Session
from cosem.client.targets import name_of
from cosem.errors import ConfigurationError, CosemError, StateError, UnsupportedError
from cosem.transport.aio import AsyncConnection

if TYPE_CHECKING:
    from cosem.apdu import Apdu
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.client.association import Notification
    from cosem.association.client.preparation import ClientSecurity
    from cosem.association.context import Conversation, Progress, ServiceContext
    from cosem.classes.base import Attribute, InterfaceClass
    from cosem.classes.meter_record import MeterRecord
    from cosem.client.base import Opener
    from cosem.client.batch import BatchItem
    from cosem.client.keys import AsyncKeysOfMeter
    from cosem.client.operations.attributes import AttributeItem, AttributeValue
    from cosem.client.operations.methods import MethodItem
    from cosem.client.profiles import AsyncProfile
    from cosem.client.protected_data import AsyncProtectedData
    from cosem.client.results import ObjectEntry, Reading, Result
    from cosem.client.security_setup import AsyncSecuritySetupOfMeter
    from cosem.client.targets import AttributeLike, ClassLike, MethodLike, Target
    from cosem.types.data import DataValue
    from cosem.types.date_time import DateTime

__all__ = ["AsyncClient"]

T = TypeVar("T")


class AsyncClient(ClientBase):
    """A meter, for one event loop; made by :func:`cosem.connect_async`.

    Any number of calls may be made at the same time; ``parallel`` of them are under way, and the others wait.

    Every call may raise a :class:`~cosem.errors.LinkError` when the connection fails, a
    :class:`~cosem.errors.TransportTimeout` when no answer comes, a :class:`~cosem.errors.ProtocolError`
    or :class:`~cosem.errors.DecodeError` when the meter breaks the rules, and
    :class:`~cosem.errors.UnsupportedError` for what the association did not agree on.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        session: Session,
        peer: str = "meter",
        on_close: Callable[[], object] | None = None,
        parallel: int = 1,
        opener: Opener | None = None,
    ) -> None:
        super().__init__(connection, session, peer, opener)
        self._turns = Semaphore(parallel)
        self._connection = connection
        self._on_close = on_close

    async def run(
        self,
        operation: Callable[[ServiceContext], Conversation[T]],
        *,
        high_priority: bool = False,
        progress: Progress = no_progress,
    ) -> T:
        """Run a conversation of services in this association, and return its result.

        Args:
            operation: Makes the conversation of what it is told about the association.
            high_priority: Asks the meter to answer before other requests, where that was agreed on.
            progress: Told of the octets that block transfers have moved so far, those of all its requests.
        """
        async with self._turns:
            try:
                exchange = self._association.start(operation, high_priority=high_priority, progress=progress)
            except StateError:
                if self._connection.lost is not None:
                    raise self._connection.lost from None
                raise
            return await self._connection.run(exchange)

    async def _request(self, operation: Callable[[ServiceContext], Conversation[Apdu]]) -> Apdu:
        """Return a request that wants no answer; where nothing is answered, without asking anything first."""
        if not self.parameters.confirmed:
            return self._without_asking(operation)
        return await self.run(operation)

    # --- attributes and methods -------------------------------------------------------------------

    async def get(
        self,
        target: Target,
        attribute: AttributeLike = 2,
        *,
        class_id: ClassLike | None = None,
        selection: SelectiveAccessDescriptor | None = None,
        progress: Progress = no_progress,
    ) -> DataValue:
        """Return the value of an attribute as it came: Data, with its tag.

        Args:
            target: The object: ``"1-0:1.8.0"`` in any written form, a logical name, an entry of the object list.
            attribute: Its number, its name in the class, or its declaration (``Clock.time``).
            class_id: The interface class; found out where it is not given.
            selection: The part of the attribute that is wanted.
            progress: Told of the octets transferred so far, in block transfers.

        Raises:
            AccessError: The meter refused it.
        """
        session = self._session
        return await self.run(
            lambda context: attributes.get(context, session, target, attribute, class_id, selection, progress)
        )

    async def get_many(
        self, items: Iterable[AttributeItem], *, progress: Progress = no_progress
    ) -> list[Result[DataValue]]:
        """Return a result for each item, in order; one that is refused stops no other.

        Args:
            items: Objects (their attribute 2), or tuples of object, attribute, and if need be class and selection.
            progress: Told of the octets transferred so far, in block transfers.
        """
        return await self.run(
            lambda context: attributes.get_many(context, self._session, items), progress=progress
        )

    async def set(
        self,
        target: Target,
        attribute: AttributeLike,
        value: Any,
        *,
        class_id: ClassLike | None = None,
        selection: SelectiveAccessDescriptor | None = None,
        confirmed: bool = True,
        progress: Progress = no_progress,
    ) -> None:
        """Write an attribute.

        Args:
            target: The object.
            attribute: Its number, name or declaration.
            value: Data of :mod:`cosem.types`, or a plain Python value, which becomes the type that the class declares
                or, where that is open, the type of the present value.
            class_id: The interface class; found out where it is not given.
            selection: The part of the attribute that is meant.
            confirmed: ``False`` asks for no answer, which is all that an unconfirmed association offers.
            progress: Told of the octets transferred so far, in block transfers.

        Raises:
            AccessError: The meter refused it.
            EncodeError: The value does not fit the attribute.
        """
        if not (confirmed and self.parameters.confirmed):
            request = await self._request(
                lambda context: attributes.unconfirmed_set(
                    context, self._session, target, attribute, value, class_id, selection
                )
            )
            self._association.send_unconfirmed(lambda _: request)
            self._connection.flush()
            return
        await self.run(
            lambda context: attributes.set_value(
                context, self._session, target, attribute, value, class_id, selection, progress
            )
        )

    async def set_many(
        self, items: Iterable[AttributeValue], *, progress: Progress = no_progress
    ) -> list[Result[None]]:
        """Write attributes and return a result for each, in order; the meter may take some and refuse others.

        Args:
            items: Tuples of object, attribute, value, and if need be class.
            progress: Told of the octets transferred so far, in block transfers.
        """
        return await self.run(
            lambda context: attributes.set_many(context, self._session, items), progress=progress
        )

    async def call(
        self,
        target: Target,
        method: MethodLike,
        parameter: Any = None,
        *,
        class_id: ClassLike | None = None,
        confirmed: bool = True,
        progress: Progress = no_progress,
    ) -> DataValue:
        """Call a method and return what it returned; ``None`` for nothing.

        Args:
            target: The object.
            method: Its number, name or declaration.
            parameter: Data or a plain value; by default the integer 0 that stands for none. ``ABSENT`` sends none.
            class_id: The interface class; found out where it is not given.
            confirmed: ``False`` asks for no answer, which is all that an unconfirmed association offers.
            progress: Told of the octets transferred so far, in block transfers.

        Raises:
            ActionError: The meter refused it.
        """
        from cosem.client.operations import methods

        if not (confirmed and self.parameters.confirmed):
            request = await self._request(
                lambda context: methods.unconfirmed_call(
                    context, self._session, target, method, parameter, class_id
                )
            )
            self._association.send_unconfirmed(lambda _: request)
            self._connection.flush()
            return None
        return await self.run(
            lambda context: methods.call(
                context, self._session, target, method, parameter, class_id, progress
            )
        )

    async def call_many(
        self, items: Iterable[MethodItem], *, progress: Progress = no_progress
    ) -> list[Result[DataValue]]:
        """Call methods in order and return a result for each.

        Args:
            items: Tuples of object, method, and if need be parameter and class.
            progress: Told of the octets transferred so far, in block transfers.
        """
        from cosem.client.operations import methods

        return await self.run(
            lambda context: methods.call_many(context, self._session, items), progress=progress
        )

    async def access(
        self,
        items: Iterable[BatchItem],
        *,
        break_on_error: bool = False,
        progress: Progress = no_progress,
    ) -> list[Result[Any]]:
        """Read, write and call in one go, in order, and return a result for each item.

        Where the association agreed on ACCESS it takes one request, or as few as the sizes allow; else one for each.

        Args:
            items: :class:`~cosem.client.batch.Read`, :class:`~cosem.client.batch.Write` and
                :class:`~cosem.client.batch.Call`.
            break_on_error: Whether nothing is tried after the first failure; what was not tried has the
                result other-reason.
            progress: Told of the octets transferred so far, in block transfers.
        """
        from cosem.client.operations import batches

        return await self.run(
            lambda context: batches.access(context, self._session, items, break_on_error=break_on_error),
            progress=progress,
        )

    async def confirm(self, notification: Notification) -> None:
        """Tell the meter that a DataNotification has arrived; pushes that are confirmed are repeated until then.

        Raises:
            StateError: There is no association.
            LinkError: The connection is lost.
        """
        self._association.confirm_notification(notification.apdu)
        self._connection.flush()

    # --- comforts -----------------------------------------------------------------------------------

    async def objects(
        self, *, refresh: bool = False, progress: Progress = no_progress
    ) -> tuple[ObjectEntry, ...]:
        """Return the objects that this association sees, with its rights to them; read once.

        Args:
            refresh: Whether to read the list again, and to forget what was learnt of the objects.
            progress: Told of the octets transferred so far.

        Raises:
            AccessError: The meter refused its object list.
        """
        from cosem.client.operations import objects

        return await self.run(
            lambda context: objects.objects(context, self._session, refresh=refresh, progress=progress)
        )

    async def read(
        self,
        target: Target,
        attribute: AttributeLike = 2,
        *,
        class_id: ClassLike | None = None,
        progress: Progress = no_progress,
    ) -> Reading:
        """Return a value with its unit, scaled exactly, and status and capture time where the class has them.

        Args:
            target: The object.
            attribute: Its number, name or declaration.
            class_id: The interface class; found out where it is not given.
            progress: Told of the octets transferred so far, in block transfers.

        Raises:
            AccessError: The meter refused the value.
        """
        from cosem.client.operations import reading

        return await self.run(
            lambda context: reading.read(context, self._session, target, attribute, class_id),
            progress=progress,
        )

    async def read_many(
        self, items: Iterable[AttributeItem], *, progress: Progress = no_progress
    ) -> list[Result[Reading]]:
        """Return a result with a reading for each item, in order; one that is refused stops no other.

        Args:
            items: Objects (their attribute 2), or tuples of object, attribute, and if need be class.
            progress: Told of the octets transferred so far, in block transfers.
        """
        from cosem.client.operations import reading

        return await self.run(
            lambda context: reading.read_many(context, self._session, items), progress=progress
        )

    def profile(self, target: Target) -> AsyncProfile:
        """Return a profile, to be read; nothing is sent yet.

        Raises:
            ConversionError: ``target`` names no object.
        """
        from cosem.client.profiles import AsyncProfile

        return AsyncProfile(self, self._session, target)

    async def object(self, target: Target, kind: type[InterfaceClass] | None = None) -> Any:
        """Return an object of the meter with the attributes and methods of its class.

        Args:
            target: The object.
            kind: Its interface class; found out where it is not given.

        Raises:
            AccessError: The class is not known, and the object list has no such object.
            ConversionError: ``target`` names no object, or its class is unknown to the standard.
        """
        from cosem.client.operations.objects import declaration_of
        from cosem.client.proxies import proxy

        if kind is None:
            kind = await self.run(lambda context: declaration_of(context, self._session, target))
        return proxy(self, kind, name_of(target))

    async def value(self, attribute: Attribute[T], target: Target | None = None) -> T:
        """Return what an attribute means, with the static type that its declaration says: ``await meter.value(Clock.time)``.

        Args:
            attribute: The declaration of the attribute.
            target: The object; by default the one of its class, as in ``meter[Clock]``.

        Raises:
            AccessError: The meter refused it.
            ConfigurationError: Nobody knows which object of the class that is.
            ConversionError: ``target`` names no object.
        """
        owner: Any = attribute.owner
        found: Any = self[owner] if target is None else await self.object(target, owner)
        value = found.attribute_value(attribute)
        # The name of an object is known without asking for it.
        return await value if hasattr(value, "__await__") else value  # type: ignore[no-any-return]

    def __getitem__(self, kind: type[InterfaceClass] | Target) -> Any:
        """Return the object of a class, or of a name: ``await meter[Clock].time``, ``await meter["1-0:1.8.0"].value``.

        The object list tells, if that was read, else what is usual: nothing is asked for here. Python has no way to
        say that every attribute of a class is awaited: type checkers see ``Any``; :meth:`value` has static types.

        Raises:
            ConfigurationError: Nobody knows which object of the class that is, or which class the object has.
            ConversionError: It names no object.
        """
        from cosem.client.proxies import name_in, no_object, proxy

        if not isinstance(kind, type):
            from cosem.client.operations.objects import declaration_of

            try:
                found = self._without_asking(lambda context: declaration_of(context, self._session, kind))
            except UnsupportedError:
                raise ConfigurationError(
                    f"the class of {name_of(kind)} is not known: await meter.object(...), or objects() first"
                ) from None
            return proxy(self, found, name_of(kind))
        name = name_in(self._session, kind)
        if name is None:
            raise no_object(kind)
        return proxy(self, kind, name)

    async def clock(self) -> DateTime:
        """Return the time of the meter.

        Raises:
            AccessError: The meter refused it.
        """
        from cosem.client.operations import clock

        return await self.run(lambda context: clock.read_clock(context, self._session))

    async def set_clock(self, time: datetime | DateTime) -> None:
        """Set the time of the meter; one without zone is its local time.

        Raises:
            AccessError: The meter refused it.
        """
        from cosem.client.operations import clock

        await self.run(lambda context: clock.set_clock(context, self._session, time))

    async def dump(
        self,
        *,
        buffers: bool = True,
        only: Callable[[ObjectEntry], bool] = lambda _: True,
        step: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> MeterRecord:
        """Take down everything that this association sees: objects, rights, every attribute that can be read.

        What is refused is part of it. Secrets are never asked for.

        Args:
            buffers: Whether the buffers of profiles are read, too, which takes by far the longest.
            only: Chooses objects.
            step: Told of how many attributes were read so far, and how many there are.

        Raises:
            AccessError: The meter refused its object list.
        """
        from cosem.client.operations import dump

        return await self.run(
            lambda context: dump.dump(
                context,
                self._session,
                self.parameters,
                self.negotiated,
                buffers=buffers,
                only=only,
                step=step,
            )
        )

    async def transfer_image(
        self,
        image: bytes,
        identifier: bytes,
        target: Target = "0-0:44.0.0",
        *,
        resume: bool = False,
        step: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> int:
        """Send an image in blocks until none is missing, and return how many were sent; nothing is activated.

        Args:
            image: The octets.
            identifier: The name of the image.
            target: The Image transfer object.
            resume: Whether to go on with a transfer that was begun: only blocks that its bitmap lacks are sent.
            step: Told of how many blocks the meter has, and how many there are.

        Raises:
            StateError: Image transfer is not enabled in the meter.
            ActionError: The meter refused the image, or a block.
        """
        from cosem.client.operations import image as operation

        return await self.run(
            lambda context: operation.transfer_image(
                context, self._session, image, identifier, target, resume=resume, step=step
            )
        )

    # --- keys ---------------------------------------------------------------------------------------------

    @property
    def protected_data(self) -> AsyncProtectedData:
        """Attributes under protection of the data itself, through the object 0-0:43.2.0."""
        from cosem.client.protected_data import AsyncProtectedData

        return AsyncProtectedData(self)

    @property
    def keys(self) -> AsyncKeysOfMeter:
        """The keys of the meter, and how they are changed."""
        from cosem.client.keys import AsyncKeysOfMeter

        return AsyncKeysOfMeter(self)

    @property
    def security_setup(self) -> AsyncSecuritySetupOfMeter:
        """Security setup of the meter: policy, key pairs and certificates."""
        from cosem.client.security_setup import AsyncSecuritySetupOfMeter

        return AsyncSecuritySetupOfMeter(self)

    async def reopen(self, security: ClientSecurity | None = None) -> None:
        """Open the association anew, over a new connection: after a loss, or with other keys.

        Args:
            security: How to prove who we are and to protect what is sent; by default as before.

        Raises:
            UnsupportedError: The client was not made by :func:`cosem.connect`.
            LinkError: As :func:`cosem.connect`, as are the others.
        """
        opener = self._opened
        self._connection.close()
        connection = await opener.open_async(security or opener.security)
        self._connection = self._state_of = connection
        self._association = connection.association

    # --- notifications --------------------------------------------------------------------------------

    async def notifications(  # the same words as for the blocking client
        self,
        timeout: float | None = 0,  # noqa: ASYNC109 -- it ends the iteration, it does not cancel
    ) -> AsyncIterator[Notification]:
        """Yield what the meter sent by itself, until none has come for a time.

        Args:
            timeout: How long to wait for the next one, seconds; 0 yields what is there already,
                ``None`` waits for ever.
        """
        while (notification := await self._connection.wait_for_notification(timeout)) is not None:
            for each in self._alike(notification):
                yield each

    def on_notification(self, callback: Callable[[Notification], None] | None) -> None:
        """Have every notification given to a function as it arrives, instead of queued; ``None`` queues again."""
        self._connection.on_notification = self._given_alike(callback)

    def trigger_event_notification_sending(self) -> None:
        """Give the meter the turn to send what has happened, where it may not speak unasked: on HDLC lines.

        What it sends comes with :meth:`notifications`.

        Raises:
            UnsupportedError: The communication profile has no turns to give.
        """
        self._connection.trigger_event_notification_sending()

    # --- the end ----------------------------------------------------------------------------------------

    async def release(self) -> bool:
        """Release the association, keep the connection, and return whether the meter agreed.

        Raises:
            StateError: There is no association, or it is pre-established.
        """
        return await self._connection.run(self._association.release(), self._connection.timeouts.release)

    def abort(self) -> None:
        """Close the connection at once, without release."""
        self._connection.close()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    async def close(self) -> None:
        """Release the association, disconnect and close; a second time does nothing."""
        try:
            if self.associated:
                if not self.parameters.pre_established:
                    with suppress(CosemError):
                        await self.release()
                await self._connection.disconnect()
        finally:
            self._connection.close()
            on_close, self._on_close = self._on_close, None
            if on_close is not None:
                # It waits for a thread: the loop goes on meanwhile.
                await to_thread(on_close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
