"""The profile that the documentation adds: any cut of the octets, and no more work for more units at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cosem.link.base import ApduReceived
from tests.test_documentation import blocks

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-profile.md"


class Counted(bytearray):
    """Octets that count how often some of them are taken away."""

    cuts = 0

    def __delitem__(self, key: Any) -> None:
        self.cuts += 1
        super().__delitem__(key)


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(blocks(PAGE, "python")[0], names)  # noqa: S102 -- the sample of a page
    return names


def apdus(link: Any) -> list[bytes]:
    found = []
    while (event := link.next_event()) is not None:
        assert isinstance(event, ApduReceived)
        assert type(event.apdu) is bytes
        found.append(event.apdu)
    return found


def test_the_sample_gives_the_same_in_any_cut(sample):
    pack = sample["UNIT"].pack
    octets = (
        pack(1, 3) + b"one" + pack(2, 5) + b"other" + pack(1, 0) + pack(1, 3) + b"two" + pack(1, 9) + b"rest"
    )
    for size in range(1, len(octets) + 1):
        link = sample["NodeClientLink"]()
        for start in range(0, len(octets), size):
            link.receive(octets[start : start + size], 0.0)
        assert apdus(link) == [b"one", b"", b"two"]


def test_the_sample_moves_its_octets_once_for_each_portion(sample):
    link = sample["NodeClientLink"]()
    link.octets = Counted()
    link.receive((sample["UNIT"].pack(1, 3) + b"one") * 1000, 0.0)
    assert apdus(link) == [b"one"] * 1000
    assert (link.octets, link.octets.cuts) == (b"", 1)
