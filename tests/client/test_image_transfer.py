"""Images are sent in blocks, resumed where they broke off, verified and activated."""

from __future__ import annotations

import asyncio

import pytest

from cosem.classes.standard.image_transfer import ImageTransferStatus
from cosem.client.operations.image import image_status
from cosem.connecting import connect, connect_async
from cosem.errors import ActionError, ConfigurationError, ProtocolError, StateError
from cosem.server import AccessRights, ImageTransferObject, LogicalDevice, serve_in_thread
from cosem.types.data import BitString
from cosem.types.enumerations import ActionResult

IMAGE = bytes(range(256)) * 5


def meter(target):
    device = LogicalDevice("ABC0000000000001", objects=[target])
    device.add_association(16, AccessRights.full())
    return device


def test_an_image_arrives_whole_with_its_name():
    target = ImageTransferObject(image_block_size=100)
    steps = []
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        assert client.transfer_image(IMAGE, b"new", step=lambda *step: steps.append(step)) == 13
        status = client.run(lambda context: image_status(context, client._session))
        client.call("0-0:44.0.0", "image_verify")
        client.call("0-0:44.0.0", "image_activate")
        after = client.run(lambda context: image_status(context, client._session))
    assert (target.image, target.identifier) == (IMAGE, b"new")
    assert steps == [(number, 13) for number in range(14)]
    assert (int(status), int(after)) == (1, 6)


def test_an_image_arrives_by_asyncio():
    target = ImageTransferObject()

    async def send(url):
        async with connect_async(url) as client:
            return await client.transfer_image(IMAGE, b"new")

    with serve_in_thread(meter(target)) as url:
        assert asyncio.run(send(url)) == 7
    assert target.image == IMAGE


