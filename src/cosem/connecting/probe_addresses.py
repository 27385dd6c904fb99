"""The addresses that probing tries, and how they are written: as options, as a URL, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.transport.url import Address

if TYPE_CHECKING:
    from cosem.link.hdlc import HdlcAddress

__all__ = ["forms_of_address", "in_words", "options_of", "url_of", "with_options"]

_LOWER: Final = (17, 16, 1)
"""Addresses of physical devices that makers like."""


def forms_of_address(address: Address, server: int) -> list[HdlcAddress]:
    """Return the forms of address to try: one octet, whoever is there, and what makers like."""
    from cosem.link.hdlc import ALL_STATION, HdlcAddress

    size = address.number("address_size", 0)
    if "physical" in address.options:
        lower = address.number("physical", 0)
        return [
            HdlcAddress(server, lower, each)
            for each in ((size,) if size else (2, 4))
            if each == 4 or max(lower, server) < 0x80
        ]
    forms = [HdlcAddress(server, None, 1)] if server < 0x80 and size in {0, 1} else []
    wide = [each for each in (2, 4) if size in {0, each} and (each == 4 or server < 0x80)]
    forms += [HdlcAddress(server, ALL_STATION if each == 4 else 0x7F, each) for each in wide]
    return forms + [HdlcAddress(server, lower, each) for each in wide for lower in _LOWER]


def with_options(address: Address, **options: Any) -> Address:
    """Return an address with more options."""
    return replace(address, options=address.options | {name: str(value) for name, value in options.items()})


def url_of(address: Address) -> str:
    """Return the URL of an address, with its options."""
    query = "&".join(f"{name}={value}" for name, value in address.options.items())
    return f"{address}?{query}" if query else str(address)


def options_of(found: HdlcAddress) -> dict[str, Any]:
    """Return the options that say where a meter answered; none for an address of one octet."""
    if found.size == 1:
        return {}
    return {"physical": found.lower, "address_size": found.size}


def in_words(address: HdlcAddress) -> str:
    """Return an address in words."""
    if address.size == 1:
        return f"server {address.upper} in 1 octet"
    lower = "any physical device" if address.is_all_station else f"physical device {address.lower}"
    return f"server {address.upper}, {lower} in {address.size} octets"
