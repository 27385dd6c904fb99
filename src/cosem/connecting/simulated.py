"""Simulated meters by name: the demonstration meter, a template, or the file of a meter.

``demo`` is the demonstration meter, ``template:three-phase`` or short ``three-phase`` one of
:func:`template_names`, and what ends in ``.toml`` or names a directory is a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from cosem.errors import ConfigurationError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from cosem.classes.meter_record import MeterRecord
    from cosem.security.counters import CounterStore
    from cosem.server.held_security import HeldSecurity
    from cosem.server.logical_device import LogicalDevice

__all__ = ["DEMONSTRATION", "is_file", "meter_maker", "record_of", "simulated", "template_names"]

DEMONSTRATION = "demo"
"""The name of the demonstration meter."""
_TEMPLATE = "template:"
_LONGEST_FILE = 256 * 1024 * 1024


def template_names() -> tuple[str, ...]:
    """Return the names of the templates.

    >>> "three-phase" in template_names()
    True
    """
    found = (each.name for each in _templates().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def _templates() -> Traversable:
    return files("cosem.server.simulation") / "templates"


def is_file(source: str) -> bool:
    """Return whether a meter is named by its file, and not by a template.

    >>> is_file("three-phase"), is_file("./meters/kitchen.toml")
    (False, True)
    """
    return not source.startswith(_TEMPLATE) and (source.endswith(".toml") or "/" in source or "\\" in source)


def record_of(source: str) -> MeterRecord:
    """Return the meter that a template or a file describes.

    Raises:
        ConfigurationError: There is no such template, or the file describes no meter; says where.
        OSError: The file cannot be read.
    """
    from cosem.translate.meter_file import meter_from_toml

    name = source.removeprefix(_TEMPLATE)
    if is_file(source):
        path = Path(source)
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
        if len(content) > _LONGEST_FILE:
            raise ConfigurationError(f"{source} is too long for a meter")
        try:
            return meter_from_toml(content.decode("utf-8"))
        except UnicodeDecodeError:
            raise ConfigurationError(f"{source}: no text in UTF-8") from None
        except ConfigurationError as error:
            raise ConfigurationError(f"{source}: {error}") from None
    if name not in template_names():
        raise ConfigurationError(
            f"{source!r} is no simulated meter; there are {DEMONSTRATION}, {', '.join(template_names())}, "
            "or a file NAME.toml"
        )
    return meter_from_toml((_templates() / f"{name}.toml").read_text(encoding="utf-8"))


def meter_maker(
    source: str,
    *,
    clock: Callable[[], datetime] | None = None,
    environment: Mapping[str, str] | None = None,
    counters: CounterStore | None = None,
    hold: Callable[..., HeldSecurity] | None = None,
) -> Callable[[int | None, int | None], LogicalDevice]:
    """Return what makes meters of one kind that differ by their seed: of a seed and an address, either may be ``None``.

    The file or template is read once. The arguments are those of
    :func:`cosem.server.simulation.building.simulated_meter`; ``hold`` is not for the demonstration meter.

    Raises:
        ConfigurationError: As for :func:`record_of`.
        OSError: The file cannot be read.
    """
    if source in {"", DEMONSTRATION}:
        from cosem.server.demonstration import demonstration_meter
        from cosem.server.device_time import utc_now

        def demonstration(seed: int | None, sap: int | None) -> LogicalDevice:
            meter = demonstration_meter(
                clock=clock or utc_now, seed=1 if seed is None else seed, counters=counters
            )
            if sap is not None:
                meter.sap, meter.neighbours = sap, {sap: meter}
            return meter

        return demonstration
    from cosem.server.simulation.building import simulated_meter

    record = record_of(source)

    def simulate(seed: int | None, sap: int | None) -> LogicalDevice:
        try:
            return simulated_meter(
                record,
                clock=clock,
                seed=seed,
                sap=sap,
                environment=environment,
                counters=counters,
                hold=hold,
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"{source}: {error}") from None

    return simulate


def simulated(source: str = DEMONSTRATION, *, seed: int | None = None) -> LogicalDevice:
    """Return a simulated meter.

    Raises:
        ConfigurationError: As for :func:`record_of`, or a secret of the meter is not where the file says.
        OSError: The file cannot be read.

    >>> simulated("water")["8-0:1.0.0"].title
    'Register'
    """
    return meter_maker(source)(seed, None)