def test_only_what_is_missing_is_sent_again():
    target = ImageTransferObject(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        client.transfer_image(IMAGE, b"new")
        for number in (0, 5, 12):
            del target._blocks[number]
        assert client.transfer_image(IMAGE, b"new", resume=True) == 3
        assert target.image == IMAGE
        steps = []
        assert client.transfer_image(IMAGE, b"new", resume=True, step=lambda *step: steps.append(step)) == 0
        assert steps == [(13, 13)]
        assert client.transfer_image(IMAGE, b"new") == 13


def test_an_image_that_is_verified_is_not_sent_again_and_another_one_is():
    target = ImageTransferObject(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        client.transfer_image(IMAGE, b"new")
        client.call("0-0:44.0.0", "image_verify")
        assert client.transfer_image(IMAGE, b"new", resume=True) == 0
        assert target.image_transfer_status == ImageTransferStatus.VERIFICATION_SUCCESSFUL
        assert client.transfer_image(IMAGE, b"newer", resume=True) == 13
        client.call("0-0:44.0.0", "image_verify")
        assert client.transfer_image(IMAGE[:-1], b"newer", resume=True) == 13
        client.call("0-0:44.0.0", "image_activate")
        assert client.transfer_image(IMAGE[:-1], b"newer", resume=True) == 13


@pytest.mark.parametrize(("lost", "sent"), [((), 0), ((5,), 13)])
def test_while_an_image_is_verified_it_is_left_alone_if_it_is_whole(lost, sent):
    target = ImageTransferObject(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        client.transfer_image(IMAGE, b"new")
        for number in lost:
            del target._blocks[number]
        target.put("image_transfer_status", ImageTransferStatus.VERIFICATION_INITIATED)
        assert client.transfer_image(IMAGE, b"new", resume=True) == sent


def test_the_bitmap_of_another_image_is_not_trusted():
    target = ImageTransferObject(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        client.transfer_image(IMAGE * 2, b"other")
        assert client.transfer_image(IMAGE, b"new", resume=True) == 13
    assert (target.image, target.identifier) == (IMAGE, b"new")


def test_a_meter_that_says_which_image_was_begun_gets_another_one_from_the_beginning():
    class Telling(ImageTransferObject):
        def call_image_transfer_initiate(self, wanted):
            result = super().call_image_transfer_initiate(wanted)
            self.put("image_to_activate_info", [(wanted.image_size, wanted.image_identifier, b"")])
            return result

    target = Telling(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        client.transfer_image(IMAGE, b"old")
        del target._blocks[3]
        assert client.transfer_image(IMAGE, b"old", resume=True) == 1
        assert client.transfer_image(IMAGE[::-1], b"new", resume=True) == 13
    assert (target.image, target.identifier) == (IMAGE[::-1], b"new")


def test_blocks_that_the_meter_loses_are_sent_again_but_not_for_ever():
    class Forgetful(ImageTransferObject):
        lose = 1

        def get_image_transferred_blocks_status(self):
            if self.lose:
                self.lose -= 1
                self._blocks.pop(3, None)
            return super().get_image_transferred_blocks_status()

    target = Forgetful(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        assert client.transfer_image(IMAGE, b"new") == 14
        target.lose = 100
        with pytest.raises(ProtocolError, match="lacks 1 of 13 blocks, block 3 first"):
            client.transfer_image(IMAGE, b"new")


class Growing(ImageTransferObject):
    """Its bitmap ends with the last block that came; some blocks get lost although they are acknowledged."""

    lost: frozenset[int] = frozenset()
    initiated = 0

    def get_image_transferred_blocks_status(self):
        whole = str(super().get_image_transferred_blocks_status())
        return BitString.from_text(whole[: whole.rfind("1") + 1])

    def call_image_transfer_initiate(self, parameter):
        self.initiated += 1
        return super().call_image_transfer_initiate(parameter)

    def call_image_block_transfer(self, block):
        if block.image_block_number in self.lost:
            return ActionResult.SUCCESS
        return super().call_image_block_transfer(block)


def test_blocks_behind_the_end_of_a_bitmap_that_grows_are_missing():
    target = Growing(image_block_size=100)
    target.lost = frozenset({12})
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        with pytest.raises(ProtocolError, match="lacks 1 of 13 blocks, block 12 first"):
            client.transfer_image(IMAGE, b"new")
        target.lost = frozenset()
        assert client.transfer_image(IMAGE, b"new", resume=True) == 1
    assert (target.image, target.initiated) == (IMAGE, 1)


def test_a_bitmap_that_grows_is_gone_on_with():
    target = Growing(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        client.transfer_image(IMAGE, b"new")
        for number in (2, *range(6, 13)):
            del target._blocks[number]
        assert client.transfer_image(IMAGE, b"new", resume=True) == 8
    assert (target.image, target.initiated) == (IMAGE, 1)


def test_a_bitmap_that_is_too_long_hides_no_missing_block():
    target = Growing(image_block_size=100)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        target.getter("image_transferred_blocks_status")(
            lambda: BitString.from_text("".join("01"[n in target._blocks] for n in range(16)))
        )
        target.lost = frozenset({3})
        with pytest.raises(ProtocolError, match="lacks 1 of 13 blocks, block 3 first"):
            client.transfer_image(IMAGE, b"new")
        target.lost = frozenset()
        assert client.transfer_image(IMAGE, b"new", resume=True) == 13
    assert (target.image, target.initiated) == (IMAGE, 2)


def test_what_stands_in_the_way_is_said():
    target = ImageTransferObject(image_transfer_enabled=False, verify=lambda _: False)
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        with pytest.raises(ConfigurationError, match="empty"):
            client.transfer_image(b"", b"new")
        with pytest.raises(StateError, match="image transfer"):
            client.transfer_image(IMAGE, b"new")
        target.put("image_transfer_enabled", True)
        client.transfer_image(IMAGE, b"new")
        with pytest.raises(ActionError):
            client.call("0-0:44.0.0", "image_verify")


def test_nonsense_of_the_meter_is_an_error_of_the_protocol():
    target = ImageTransferObject()
    with serve_in_thread(meter(target)) as url, connect(url) as client:
        target.getter("image_block_size")(lambda: BitString.from_text("1"))
        with pytest.raises(ProtocolError, match="no number"):
            client.transfer_image(IMAGE, b"new")
        target.getter("image_block_size")(lambda: 0)
        with pytest.raises(ProtocolError, match="blocks of 0"):
            client.transfer_image(IMAGE, b"new")
