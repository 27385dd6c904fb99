"""What a blocking client does in several services: readings with units, the clock, everything there is, images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from cosem.association.context import no_progress
from cosem.client.blocking.base import BlockingBase

if TYPE_CHECKING:
    from cosem.association.context import Progress
    from cosem.classes.meter_record import MeterRecord
    from cosem.client.operations.resolving import AttributeItem
    from cosem.client.results import ObjectEntry, Reading, Result
    from cosem.client.targets import AttributeLike, ClassLike, Target
    from cosem.types.date_time import DateTime

__all__ = ["BlockingComforts"]


class BlockingComforts(BlockingBase):
    """Does in one call what takes several services."""

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
