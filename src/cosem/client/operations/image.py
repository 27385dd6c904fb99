"""Image transfer: a file in blocks, only those that are missing (Blue Book, class_id 18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cosem.association.context import Conversation, ServiceContext
from cosem.classes.standard.image_transfer import ImageTransferStatus
from cosem.client.operations.attributes import get
from cosem.client.operations.methods import call
from cosem.client.session import Session
from cosem.client.targets import Target
from cosem.errors import AccessError, ConfigurationError, ProtocolError, StateError
from cosem.types.data import BitString, DoubleLongUnsigned, OctetString, Structure
from cosem.types.logical_name import LogicalName

__all__ = ["IMAGE_TRANSFER", "image_names", "image_status", "transfer_image"]

IMAGE_TRANSFER: Final = LogicalName("0.0.44.0.0.255")
"""Where meters usually have their image transfer."""
_CLASS: Final = 18
_BLOCK_SIZE, _BLOCKS, _FIRST_MISSING, _ENABLED, _STATUS, _INFO = 2, 3, 4, 5, 6, 7
_INITIATE, _TRANSFER = 1, 2
_RESUMED: Final = frozenset(
    {
        ImageTransferStatus.INITIATED,
        ImageTransferStatus.VERIFICATION_INITIATED,
        ImageTransferStatus.VERIFICATION_SUCCESSFUL,
    }
)
"""Where a transfer can be gone on with; what failed, or was activated, begins anew."""
_ROUNDS: Final = 3
"""So many times missing blocks are sent again before the transfer counts as failed."""


def image_status(
    context: ServiceContext, session: Session, target: Target = IMAGE_TRANSFER
) -> Conversation[ImageTransferStatus]:
    """Read how far the meter is.

    Raises:
        AccessError: The meter refused it.
    """
    value = yield from _number(context, session, target, _STATUS)
    return ImageTransferStatus(value)


def transfer_image(
    context: ServiceContext,
    session: Session,
    image: bytes,
    identifier: bytes,
    target: Target = IMAGE_TRANSFER,
    *,
    resume: bool = False,
    step: Callable[[int, int], None] = lambda _done, _all: None,
) -> Conversation[int]:
    """Send an image, and return how many blocks were sent; afterwards the meter has all of them.

    Args:
        context: The association.
        session: What is known of the meter.
        image: The octets.
        identifier: The name of the image.
        target: The object.
        resume: Whether a transfer that was begun goes on: only the blocks that its bitmap lacks are sent. Most meters
            do not tell which image was begun before it is verified: make sure that it was this one. A meter that
            names another one begins anew. One that has verified an image of this name and this size gets nothing.
        step: Told of how many blocks the meter has, and how many there are.

    Raises:
        StateError: Image transfer is not enabled in the meter.
        ActionError: The meter refused the image, or a block.
        ProtocolError: The meter says nonsense, or lacks blocks however often they are sent.
        ConfigurationError: The image is empty.
    """
    if not image:
        raise ConfigurationError("the image is empty")
    if not (yield from get(context, session, target, _ENABLED, _CLASS)):
        raise StateError("disabled", "image transfer")
    size = yield from _number(context, session, target, _BLOCK_SIZE)
    if size <= 0:
        raise ProtocolError(f"the meter takes blocks of {size} octets")
    count = (len(image) + size - 1) // size
    missing = (yield from _left(context, session, target, image, identifier, count)) if resume else None
    if missing is not None and not missing:
        step(count, count)
        return 0
    if missing is None:
        parameter = Structure((OctetString(identifier), DoubleLongUnsigned(len(image))))
        yield from call(context, session, target, _INITIATE, parameter, _CLASS)
        missing = list(range(count))
    sent = 0
    for _ in range(_ROUNDS):
        have = count - len(missing)
        step(have, count)
        for number in missing:
            octets = OctetString(image[number * size : (number + 1) * size])
            block = Structure((DoubleLongUnsigned(number), octets))
            yield from call(context, session, target, _TRANSFER, block, _CLASS)
            sent += 1
            have += 1
            step(have, count)
        missing = _missing((yield from _blocks(context, session, target)), count)
        if not missing:
            return sent
    raise ProtocolError(f"the meter still lacks {len(missing)} of {count} blocks, block {missing[0]} first")


def _left(
    context: ServiceContext, session: Session, target: Target, image: bytes, identifier: bytes, count: int
) -> Conversation[list[int] | None]:
    """Return the blocks that a transfer which was begun has left; ``None`` if this image must begin anew."""
    status = yield from image_status(context, session, target)
    if status not in _RESUMED:
        return None
    held = yield from _held(context, session, target)
    if status is ImageTransferStatus.VERIFICATION_SUCCESSFUL:
        return [] if (len(image), identifier) in held else None
    bits = (
        ""
        if held and identifier not in {name for _, name in held}
        else (yield from _blocks(context, session, target))
    )
    # A bitmap may grow with the blocks that come: a shorter one can be of this image, a longer one cannot.
    missing = _missing(bits, count) if bits and len(bits) <= count else None
    # No block is taken any more while the image is verified.
    return None if missing and status is not ImageTransferStatus.INITIATED else missing


def image_names(
    context: ServiceContext, session: Session, target: Target = IMAGE_TRANSFER
) -> Conversation[tuple[bytes, ...]]:
    """Return the names of the images that the meter says it holds; none before it has verified one, as a rule."""
    return tuple(name for _, name in (yield from _held(context, session, target)))


def _held(context: ServiceContext, session: Session, target: Target) -> Conversation[list[tuple[int, bytes]]]:
    """Return sizes and names of the images that the meter says it holds."""
    try:
        held = yield from get(context, session, target, _INFO, _CLASS)
    except AccessError:
        return []
    return [
        (int(each[0]) if isinstance(each[0], int) else -1, bytes(each[1]))
        for each in (held if isinstance(held, tuple) else ())
        if isinstance(each, tuple) and len(each) > 1 and isinstance(each[1], bytes)
    ]


def _blocks(context: ServiceContext, session: Session, target: Target) -> Conversation[str]:
    """Return the bitmap of the blocks that the meter has."""
    bits = yield from get(context, session, target, _BLOCKS, _CLASS)
    if not isinstance(bits, BitString):
        raise ProtocolError(f"the bitmap of the blocks is no bit-string, but {type(bits).__name__}")
    return str(bits)


def _missing(bits: str, count: int) -> list[int]:
    """Return the blocks that a bitmap lacks: those that it says nothing about as well."""
    return [number for number, bit in enumerate(bits[:count].ljust(count, "0")) if bit == "0"]


def _number(context: ServiceContext, session: Session, target: Target, attribute: int) -> Conversation[int]:
    value = yield from get(context, session, target, attribute, _CLASS)
    if not isinstance(value, int):
        raise ProtocolError(f"image transfer attribute {attribute} is no number, but {type(value).__name__}")
    return int(value)
