"""The blocking client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from cosem.association.context import no_progress
from cosem.client.base import ClientBase
from cosem.client.operations import attributes
from cosem.client.session import Session
from cosem.client.targets import name_of
from cosem.errors import CosemError, StateError
from cosem.transport.blocking import BlockingConnection

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
    from cosem.client.keys import KeysOfMeter
    from cosem.client.operations.attributes import AttributeItem, AttributeValue
    from cosem.client.operations.methods import MethodItem
    from cosem.client.profiles import Profile
    from cosem.client.protected_data import ProtectedData
    from cosem.client.results import ObjectEntry, Reading, Result
    from cosem.client.security_setup import SecuritySetupOfMeter
    from cosem.client.targets import AttributeLike, ClassLike, MethodLike, Target
    from cosem.types.data import DataValue
    from cosem.types.date_time import DateTime

__all__ = ["Client"]

T = TypeVar("T")
C = TypeVar("C", bound="InterfaceClass")


class Client(ClientBase):
    """A meter, for one thread at a time; made by :func:`cosem.connect`.

    Every call may raise a :class:`~cosem.errors.LinkError` when the connection fails, a
    :class:`~cosem.errors.TransportTimeout` when no answer comes, a :class:`~cosem.errors.ProtocolError`
    or :class:`~cosem.errors.DecodeError` when the meter breaks the rules, and
    :class:`~cosem.errors.UnsupportedError` for what the association did not agree on.
    """

    def __init__(
        self,
        connection: BlockingConnection,
        session: Session,
        peer: str = "meter",
        on_close: Callable[[], object] | None = None,
        opener: Opener | None = None,
    ) -> None:
        super().__init__(connection, session, peer, opener)
        self._connection = connection
        self._on_close = on_close
        # Of one thread at a time; a callback for notifications may ask in between.
        self._turn = RLock()

    def run(
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

        Raises:
            StateError: Another thread uses this client, or there is no association.
        """
        turn = self._turn
        if not turn.acquire(blocking=False):
            raise StateError("another thread uses this client (give each its own)", "a request")
        try:
            exchange = self._association.start(operation, high_priority=high_priority, progress=progress)
        except StateError:
            if self._connection.lost is not None:
                raise self._connection.lost from None
            raise
        else:
            return self._connection.run(exchange)
        finally:
            turn.release()

    def _request(self, operation: Callable[[ServiceContext], Conversation[Apdu]]) -> Apdu:
        """Return a request that wants no answer; where nothing is answered, without asking anything first."""
        if not self.parameters.confirmed:
            return self._without_asking(operation)
        return self.run(operation)

    # --- attributes and methods -------------------------------------------------------------------

    def get(
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
        return self.run(
            lambda context: attributes.get(context, session, target, attribute, class_id, selection, progress)
        )

    def get_many(
        self, items: Iterable[AttributeItem], *, progress: Progress = no_progress
    ) -> list[Result[DataValue]]:
        """Return a result for each item, in order; one that is refused stops no other.

        Args:
            items: Objects (their attribute 2), or tuples of object, attribute, and if need be class and selection.
            progress: Told of the octets transferred so far, in block transfers.
        """
        return self.run(lambda context: attributes.get_many(context, self._session, items), progress=progress)

    def set(
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
            request = self._request(
                lambda context: attributes.unconfirmed_set(
                    context, self._session, target, attribute, value, class_id, selection
                )
            )
            self._association.send_unconfirmed(lambda _: request)
            self._connection.flush()
            return
        self.run(
            lambda context: attributes.set_value(
                context, self._session, target, attribute, value, class_id, selection, progress
            )
        )

    def set_many(
        self, items: Iterable[AttributeValue], *, progress: Progress = no_progress
    ) -> list[Result[None]]:
        """Write attributes and return a result for each, in order; the meter may take some and refuse others.

        Args:
            items: Tuples of object, attribute, value, and if need be class.
            progress: Told of the octets transferred so far, in block transfers.
        """
        return self.run(lambda context: attributes.set_many(context, self._session, items), progress=progress)

    def call(
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
            request = self._request(
                lambda context: methods.unconfirmed_call(
                    context, self._session, target, method, parameter, class_id
                )
            )
            self._association.send_unconfirmed(lambda _: request)
            self._connection.flush()
            return None
        return self.run(
            lambda context: methods.call(
                context, self._session, target, method, parameter, class_id, progress
            )
        )

    def call_many(
        self, items: Iterable[MethodItem], *, progress: Progress = no_progress
    ) -> list[Result[DataValue]]:
        """Call methods in order and return a result for each.

        Args:
            items: Tuples of object, method, and if need be parameter and class.
            progress: Told of the octets transferred so far, in block transfers.
        """
        from cosem.client.operations import methods

        return self.run(lambda context: methods.call_many(context, self._session, items), progress=progress)

    def access(
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

        return self.run(
            lambda context: batches.access(context, self._session, items, break_on_error=break_on_error),
            progress=progress,
        )

    def confirm(self, notification: Notification) -> None:
        """Tell the meter that a DataNotification has arrived; pushes that are confirmed are repeated until then.

        Raises:
            StateError: There is no association.
            LinkError: The connection is lost.
        """
        self._association.confirm_notification(notification.apdu)
        self._connection.flush()

    # --- comforts -----------------------------------------------------------------------------------

    def objects(self, *, refresh: bool = False, progress: Progress = no_progress) -> tuple[ObjectEntry, ...]:
        """Return the objects that this association sees, with its rights to them; read once.

        Args:
            refresh: Whether to read the list again, and to forget what was learnt of the objects.
            progress: Told of the octets transferred so far.

        Raises:
            AccessError: The meter refused its object list.
        """
        from cosem.client.operations import objects

        return self.run(
            lambda context: objects.objects(context, self._session, refresh=refresh, progress=progress)
        )

    def read(
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

        return self.run(
            lambda context: reading.read(context, self._session, target, attribute, class_id),
            progress=progress,
        )

    def read_many(
        self, items: Iterable[AttributeItem], *, progress: Progress = no_progress
    ) -> list[Result[Reading]]:
        """Return a result with a reading for each item, in order; one that is refused stops no other.

        Args:
            items: Objects (their attribute 2), or tuples of object, attribute, and if need be class.
            progress: Told of the octets transferred so far, in block transfers.
        """
        from cosem.client.operations import reading

        return self.run(lambda context: reading.read_many(context, self._session, items), progress=progress)

    def profile(self, target: Target) -> Profile:
        """Return a profile, to be read; nothing is sent yet.

        Raises:
            ConversionError: ``target`` names no object.
        """
        from cosem.client.profiles import Profile

        return Profile(self, self._session, target)

    @overload
    def object(self, target: Target, kind: type[C]) -> C: ...
    @overload
    def object(self, target: Target, kind: None = None) -> Any: ...
    def object(self, target: Target, kind: type[C] | None = None) -> C | Any:
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
            found: Any = self.run(lambda context: declaration_of(context, self._session, target))
            return proxy(self, found, name_of(target))
        return proxy(self, kind, name_of(target))

    def value(self, attribute: Attribute[T], target: Target | None = None) -> T:
        """Return what an attribute means, with the static type that its declaration says: ``meter.value(Clock.time)``.

        Args:
            attribute: The declaration of the attribute.
            target: The object; by default the one of its class, as in ``meter[Clock]``.

        Raises:
            AccessError: The meter refused it.
            ConfigurationError: Nobody knows which object of the class that is.
            ConversionError: ``target`` names no object.
        """
        owner: Any = attribute.owner
        found: Any = self[owner] if target is None else self.object(target, owner)
        return found.attribute_value(attribute)  # type: ignore[no-any-return] # what the declaration says

    @overload
    def __getitem__(self, kind: type[C]) -> C: ...
    @overload
    def __getitem__(self, kind: Target) -> Any: ...
    def __getitem__(self, kind: type[C] | Target) -> C | Any:
        """Return the object of a class that the meter has, or of a name: ``meter[Clock].time``, ``meter["1-0:1.8.0"].value``.

        Raises:
            ConfigurationError: Nobody knows which object of the class that is.
            AccessError: As :meth:`object`, as is the next.
            ConversionError: It names no object.
        """
        if not isinstance(kind, type):
            return self.object(kind)
        from cosem.client.proxies import name_in, no_object, proxy

        name = name_in(self._session, kind)
        if name is None:
            self.objects()
            name = name_in(self._session, kind)
        if name is None:
            raise no_object(kind)
        return proxy(self, kind, name)

    def clock(self) -> DateTime:
        """Return the time of the meter.

        Raises:
            AccessError: The meter refused it.
        """
        from cosem.client.operations import clock

        return self.run(lambda context: clock.read_clock(context, self._session))

    def set_clock(self, time: datetime | DateTime) -> None:
        """Set the time of the meter; one without zone is its local time.

        Raises:
            AccessError: The meter refused it.
        """
        from cosem.client.operations import clock

        self.run(lambda context: clock.set_clock(context, self._session, time))

    def dump(
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

        return self.run(
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

    def transfer_image(
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

        return self.run(
            lambda context: operation.transfer_image(
                context, self._session, image, identifier, target, resume=resume, step=step
            )
        )

    # --- keys ---------------------------------------------------------------------------------------------

    @property
    def protected_data(self) -> ProtectedData:
        """Attributes under protection of the data itself, through the object 0-0:43.2.0."""
        from cosem.client.protected_data import ProtectedData

        return ProtectedData(self)

    @property
    def keys(self) -> KeysOfMeter:
        """The keys of the meter, and how they are changed."""
        from cosem.client.keys import KeysOfMeter

        return KeysOfMeter(self)

    @property
    def security_setup(self) -> SecuritySetupOfMeter:
        """Security setup of the meter: policy, key pairs and certificates."""
        from cosem.client.security_setup import SecuritySetupOfMeter

        return SecuritySetupOfMeter(self)

    def reopen(self, security: ClientSecurity | None = None) -> None:
        """Open the association anew, over a new connection: after a loss, or with other keys.

        Args:
            security: How to prove who we are and to protect what is sent; by default as before.

        Raises:
            UnsupportedError: The client was not made by :func:`cosem.connect`.
            LinkError: As :func:`cosem.connect`, as are the others.
        """
        opener = self._opened
        self._connection.close()
        connection = opener.open(security or opener.security)
        self._connection = self._state_of = connection
        self._association = connection.association

    # --- notifications --------------------------------------------------------------------------------

    def notifications(self, timeout: float | None = 0) -> Iterator[Notification]:
        """Yield what the meter sent by itself, until none has come for a time.

        Args:
            timeout: How long to wait for the next one, seconds; 0 yields what is there already,
                ``None`` waits for ever.
        """
        while (notification := self._connection.wait_for_notification(timeout)) is not None:
            yield from self._alike(notification)

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

    def release(self) -> bool:
        """Release the association, keep the connection, and return whether the meter agreed.

        Raises:
            StateError: There is no association, it is pre-established, or another thread uses this client.
        """
        if not self._turn.acquire(blocking=False):
            raise StateError("another thread uses this client", "a release")
        try:
            return self._connection.run(self._association.release(), self._connection.timeouts.release)
        finally:
            self._turn.release()

    def abort(self) -> None:
        """Close the connection at once, without release."""
        self._connection.close()
        self._closed()

    def close(self) -> None:
        """Release the association, disconnect and close; a second time does nothing."""
        try:
            if self.associated:
                if not self.parameters.pre_established:
                    with suppress(CosemError):
                        self.release()
                self._connection.disconnect()
        finally:
            self._connection.close()
            self._closed()

    def _closed(self) -> None:
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
