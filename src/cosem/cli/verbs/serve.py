"""Be a meter: serve the demonstration meter, or one of a file or template, to any client until stopped.

One line with the address is printed when clients can connect. Ctrl-C or SIGTERM stop it: requests that are being
served are answered first. The clients of the demonstration meter are

  --client 16                        may read; the default
  --client 17 --password 12345678    may read
  --client 1  --password 87654321    may read, write and call
  --client 2  --keys demo            the same, and change keys; ciphered

and each may refer to its objects by logical names or, with --short-names, by short names. With --keys FILE client 2
uses the keys of the file, in place of those that everybody knows, and what it changes of them is written there.

METER is a file that cosem dump wrote or somebody edited, or a template: single-phase, three-phase, gas-mbus, water,
short-names, dsmr-like or idis-like. With --keys FILE the association that ciphers takes its keys from the file, in
place of those that METER names, and clients change them there. With --count there are many, each with premises and a
serial number of its own, at as many ports from the given one on or, with --by server, behind one port at the server
addresses from 1 on.

With --replay it is the meter of a recording (made by --record): what was asked in it gets what was answered, in
whatever portions a client asks, and what the recording has no answer for is told on standard error, once. With --keys
what was ciphered is played, too, and ciphered anew.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import converter, quiet_logging
from cosem.cli.recording import RecordingFile, add_record_option
from cosem.cli.security import Entry, add_key_file_options, entry_of
from cosem.connecting.simulated import DEMONSTRATION
from cosem.errors import ConfigurationError, CosemError

if TYPE_CHECKING:
    from cosem.security.certificates import Certificate
    from cosem.security.counters import CounterStore
    from cosem.server import HeldSecurity, LogicalDevice, Server
    from cosem.server.simulation.faults import Faults
    from cosem.transport.recording import Recording

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem serve", "on port 4059 of this machine"),
    ("cosem serve --listen tcp://127.0.0.1:0 --json", "on any free port; JSON says which"),
    ("cosem serve --listen tcp://0.0.0.0:4059", "for every machine that reaches this one"),
    ("cosem serve meter.toml", "play a meter that was dumped"),
    ("cosem serve three-phase --count 1000", "a thousand meters, at ports 4059 to 5058"),
    ("cosem serve water --fault loss=0.1,delay=0.2,seed=7", "a bad line, the same each time"),
    ("cosem serve --keys keys.toml --authority root.pem", "its keys can be certified"),
    ("cosem serve --replay meter.jsonl", "play the meter of a recording"),
    ("cosem serve --replay meter.jsonl --keys keys.toml", "the same of a ciphered one"),
    (
        "cosem serve --listen 'pty:?mode_e=1' --listen hdlc+tcp://127.0.0.1:0",
        "an optical head; HDLC over TCP",
    ),
)
_MOST: Final = 65_535
_FEW: Final = 4
"""So many ports of one address are shown one by one."""
_DEFAULT: Final = "tcp://127.0.0.1:4059"


def _url(text: str) -> str:
    from cosem.server import Server

    Server([]).listen(text)
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "meters",
        metavar="METER",
        nargs="*",
        help="a file NAME.toml, or a template (default: the demonstration meter); several are the logical devices of "
        "one meter, each at the address of its file",
    )
    parser.add_argument(
        "--listen",
        metavar="URL",
        action="append",
        type=converter(_url),
        help="tcp://HOST:PORT, udp://HOST:PORT (wrapper), hdlc+tcp://HOST:PORT, serial:///dev/ttyUSB0 (HDLC) or "
        "pty: for a pseudo-terminal; port 0 is any that is free, ?mode_e=1 answers a sign-on; may be given several "
        f"times (default {_DEFAULT})",
    )
    parser.add_argument("--replay", metavar="FILE", help="a recording: answer as the meter in it did")
    many = parser.add_argument_group("simulation")
    many.add_argument("--count", metavar="N", type=converter(_count), help="serve so many meters")
    many.add_argument(
        "--by", choices=("port", "server"), default="port", help="what tells many meters apart (default port)"
    )
    many.add_argument(
        "--seed", metavar="N", type=converter(_count), help="which premises, or those of the first of many"
    )
    many.add_argument(
        "--fault",
        metavar="NAME=N,...",
        type=converter(_faults),
        help="parts from 0 to 1 of what is sent: loss, duplicate, corrupt (a wrong FCS), slow; drop of what comes in; "
        "jump of counters; seconds: delay, jitter, slow_by; seed",
    )
    add_record_option(parser)
    add_key_file_options(parser)
    parser.add_argument(
        "--authority",
        metavar="FILE",
        action="append",
        default=[],
        help="certificate of an authority, PEM or DER, that the meter trusts from the start: with --keys FILE; what it "
        "certified can be imported (cosem security import); may be given several times",
    )


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= _MOST:
        raise ConfigurationError(f"{text!r} is no number from 1 to {_MOST}")
    return number


def _faults(text: str) -> Faults:
    from cosem.server.simulation.faults import parse_faults

    return parse_faults(text)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    options.meters = options.meters or [DEMONSTRATION]
    if options.replay is not None:
        server, named = _replaying(options), f"the recording {options.replay}"
    else:
        server = _server(options)
        named = " and ".join(options.meters)
        if options.meters == [DEMONSTRATION]:
            named = "the demonstration meter"
    if options.count:
        named = f"{options.count} times {named}"
    with quiet_logging(), _recording(options.record, server):
        at_each = options.count if options.count and options.by == "port" else 1
        asyncio.run(_serve(server, named, at_each, as_json=options.json))
    return 0


@contextmanager
def _recording(name: str | None, server: Server) -> Iterator[None]:
    """Record what the server does, if a file is named."""
    if name is None:
        yield
        return
    from cosem.cli.recording_served import record_server

    with closing(RecordingFile(name)) as file:
        record_server(server, file)
        yield


def _replaying(options: argparse.Namespace) -> Server:
    """Return a server that is the meter of a recording.

    Raises:
        CosemError: The file is no recording, or holds no answer, or other options do not fit.
        OSError: It cannot be read.
    """
    if options.authority:
        raise ConfigurationError("a recording imports no certificates: not --replay with --authority")
    if options.meters != [DEMONSTRATION] or options.count or options.seed is not None:
        raise ConfigurationError("--replay says which meter it is: not with METER, --count or --seed")
    from cosem.cli.recording import read_recording
    from cosem.cli.recording_shown import message_in_words
    from cosem.server import Server
    from cosem.server.simulation.many import listen_with_faults

    def tell(request: bytes) -> None:
        print(f"no answer for {message_in_words(request)}", file=sys.stderr, flush=True)

    recording = read_recording(options.replay)
    entry = entry_of(options)
    try:
        server = Server(_replay_device(recording, tell, entry))
    except ConfigurationError as error:
        raise CosemError(f"{options.replay}: {error}") from None
    for url in options.listen or [_DEFAULT]:
        if options.fault is None:
            server.listen(url)
        else:
            listen_with_faults(server, url, options.fault)
    return server


def _replay_device(
    recording: Recording, tell: Callable[[bytes], object], entry: Entry | None
) -> LogicalDevice:
    """Return the meter of a recording.

    Raises:
        ConfigurationError: It holds no answer, or the keys open none of its ciphered messages.
    """
    from cosem.server.replay import ReplayDevice

    if entry is None:
        return ReplayDevice(recording, tell)
    from cosem.cli.deciphering import Deciphering
    from cosem.cli.recording_opened import open_recording

    opened = open_recording(recording, Deciphering(entry, None, unverified=False))
    plain = {place: each.inspection.plain for place, each in opened.items() if each.inspection.plain}
    if opened and not plain:
        raise ConfigurationError("the keys open none of its ciphered messages")
    used = [
        layer.invocation_counter or 0
        for place, each in opened.items()
        if each.inspection.status is not None and not recording.entries[place].sent
        for layer in each.inspection.status.layers
    ]
    counters = None
    if entry.store is None:  # keys that everybody knows protect nothing
        from cosem.security.counters import VolatileCounterStore

        counters = VolatileCounterStore()
    return ReplayDevice(
        recording,
        tell,
        plain=plain,
        keys=entry.keys,
        counters=counters,
        first_counter=max(used, default=-1) + 1,
    )


def _server(options: argparse.Namespace) -> Server:
    """Return the server that the options mean.

    Raises:
        ConfigurationError: They mean none, or the meter cannot be made.
        OSError: The file of the meter cannot be read.
    """
    from cosem.connecting.simulated import meter_maker
    from cosem.security.demonstration import demonstration_keys
    from cosem.server import Server, demonstration_meter
    from cosem.server.simulation.many import ManyMeters, listen_with_faults

    urls, faults = options.listen or [_DEFAULT], options.fault
    hold = _hold(options)
    first = options.seed
    if hold is not None:
        if options.count or len(options.meters) > 1:
            raise ConfigurationError("--keys are those of one meter")
        (source,) = options.meters
        if source == DEMONSTRATION:
            titles = {"server_title": demonstration_keys().server_title}
            security = hold(titles, counters=_counters(faults))
            meter: LogicalDevice = demonstration_meter(security=security, seed=first or 1)
        else:
            meter = meter_maker(source, counters=_counters(faults, source), hold=hold)(first, None)
        _keep_secrets(options, meter)
        server = Server(meter)
    else:
        make, *others = (meter_maker(source, counters=_counters(faults, source)) for source in options.meters)
        if options.count:
            if others:
                raise ConfigurationError("--count is of one meter")
            many = ManyMeters(lambda number, sap: make((first or 1) + number, sap), options.count)
            for url in urls:
                if options.by == "port":
                    many.listen_at_ports(url, faults=faults)
                else:
                    many.listen_at_addresses(url, faults=faults)
            many.meter(0, 1 if options.by == "server" else None)
            return many
        server = Server([each(first, None) for each in (make, *others)])
        if faults is not None and faults.jump:
            _with_counters(server)
    for url in urls:
        if faults is None:
            server.listen(url)
        else:
            listen_with_faults(server, url, faults)
    return server


def _counters(faults: Faults | None, meter: str = "") -> CounterStore | None:
    """Return counters that jump, if they shall; ``None`` for the usual ones."""
    if faults is None or not faults.jump:
        return None
    from cosem.connecting.simulated import is_file
    from cosem.server.simulation.faults import JumpingCounters

    if meter and not is_file(meter):  # whose keys everybody knows: what they protect is worth no file
        from cosem.security.counters import VolatileCounterStore

        return JumpingCounters(VolatileCounterStore(), faults)
    from cosem.store.default_counters import default_counter_store

    return JumpingCounters(default_counter_store(), faults)


def _with_counters(server: Server) -> None:
    """Refuse counters that jump where there are none.

    Raises:
        ConfigurationError: No association ciphers.
    """
    associations = (each for device in server.devices.values() for each in device.associations)
    if all(each.profile.protection is None for each in associations):
        raise ConfigurationError("no association of this meter ciphers: there are no counters to jump")


def _hold(options: argparse.Namespace) -> Callable[..., HeldSecurity] | None:
    """Return what makes the security of a meter by a key file, at rest; ``None`` without one.

    It takes titles and secret as the meter has them otherwise, and the options of the security.

    Raises:
        ConfigurationError: The keys cannot be read, or must not be used.
        KeyMissingError: The encryption key is missing.
    """
    entry = entry_of(options)
    if entry is None or entry.store is None:
        if options.authority:
            raise ConfigurationError("--authority needs --keys FILE: beside it certificates are kept")
        return None
    anchors = [_authority(name) for name in options.authority]
    from cosem.security.key_material import KeyRole
    from cosem.security.keys import Keys
    from cosem.server.security_at_rest import held_at_rest

    known, store, name = entry.keys, entry.store, entry.name
    known.required(KeyRole.GLOBAL_UNICAST_ENCRYPTION)

    def hold(otherwise: Mapping[str, Any], **security: Any) -> HeldSecurity:
        return held_at_rest(
            known.over(Keys.parse({"suite": known.suite, **otherwise})),
            store,
            name,
            **{**security, "anchors": [*security.get("anchors", ()), *anchors]},
        )

    return hold


def _authority(name: str) -> Certificate:
    """Return the certificate of an authority in a file.

    Raises:
        ConfigurationError: There is none in it, or it is somebody else's.
        OSError: It cannot be read.
    """
    from cosem.cli.certificate_files import certificate_in

    certificate = certificate_in(name)
    if not certificate.is_authority:
        raise ConfigurationError(f"{name}: the certificate is not that of an authority")
    return certificate


def _keep_secrets(options: argparse.Namespace, meter: LogicalDevice) -> None:
    """Let the meter of a key file keep the secrets that clients give its associations, beside that file.

    Raises:
        ConfigurationError: What it kept cannot be read.
    """
    from cosem.server.security_at_rest import keep_secrets

    entry = entry_of(options)
    if entry is not None and entry.store is not None:
        keep_secrets(meter, entry.store, entry.name)


async def _serve(server: Server, named: str, at_each: int, *, as_json: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not here, or not the main thread
            loop.add_signal_handler(number, stopped.set)
    async with server:
        if as_json:
            print(json.dumps({"url": server.address, "urls": list(server.addresses)}))  # a line for who waits
        else:
            print(f"serving {named} at {_shown(server.addresses, at_each)}; Ctrl-C stops it")
        sys.stdout.flush()
        await stopped.wait()


def _shown(urls: Sequence[str], at_each: int) -> str:
    """Return addresses in words: all that were asked for; of many ports that follow one, the first and the last.

    >>> _shown(["tcp://a:1", "tcp://b:1"], 1), _shown([f"tcp://a:{port}" for port in range(1, 9)], 8)
    ('tcp://a:1 and tcp://b:1', 'tcp://a:1 to tcp://a:8')
    """
    if at_each <= _FEW:
        return " and ".join(urls)
    groups = [urls[start : start + at_each] for start in range(0, len(urls), at_each)]
    return " and ".join(f"{group[0]} to {group[-1]}" for group in groups)
