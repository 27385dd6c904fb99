"""Send a firmware image, or any other file, to a meter in blocks, and have it verified.

A transfer that broke off goes on with --resume: only the blocks that the meter lacks are sent, and none if it has
verified an image of this name and this size already. The meter does not tell
which file the others are of: resume with the same file, or the image is a mixture, which a meter that checks nothing
takes for good. If it names another image once it has verified, that is an error. Nothing is activated
unless --activate says so, and then it is asked once more; --yes does without. Without a file, how far the meter is
with an image is shown.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_connection_options, connected, logical_name
from cosem.errors import ActionError, ConfigurationError, TransportTimeout
from cosem.types.enumerations import ActionResult

if TYPE_CHECKING:
    from cosem.client.blocking import Client
    from cosem.types.logical_name import LogicalName

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem image tcp://10.0.0.7 new.bin --client 1 --password -", "send and verify"),
    ("cosem image tcp://10.0.0.7 new.bin --resume --client 1", "go on where it broke off"),
    ("cosem image sim:", "how far the meter is"),
    ("cosem image sim: --json", "for machines"),
)
_DEFAULT: Final = "0-0:44.0.0"
_CLASS: Final = 18
_MOST_OCTETS: Final = 256 * 1024 * 1024
_PAUSE: Final = 1.0
"""Seconds between two questions whether the meter is done."""
_BUSY: Final = {"verify": 2, "activate": 5}
_VERIFIED: Final = 3
_FAILED: Final = {"verify": 4, "activate": 7}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    parser.add_argument("file", metavar="FILE", nargs="?", help="the image")
    parser.add_argument(
        "--object",
        dest="name",
        metavar="OBIS",
        type=logical_name,
        help=f"the Image transfer object (default {_DEFAULT})",
    )
    parser.add_argument(
        "--identifier", metavar="TEXT", help="the name of the image (default: that of the file)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="send only what the meter lacks, of the same file"
    )
    parser.add_argument("--no-verify", action="store_true", help="do not have it verified")
    parser.add_argument("--activate", action="store_true", help="activate it once it is verified")
    parser.add_argument("--yes", action="store_true", help="activate without asking")
    parser.add_argument(
        "--patience", metavar="SECONDS", type=float, default=300.0, help="how long the meter may verify (300)"
    )


def run(options: argparse.Namespace) -> int:
    """Send the image."""
    from cosem.cli.progressing import Progressing
    from cosem.types.logical_name import LogicalName

    if options.activate and not options.yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise ConfigurationError("nobody is here to confirm: --yes activates without asking")
    name = options.name or LogicalName(_DEFAULT)
    if options.file is None:
        with connected(options) as meter:
            done = _progress(meter, name)
    else:
        image = _image(options.file)
        identifier = options.identifier or Path(options.file).stem
        with connected(options) as meter:
            with Progressing("blocks") as step:
                sent = meter.transfer_image(
                    image, identifier.encode(), name, resume=options.resume, step=step
                )
            if not options.no_verify and not (options.resume and sent == 0 and _is_verified(meter, name)):
                _finish(meter, name, "verify", options.patience)
            if options.resume and not options.no_verify:
                _refuse_other(meter, name, identifier.encode(), sent)
            if options.activate and (options.yes or _confirmed(meter.peer, identifier)):
                _finish(meter, name, "activate", options.patience)
            done = {
                "identifier": identifier,
                "octets": len(image),
                "blocks_sent": sent,
                **_progress(meter, name),
            }
    if options.json:
        from cosem.cli.output import print_json

        print_json(done)
    else:
        _show(done)
    return 0


def _progress(meter: Client, name: LogicalName) -> dict[str, Any]:
    """Return how far the meter is, in plain values."""
    results = meter.get_many([(name, number, _CLASS) for number in (2, 3, 5, 6)])
    size, blocks, enabled, status = (result.value for result in results)
    text = str(blocks)
    return {
        "status": _word(status),
        "enabled": bool(enabled),
        "block_size": size,
        "blocks": len(text),
        "blocks_there": text.count("1"),
    }


def _show(done: dict[str, Any]) -> None:
    if "octets" in done:
        print(f"{done['octets']:,} octets of {done['identifier']}, {done['blocks_sent']:,} blocks sent")
    allowed = "" if done["enabled"] else "; image transfer is not enabled"
    print(
        f"{done['status']}: {done['blocks_there']:,} of {done['blocks']:,} blocks of {done['block_size']:,} octets"
        f" are there{allowed}"
    )


def _image(file: str) -> bytes:
    with Path(file).open("rb") as opened:
        image = opened.read(_MOST_OCTETS + 1)
    if len(image) > _MOST_OCTETS:
        raise ConfigurationError(f"{file} is longer than {_MOST_OCTETS:,} octets")
    return image


def _finish(meter: Client, name: LogicalName, what: str, patience: float) -> None:
    """Have the image verified or activated, and wait until the meter is done.

    Raises:
        ActionError: The meter refused, or the image is not good.
        TransportTimeout: The meter is not done in time.
    """
    try:
        meter.call(name, f"image_{what}", class_id=_CLASS)
    except ActionError as error:
        if error.result != ActionResult.TEMPORARY_FAILURE:
            raise
    else:
        return
    end = time.monotonic() + patience
    while (status := meter.get(name, 6, class_id=_CLASS)) == _BUSY[what]:
        if time.monotonic() >= end:
            raise TransportTimeout(f"the meter is still at it after {patience:g} s: {_word(status)}")
        time.sleep(_PAUSE)
    if status == _FAILED[what]:
        raise ActionError(f"image {what}", ActionResult.OTHER_REASON, _word(status))


def _is_verified(meter: Client, name: LogicalName) -> bool:
    return bool(meter.get(name, 6, class_id=_CLASS) == _VERIFIED)


def _refuse_other(meter: Client, name: LogicalName, identifier: bytes, sent: int) -> None:
    """Refuse to go on with an image some blocks of which were there already, and which the meter calls by another name.

    Raises:
        ConfigurationError: It is called so.
    """
    from cosem.client.operations.image import image_names

    if sent >= _progress(meter, name)["blocks"]:
        return
    names = meter.run(lambda context: image_names(context, meter.session, name))
    if names and identifier not in names:
        shown = ", ".join(repr(each.decode("ascii", "backslashreplace")) for each in names)
        raise ConfigurationError(
            f"the meter holds {shown}, not {identifier.decode()!r}: the transfer that was begun may be of another file; "
            "send it without --resume"
        )


def _word(status: Any) -> str:
    from cosem.classes.standard.image_transfer import ImageTransferStatus

    return str(ImageTransferStatus(int(status)).name).lower().replace("_", " ")


def _confirmed(peer: str, identifier: str) -> bool:
    print(f"activate {identifier} in {peer}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
