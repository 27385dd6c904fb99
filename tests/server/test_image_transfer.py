"""Image transfer: any order, nothing missing, verified, activated; and everything that may go wrong."""

from __future__ import annotations

import asyncio
import random

import pytest

from cosem.server import make_object
from cosem.server.objects.image_transfer import ImageTransferObject
from cosem.types.data import Array, BitString, DoubleLongUnsigned, Enum, Integer, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, meter

NAME = "0.0.44.0.0.255"
IMAGE = bytes(range(250)) * 2
OK, OTHER = ActionResult.SUCCESS, ActionResult.OTHER_REASON


class Transfer:
    """An image of 500 octets in blocks of 200."""

    def __init__(self, **facts):
        self.target = ImageTransferObject(**facts)
        self.client = Client(meter(self.target))

    def initiate(self, size: int = len(IMAGE)) -> ActionResult:
        parameters = Structure((OctetString(b"firmware 2"), DoubleLongUnsigned(size)))
        return self.client.call(18, NAME, 1, parameters).result

    def block(self, number: int, octets: bytes | None = None) -> ActionResult:
        value = IMAGE[number * 200 : number * 200 + 200] if octets is None else octets
        return self.client.call(
            18, NAME, 2, Structure((DoubleLongUnsigned(number), OctetString(value)))
        ).result

    def call(self, method: int):
        outcome = self.client.call(18, NAME, method, Integer(0))
        return getattr(outcome, "result", outcome)

    def get(self, number: int):
        return self.client.get(18, NAME, number)

    def complete(self) -> None:
        assert [self.initiate(), *(self.block(number) for number in range(3))] == [OK] * 4


def test_blocks_come_in_any_order_and_more_than_once():
    transfer = Transfer()
    assert transfer.initiate() is OK
    assert transfer.get(3) == BitString.from_text("000")
    seen = []
    for number in (2, 0, 2, 1):
        assert transfer.block(number) is OK
        seen.append((str(transfer.get(3)), int(transfer.get(4))))
    assert seen == [("001", 0), ("101", 1), ("101", 1), ("111", 3)]
    assert transfer.target.image == IMAGE


@pytest.mark.parametrize("seed", range(5))
def test_any_order_gives_the_same_image(seed):
    transfer = Transfer(image_block_size=7)
    numbers = list(range((len(IMAGE) + 6) // 7))
    random.Random(seed).shuffle(numbers)
    transfer.initiate()
    for number in numbers:
        transfer.block(number, IMAGE[7 * number : 7 * number + 7])
    assert transfer.target.image == IMAGE


def test_verify_and_activate():
    activated = []
    transfer = Transfer(
        verify=lambda image: image == IMAGE,
        activate=lambda identifier, image: activated.append((identifier, image)) or True,
        signature=lambda image: image[:4],
    )
    transfer.complete()
    assert transfer.call(3) is OK
    assert transfer.get(6) == Enum(3)
    info = Structure((DoubleLongUnsigned(500), OctetString(b"firmware 2"), OctetString(IMAGE[:4])))
    assert transfer.get(7) == Array((info,))
    assert transfer.call(4) is OK
    assert transfer.get(6) == Enum(6)
    assert activated == [(b"firmware 2", IMAGE)]


def test_activating_verifies_first():
    transfer = Transfer()
    transfer.complete()
    assert transfer.call(4) is OK
    assert transfer.get(6) == Enum(6)


def test_an_image_that_is_bad_is_neither_verified_nor_activated():
    transfer = Transfer(verify=lambda image: False)
    transfer.complete()
    assert transfer.call(3) is OTHER
    assert transfer.get(6) == Enum(4)
    assert transfer.call(4) is OTHER
    assert transfer.get(7) == Array(())


def test_an_activation_that_fails_says_so():
    transfer = Transfer(activate=lambda identifier, image: False)
    transfer.complete()
    assert transfer.call(4) is OTHER
    assert transfer.get(6) == Enum(7)


def test_a_step_that_raises_has_failed():
    def broken(image):
        raise ZeroDivisionError

    transfer = Transfer(verify=broken)
    transfer.complete()
    with pytest.raises(ZeroDivisionError):
        transfer.call(3)
    assert transfer.get(6) == Enum(4)


def test_steps_may_take_their_time_and_are_asked_after_meanwhile():
    gate = asyncio.Event()

    async def verify(image):
        await gate.wait()
        return image == IMAGE

    async def activate(identifier, image):
        return True

    transfer = Transfer(verify=verify, activate=activate)
    transfer.complete()

    async def run():
        running = asyncio.ensure_future(transfer.call(4))
        await asyncio.sleep(0)
        assert transfer.get(6) == Enum(2)
        assert transfer.call(3) is ActionResult.TEMPORARY_FAILURE
        assert transfer.call(4) is ActionResult.TEMPORARY_FAILURE
        gate.set()
        return (await running).result

    assert asyncio.run(run()) is OK
    assert transfer.get(6) == Enum(6)


def test_incomplete_images_are_not_verified():
    transfer = Transfer()
    assert transfer.call(3) is OTHER
    transfer.initiate()
    transfer.block(0)
    assert (transfer.call(3), transfer.call(4)) == (OTHER, OTHER)
    assert transfer.get(6) == Enum(1)


@pytest.mark.parametrize(
    ("number", "octets"),
    [(3, b""), (0xFFFFFFFF, bytes(200)), (0, bytes(199)), (0, bytes(201)), (2, bytes(200)), (0, b"")],
)
def test_blocks_that_do_not_fit_are_refused(number, octets):
    transfer = Transfer()
    transfer.initiate()
    assert transfer.block(number, octets) is OTHER
    assert str(transfer.get(3)) == "000"


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 4 * 1024 * 1024 + 1])
def test_images_of_no_size_or_too_large_are_refused(size):
    assert Transfer().initiate(size) is OTHER


def test_initiating_begins_from_scratch():
    transfer = Transfer()
    transfer.complete()
    transfer.call(3)
    assert transfer.initiate(10) is OK
    assert (transfer.get(6), str(transfer.get(3)), transfer.get(7)) == (Enum(1), "0", Array(()))


def test_switched_off_it_takes_nothing():
    transfer = Transfer()
    transfer.complete()
    assert transfer.client.set(18, NAME, 5, False) is DataAccessResult.SUCCESS
    assert (transfer.get(6), transfer.initiate(), transfer.block(0)) == (Enum(0), OTHER, OTHER)
    assert transfer.client.set(18, NAME, 5, True) is DataAccessResult.SUCCESS
    assert transfer.initiate() is OK


def test_it_is_made_by_number_too():
    assert isinstance(make_object(18, NAME), ImageTransferObject)
