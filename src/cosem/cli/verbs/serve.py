"""Be a meter: serve the demonstration meter to any client until stopped.

One line with the address is printed when clients can connect. Ctrl-C or SIGTERM stop it: requests that are being
served are answered first. The clients of the demonstration meter are

  --client 16                        may read; the default
  --client 17 --password 12345678    may read
  --client 1  --password 87654321    may read, write and call
  --client 2  --keys demo            the same, and change keys: HLS-GMAC, ciphered

and each may refer to its objects by logical names or, with --short-names, by short names. With --keys FILE client 2
uses the keys of the file, in place of those that everybody knows, and what it changes of them is written there.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cosem.cli.connection import converter, quiet_logging
from cosem.cli.security import add_key_file_options, entry_of

if TYPE_CHECKING:
    from cosem.server import HeldSecurity

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem serve", "on port 4059 of this machine"),
    ("cosem serve --listen tcp://127.0.0.1:0 --json", "on any free port; JSON says which"),
    ("cosem serve --listen tcp://0.0.0.0:4059", "for every machine that reaches this one"),
    (
        "cosem serve --listen 'pty:?mode_e=1' --listen hdlc+tcp://127.0.0.1:0",
        "an optical head; HDLC over TCP",
    ),
)
_DEFAULT: Final = "tcp://127.0.0.1:4059"


def _url(text: str) -> str:
    from cosem.server import Server

    Server([]).listen(text)
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "--listen",
        metavar="URL",
        action="append",
        type=converter(_url),
        help="tcp://HOST:PORT, udp://HOST:PORT (wrapper), hdlc+tcp://HOST:PORT, serial:///dev/ttyUSB0 (HDLC) or "
        "pty: for a pseudo-terminal; port 0 is any that is free, ?mode_e=1 answers a sign-on; may be given several "
        f"times (default {_DEFAULT})",
    )
    add_key_file_options(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    security = _security(options)
    with quiet_logging():
        asyncio.run(_serve(options.listen or [_DEFAULT], security, as_json=options.json))
    return 0


def _security(options: argparse.Namespace) -> HeldSecurity | None:
    """Return the security of client 2 by a key file; ``None`` for the published keys.

    Raises:
        ConfigurationError: The keys cannot be read, or must not be used.
        KeyMissingError: The encryption key is missing.
    """
    entry = entry_of(options)
    if entry is None or entry.store is None:
        return None
    from cosem.security.demonstration import demonstration_keys
    from cosem.security.key_material import KeyRole
    from cosem.security.keys import Keys
    from cosem.server import HeldSecurity

    store, name = entry.store, entry.name
    title = Keys(suite=entry.keys.suite, server_title=demonstration_keys().server_title)
    keys = entry.keys.over(title)
    keys.required(KeyRole.GLOBAL_UNICAST_ENCRYPTION)
    return HeldSecurity(keys, on_change=lambda changed, _: store.put(name, changed))


async def _serve(urls: list[str], security: HeldSecurity | None, *, as_json: bool) -> None:
    from cosem.server import Server, demonstration_meter

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not here, or not the main thread
            loop.add_signal_handler(number, stopped.set)
    server = Server(demonstration_meter(security=security))
    for url in urls:
        server.listen(url)
    async with server:
        if as_json:
            from cosem.cli.output import print_json

            print_json({"url": server.address, "urls": list(server.addresses)})
        else:
            print(f"serving the demonstration meter at {' and '.join(server.addresses)}; Ctrl-C stops it")
        sys.stdout.flush()
        await stopped.wait()
