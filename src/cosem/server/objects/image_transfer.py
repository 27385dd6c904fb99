"""Image transfer at the server: blocks in, verified, activated (Blue Book, class_id 18).

Nothing of an image is ever run: what activating means is up to the application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from cosem.classes.standard.image_transfer import (
    ImageBlock,
    ImageTransfer,
    ImageTransferInitiate,
    ImageTransferStatus,
)
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable, then
from cosem.types.data import BitString
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["ImageTransferObject"]

_S = ImageTransferStatus
_DEFAULT_BLOCK: Final = 200


class ImageTransferObject(CosemObject, ImageTransfer):
    """Takes an image in blocks of any order; enabled when it is made, unless told otherwise.

    Args:
        logical_name: Its name.
        verify: Returns whether an image is good; may be a coroutine function.
        activate: Takes the identifier and the image, and returns whether it runs now; may be a coroutine function.
        signature: Returns the signature that image_to_activate_info shows.
        most_octets: Longest image that is taken.
        values: See :class:`~cosem.server.objects.base.CosemObject`.

    Attributes:
        identifier: Name of the image that is transferred.
    """

    def __init__(
        self,
        logical_name: LogicalName | str = "0.0.44.0.0.255",
        *,
        verify: Callable[[bytes], bool | Awaitable[bool]] = bool,
        activate: Callable[[bytes, bytes], bool | Awaitable[bool]] = lambda _identifier, _image: True,
        signature: Callable[[bytes], bytes] = lambda _image: b"",
        most_octets: int = 4 * 1024 * 1024,
        **values: Any,
    ) -> None:
        self._verify = verify
        self._activate = activate
        self._signature = signature
        self._most_octets = most_octets
        self._size = 0
        self._blocks: dict[int, bytes] = {}
        self.identifier = b""
        values.setdefault("image_block_size", _DEFAULT_BLOCK)
        values.setdefault("image_transfer_enabled", True)
        super().__init__(logical_name, **values)

    # --- what is there ------------------------------------------------------------------------------

    @property
    def image(self) -> bytes:
        """The octets so far, in order, without what is missing."""
        return b"".join(self._blocks[number] for number in sorted(self._blocks))

    @property
    def _count(self) -> int:
        block = int(self.image_block_size)
        return (self._size + block - 1) // block

    @property
    def _complete(self) -> bool:
        return self._size > 0 and len(self._blocks) == self._count

    def _length_of(self, number: int) -> int:
        block = int(self.image_block_size)
        return min(block, self._size - number * block)

    def get_image_transferred_blocks_status(self) -> BitString:
        """Return a bit for each block, block 0 first."""
        return BitString.from_text("".join("1" if n in self._blocks else "0" for n in range(self._count)))

    def get_image_first_not_transferred_block_number(self) -> int:
        """Return the lowest number that is missing; the number of blocks when none is."""
        return next((number for number in range(self._count) if number not in self._blocks), self._count)

    def set_image_transfer_enabled(self, value: bool) -> DataAccessResult:
        """Switch the process on or off; off forgets what was transferred."""
        self.put("image_transfer_enabled", value)
        if not value:
            self._begin(b"", 0, _S.NOT_INITIATED)
        return DataAccessResult.SUCCESS

    def _begin(self, identifier: bytes, size: int, status: ImageTransferStatus) -> None:
        self.identifier, self._size = bytes(identifier), int(size)
        self._blocks.clear()
        self.put("image_to_activate_info", ())
        self.put("image_transfer_status", status)

    # --- the process ----------------------------------------------------------------------------------

    def call_image_transfer_initiate(self, wanted: ImageTransferInitiate) -> ActionResult:
        """Begin from scratch, whatever was going on."""
        if not self.image_transfer_enabled or not 0 < wanted.image_size <= self._most_octets:
            return ActionResult.OTHER_REASON
        self._begin(wanted.image_identifier, wanted.image_size, _S.INITIATED)
        return ActionResult.SUCCESS

    def call_image_block_transfer(self, block: ImageBlock) -> ActionResult:
        """Take a block: any order, repeats allowed."""
        number, octets = int(block.image_block_number), bytes(block.image_block_value)
        if self.image_transfer_status != _S.INITIATED or not 0 <= number < self._count:
            return ActionResult.OTHER_REASON
        if len(octets) != self._length_of(number):
            return ActionResult.OTHER_REASON
        self._blocks[number] = octets
        return ActionResult.SUCCESS

    def call_image_verify(self) -> Outcome[ActionResult]:
        """Verify the image when no block is missing."""
        if self.image_transfer_status == _S.VERIFICATION_INITIATED:
            return ActionResult.TEMPORARY_FAILURE
        if not self._complete or self.image_transfer_status >= _S.ACTIVATION_INITIATED:
            return ActionResult.OTHER_REASON
        self.put("image_transfer_status", _S.VERIFICATION_INITIATED)
        image = self.image
        return self._guarded(self._verify, (image,), self._verified, _S.VERIFICATION_FAILED)

    def _verified(self, good: bool) -> ActionResult:
        if self.image_transfer_status != _S.VERIFICATION_INITIATED:
            return ActionResult.OTHER_REASON  # begun anew, or switched off, meanwhile
        self.put("image_transfer_status", _S.VERIFICATION_SUCCESSFUL if good else _S.VERIFICATION_FAILED)
        if not good:
            return ActionResult.OTHER_REASON
        self.put("image_to_activate_info", [(self._size, self.identifier, self._signature(self.image))])
        return ActionResult.SUCCESS

    def call_image_activate(self) -> Outcome[ActionResult]:
        """Activate the image, verified first if it was not."""
        status = self.image_transfer_status
        if status in (_S.VERIFICATION_INITIATED, _S.ACTIVATION_INITIATED):
            return ActionResult.TEMPORARY_FAILURE
        if status == _S.VERIFICATION_SUCCESSFUL:
            return self._activated_now()
        if status != _S.INITIATED:
            return ActionResult.OTHER_REASON
        return _chained(self.call_image_verify(), self._activated_now)

    def _activated_now(self) -> Outcome[ActionResult]:
        self.put("image_transfer_status", _S.ACTIVATION_INITIATED)
        return self._guarded(
            self._activate, (self.identifier, self.image), self._activated, _S.ACTIVATION_FAILED
        )

    def _activated(self, good: bool) -> ActionResult:
        self.put("image_transfer_status", _S.ACTIVATION_SUCCESSFUL if good else _S.ACTIVATION_FAILED)
        return ActionResult.SUCCESS if good else ActionResult.OTHER_REASON

    def _guarded(
        self,
        step: Callable[..., Any],
        arguments: tuple[Any, ...],
        finish: Callable[[bool], ActionResult],
        failed: ImageTransferStatus,
    ) -> Outcome[ActionResult]:
        """Run a step of the application; one that raises has failed."""
        try:
            return then(step(*arguments), finish)
        except Exception:
            self.put("image_transfer_status", failed)
            raise


def _chained(
    first: Outcome[ActionResult], following: Callable[[], Outcome[ActionResult]]
) -> Outcome[ActionResult]:
    if is_awaitable(first):
        return _chained_later(first, following)
    return following() if first is ActionResult.SUCCESS else first


async def _chained_later(
    first: Awaitable[ActionResult], following: Callable[[], Outcome[ActionResult]]
) -> ActionResult:
    result = await first
    if result is not ActionResult.SUCCESS:
        return result
    outcome: Any = following()
    return ActionResult(await outcome if is_awaitable(outcome) else outcome)
