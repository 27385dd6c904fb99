"""Whoever wants to know is told how far a call has come while general blocks carry it."""

from __future__ import annotations

import asyncio

import pytest

import cosem
from cosem.association.client.blocks import BlockSettings
from cosem.client.batch import Read
from cosem.errors import TransportClosed
from cosem.server import serve_in_thread
from cosem.types.data import OctetString
from tests.client.test_later_services import LONG, NAMES, TEXT, device

ALWAYS = BlockSettings(always=True)


def test_progress_is_told_of_general_blocks_in_every_call():
    with (
        serve_in_thread(device(), "tcp://127.0.0.1:0") as address,
        cosem.connect(address, max_pdu_size=300, block_transfer=ALWAYS) as meter,
    ):
        for call in (
            lambda progress: meter.get(TEXT, progress=progress),
            lambda progress: meter.read(TEXT, class_id=1, progress=progress),
            lambda progress: meter.set(TEXT, 2, OctetString(LONG), progress=progress),
            lambda progress: meter.get_many([(name, 2, 3) for name in NAMES], progress=progress),
            lambda progress: meter.read_many([(name, 2, 3) for name in NAMES], progress=progress),
            lambda progress: meter.set_many([(TEXT, 2, OctetString(LONG), 1)] * 2, progress=progress),
            lambda progress: meter.access([Read(TEXT, 2, 1)] * 2, progress=progress),
        ):
            seen: list[int] = []
            call(seen.append)
            assert len(seen) > 1
            assert seen == sorted(seen)


def test_progress_is_told_of_general_blocks_to_who_awaits():
    async def test(address: str) -> list[int]:
        seen: list[int] = []
        async with cosem.connect_async(address, max_pdu_size=300, block_transfer=ALWAYS) as meter:
            await meter.get(TEXT, progress=seen.append)
            assert seen[-1] == 13 + len(LONG) + 8  # request and answer, whole
            await meter.get_many([(TEXT, 2, 1)] * 2, progress=seen.append)
        return seen

    with serve_in_thread(device(), "tcp://127.0.0.1:0") as address:
        assert max(asyncio.run(test(address))) > 2 * len(LONG)


def test_an_error_of_the_callers_own_progress_function_ends_a_transfer_in_general_blocks():
    def progress(octets):
        raise RuntimeError(f"{octets} are enough")

    with (
        serve_in_thread(device(), "tcp://127.0.0.1:0") as address,
        cosem.connect(address, max_pdu_size=300, block_transfer=ALWAYS) as meter,
    ):
        with pytest.raises(RuntimeError, match="are enough"):
            meter.get(TEXT, progress=progress)
        with pytest.raises(TransportClosed, match=r"a transfer in blocks was given up: .* are enough"):
            meter.get(NAMES[0], class_id=3)
        assert not meter.associated
