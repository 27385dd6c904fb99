"""What the verbs that talk to a meter have in common: their options, and the connection."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cosem.errors import ConfigurationError, ConversionError

if TYPE_CHECKING:
    from cosem.association.short_names.table import ShortNameTable
    from cosem.cli.security import Entry
    from cosem.cli.watching import ApduObserver, ProgressObserver
    from cosem.client.blocking import Client
    from cosem.client.security_base import SecurityOfClient
    from cosem.types.logical_name import LogicalName

__all__ = [
    "add_class_option",
    "add_connection_options",
    "connected",
    "converter",
    "logical_name",
    "password_of",
    "short_names_of",
]

T = TypeVar("T")
PASSWORD_VARIABLE: Final = "COSEM_PASSWORD"  # noqa: S105 -- the name of the variable, not a password
_LONGEST_PASSWORD: Final = 4096


def converter(function: Callable[[str], T]) -> Callable[[str], T]:
    """Return ``function`` for argparse: the errors that it raises are shown in their own words."""

    def convert(text: str) -> T:
        try:
            return function(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _logical_name(text: str) -> LogicalName:
    from cosem.cli.members import suggested
    from cosem.types.logical_name import LogicalName

    try:
        return LogicalName.parse(text)
    except ConversionError as error:
        raise ConfigurationError(f"{error}{suggested(text)}") from None


logical_name: Final = converter(_logical_name)
"""Reads the name of an object from a command line."""


def _address(text: str) -> str:
    from cosem.transport.url import parse_url

    parse_url(text)
    return text


def _number(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            number = int(text, 0)
        except ValueError:
            raise ConfigurationError(f"{text!r} is no number") from None
        if not low <= number <= high:
            raise ConfigurationError(f"{number} is outside {low}..{high}")
        return number

    return converter(convert)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no number of seconds") from None
    if not 0 < seconds <= 86400:
        raise ConfigurationError(f"{text} is not above 0 and at most 86400 seconds")
    return seconds


def _address_or_file(text: str) -> str:
    return text if text.endswith(".toml") and "://" not in text else _address(text)


def add_connection_options(parser: argparse.ArgumentParser, *, files: bool = False) -> None:
    """Declare the meter's URL and the options of the association.

    Args:
        parser: Of the verb.
        files: Whether the file of a dump does as well as a URL.
    """
    parser.add_argument(
        "url",
        metavar="METER" if files else "URL",
        type=converter(_address_or_file if files else _address),
        help="tcp://HOST[:4059], hdlc+tcp://HOST:PORT, serial:///dev/ttyUSB0?mode_e=1 and others, with options as "
        "?client=16&server=1; or sim: for the demonstration meter; cosem probe finds out"
        + (", or the file of a dump" if files else ""),
    )
    group = parser.add_argument_group("association")
    group.add_argument(
        "--client", metavar="N", type=_number(0, 0xFFFF), help="address of the client (default 16)"
    )
    group.add_argument(
        "--server", metavar="N", type=_number(0, 0xFFFF), help="address of the meter (default 1)"
    )
    group.add_argument(
        "--password",
        metavar="PASSWORD",
        help=f"low level security: text, hex:..., @FILE, env:NAME, or - to be asked; others can see what stands "
        f"in a command line. Default: the variable {PASSWORD_VARIABLE}",
    )
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=converter(_seconds),
        help="how long to wait for an answer (default 10); a read without one is repeated once, so that a silent meter "
        "takes twice as long (?retries=0 in the URL: never)",
    )
    group.add_argument(
        "--short-names", action="store_true", help="the meter refers to its objects by short names"
    )
    group.add_argument(
        "--base-names",
        metavar="FILE",
        help="short names, where the meter does not tell them: a line for each object with its base name in hexadecimal, "
        "class_id, version and logical name, such as FD00 1 0 0.0.42.0.0.255",
    )
    group.add_argument("--strict", action="store_true", help="refuse what deviates from the standard")
    group.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=0,
        help="show every APDU on standard error; -vv explains them",
    )
    from cosem.cli.recording import add_record_option

    add_record_option(group)
    from cosem.cli.security import add_security_options

    add_security_options(parser)


def add_class_option(
    parser: argparse.ArgumentParser,
    meaning: str = "class_id of the object; by default it is known from its name or looked up",
) -> None:
    """Declare the option that names an interface class."""
    parser.add_argument(
        "--class",
        dest="class_id",
        metavar="N",
        type=_number(0, 0xFFFF),
        help=meaning,
    )


def password_of(given: str | None) -> bytes | None:
    """Return the password that an option or the environment gives; ``None`` for none.

    Raises:
        ConfigurationError: It cannot be had. Its text never holds the password.
        OSError: The file cannot be read.
    """
    if given is None:
        given = os.environ.get(PASSWORD_VARIABLE)
        if given is None:
            return None
        return os.fsencode(given)
    if given == "-":
        return _asked()
    if given.startswith("@"):
        with Path(given[1:]).open("rb") as file:
            content = file.read(_LONGEST_PASSWORD + 1)
        if len(content) > _LONGEST_PASSWORD:
            raise ConfigurationError(f"{given[1:]} is too long for a password")
        return content.removesuffix(b"\n").removesuffix(b"\r")
    if given.startswith("env:"):
        value = os.environ.get(given[4:])
        if value is None:
            raise ConfigurationError(f"the variable {given[4:]} of the password is not set")
        return os.fsencode(value)
    if given.startswith("hex:"):
        try:
            return bytes.fromhex(given[4:])
        except ValueError:
            raise ConfigurationError("the password after hex: is not hexadecimal") from None
    return os.fsencode(given)


def short_names_of(options: argparse.Namespace) -> bool | ShortNameTable | None:
    """Return whether objects have short names, or the base names in a file; ``None`` leaves it to the URL.

    Raises:
        ConfigurationError: The file holds something else.
        OSError: It cannot be read.
    """
    if options.base_names is None:
        return options.short_names or None
    from cosem.association.short_names.table import ShortNameTable

    try:
        return ShortNameTable.from_text(Path(options.base_names).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{options.base_names}: {error}") from None


def _asked() -> bytes:
    """Return the password that a person types, or the first line of standard input."""
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed: no password can be asked")
    if sys.stdin.isatty():
        import getpass

        return os.fsencode(getpass.getpass("password: "))
    return os.fsencode(sys.stdin.readline(_LONGEST_PASSWORD).rstrip("\r\n"))


def _refuse_file(url: str) -> None:
    """Say of a file that it is none: its name would be looked up as that of a host."""
    if "://" in url or url.startswith(("sim:", "serial:", "/dev/")) or url.endswith(".toml"):
        return
    found = False
    with suppress(OSError, ValueError):  # no name that a file could have
        found = Path(url).is_file()
    if found:
        raise ConfigurationError(
            f"{url} is a file, not a meter: a URL is wanted, or sim:NAME.toml for the file of one"
        )


@contextmanager
def connected(options: argparse.Namespace) -> Iterator[Client]:
    """Give a client of the meter that the options name; the association is released at the end."""
    from cosem.cli.recording import Observers, recorded
    from cosem.cli.security import entry_of
    from cosem.connecting import connect

    _refuse_file(options.url)
    entry = entry_of(options, options.url)
    password = _password(options, entry)
    short_names = short_names_of(options)
    secret = entry.keys.password if entry is not None else None
    known = password if secret is None else secret.octets
    shown = _observer(options.verbose, known)
    simulated = options.url.lstrip().lower().startswith("sim:")
    try:
        with quiet_logging() if simulated or entry is not None else nullcontext(), ExitStack() as stack:
            recorder = stack.enter_context(recorded(options, (known, password)))
            observers = [each for each in (shown, recorder) if each is not None]
            observer = Observers(observers) if len(observers) > 1 else next(iter(observers), None)
            meter = _opened(
                options,
                entry,
                password,
                lambda security: connect(
                    options.url,
                    client=options.client,
                    server=options.server,
                    password=None if security is not None else password,
                    security=security,
                    timeouts=options.timeout,
                    strict=options.strict or None,
                    short_names=short_names,
                    read_counter=options.read_counter or (entry is not None and entry.store is None),
                    observer=observer,
                ),
            )
            yield stack.enter_context(meter)
    finally:
        if shown is not None:
            shown.close()


def _password(options: argparse.Namespace, entry: Entry | None) -> bytes | None:
    """Return the password; that of the environment only where nothing else is said."""
    if options.password is None and (entry is not None or options.auth not in (None, "lls")):
        return None
    return password_of(options.password)


def _opened(
    options: argparse.Namespace,
    entry: Entry | None,
    password: bytes | None,
    opening: Callable[[SecurityOfClient | None], Client],
) -> Client:
    """Return an open client; keys that wait for their proof are tried before those in use."""
    from cosem.cli.security import security_of
    from cosem.client.operations.keys_at_rest import waits

    security = security_of(options, entry, password)
    if security is None or entry is None or entry.store is None:
        return opening(security)
    if not waits(entry.store, entry.name):
        return opening(security)
    from cosem.connecting.key_store import open_with

    return open_with(entry.store, entry.name, entry.keys, lambda keys: opening(security.with_keys(keys)))


def _observer(verbose: int, password: bytes | None) -> ApduObserver | ProgressObserver | None:
    """Return what is shown while the connection works: nothing where nobody looks."""
    if verbose:
        from cosem.cli.watching import ApduObserver

        return ApduObserver(password, explained=verbose > 1)
    if sys.stderr is not None and sys.stderr.isatty():
        from cosem.cli.watching import ProgressObserver

        return ProgressObserver()
    return None


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Let what the library logs be one line each, without tracebacks unless they are asked for."""
    import logging

    class OneLine(logging.Formatter):
        def formatException(self, ei: Any) -> str:
            return f"{ei[0].__name__}: {ei[1]}" if ei and ei[0] is not None else ""

        def format(self, record: logging.LogRecord) -> str:
            return " ".join(super().format(record).split())

    debug = os.environ.get("COSEM_DEBUG")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter() if debug else OneLine("cosem: %(message)s"))
    library = logging.getLogger("cosem")
    before = library.propagate
    library.addHandler(handler)
    library.propagate = False
    try:
        yield
    finally:
        library.removeHandler(handler)
        library.propagate = before
