"""The services of an asynchronous client: attributes and methods, one or many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from cosem.association.context import no_progress
from cosem.client.aio.base import AsyncBase
from cosem.client.operations import attributes

if TYPE_CHECKING:
    from cosem.apdu import Apdu
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.context import Conversation, Progress, ServiceContext
    from cosem.client.batch import BatchItem
    from cosem.client.operations.attributes import AttributeValue
    from cosem.client.operations.methods import MethodItem
    from cosem.client.operations.resolving import AttributeItem
    from cosem.client.results import Result
    from cosem.client.targets import AttributeLike, ClassLike, MethodLike, Target
    from cosem.types.data import DataValue

__all__ = ["AsyncServices"]


class AsyncServices(AsyncBase):
    """Reads, writes and calls by any name that a caller may use."""

    async def _request(self, operation: Callable[[ServiceContext], Conversation[Apdu]]) -> Apdu:
        """Return a request that wants no answer; where nothing is answered, without asking anything first."""
        if not self.parameters.confirmed:
            return self._without_asking(operation)
        return await self.run(operation)

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

        Raises:
            CosemError: An answer did not come, or the connection is lost. Its ``results`` say what came of the items,
                from the first on, as far as that is known; the meter may have taken some of the others, too.
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

        Raises:
            CosemError: An answer did not come, or the connection is lost. Its ``results`` say what came of the items,
                from the first on, as far as that is known; the meter may have called some of the others, too.
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

        Raises:
            CosemError: An answer did not come, or the connection is lost. Its ``results`` say what came of the items,
                from the first on, as far as that is known; the meter may have done some of the others, too.
        """
        from cosem.client.operations import batches

        return await self.run(
            lambda context: batches.access(context, self._session, items, break_on_error=break_on_error),
            progress=progress,
        )
