"""Image transfer: firmware in blocks, verified, then activated.

(Blue Book, class_id 18)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = [
    "ImageBlock",
    "ImageToActivateInfo",
    "ImageTransfer",
    "ImageTransferInitiate",
    "ImageTransferStatus",
]


class ImageTransferStatus(OpenEnumeration):
    """How far the transfer got."""

    NOT_INITIATED = 0
    INITIATED = 1
    VERIFICATION_INITIATED = 2
    VERIFICATION_SUCCESSFUL = 3
    VERIFICATION_FAILED = 4
    ACTIVATION_INITIATED = 5
    ACTIVATION_SUCCESSFUL = 6
    ACTIVATION_FAILED = 7


class ImageToActivateInfo(Structured):
    """One image that the transferred file holds: its size in octets, its name and its signature."""

    image_to_activate_size: int = member("double-long-unsigned")
    image_to_activate_identification: bytes = member("octet-string")
    image_to_activate_signature: bytes = member("octet-string")


class ImageTransferInitiate(Structured):
    """What is going to be sent: a name, and how many octets."""

    image_identifier: bytes = member("octet-string")
    image_size: int = member("double-long-unsigned")


class ImageBlock(Structured):
    """One block of the image, numbered from 0."""

    image_block_number: int = member("double-long-unsigned")
    image_block_value: bytes = member("octet-string")


class ImageTransfer(
    InterfaceClass,
    class_id=18,
    version=0,
    title="Image transfer",
    status="current",
    confidence="high",
    logical_names=("0.0.44.0.e.255",),
):
    """Image transfer (class_id 18, version 0): a firmware image, or any other file, in blocks.

    Initiate, send the blocks in any order, check that none is missing, verify, activate. The bit of
    block 0 is the first one of ``image_transferred_blocks_status``.
    """

    image_block_size = Attribute(2, "double-long-unsigned")
    image_transferred_blocks_status = Attribute(3, "bit-string", nature="dynamic")
    image_first_not_transferred_block_number = Attribute(4, "double-long-unsigned", nature="dynamic")
    image_transfer_enabled = Attribute(5, "boolean", access="rw")
    image_transfer_status = Attribute(6, "enum", ImageTransferStatus, nature="dynamic")
    image_to_activate_info = Attribute(7, array_of(ImageToActivateInfo), nature="dynamic")

    image_transfer_initiate = Method(1, ImageTransferInitiate, mandatory=True, short_name_offset=0x40)
    image_block_transfer = Method(2, ImageBlock, mandatory=True, short_name_offset=0x48)
    image_verify = Method(3, mandatory=True, short_name_offset=0x50)
    image_activate = Method(4, mandatory=True, short_name_offset=0x58)
