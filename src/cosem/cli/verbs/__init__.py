"""The verbs: a module each, imported when the verb is named, and the line that the top help shows of it.

A verb module has::

    EXAMPLES = (("cosem verb ...", "what it does"), ...)  # run as tests where they name sim: or no meter


    def add_arguments(parser: argparse.ArgumentParser) -> None: ...
    def run(options: argparse.Namespace) -> int: ...  # the exit status

Its docstring is the description in its help. ``--json`` is an option of every verb. Errors are raised: the frame
makes one line of each and chooses the exit status.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

__all__ = ["VERBS"]

VERBS: Final = MappingProxyType(
    {
        "demo": "read the demonstration meter: no hardware needed",
        "read": "read objects by OBIS code: values with units",
        "profile": "read a load profile as a table",
        "objects": "list what a meter has",
        "get": "read one attribute of an object",
        "set": "write one attribute of an object",
        "call": "call a method of an object",
        "tree": "show objects, attributes and methods as a tree",
        "dump": "take down a whole meter into a file",
        "diff": "compare two meters, or dumps of meters",
        "clock": "show or set the clock",
        "image": "send a firmware image, resume, verify, activate",
        "disconnect": "disconnect the premises from the supply",
        "reconnect": "reconnect the premises to the supply",
        "readout": "read what a meter shows as text: IEC 62056-21, modes A to D",
        "program": "read and write registers as text: IEC 62056-21, programming mode",
        "probe": "find out how a meter is reached: port, rate, addresses",
        "keys": "make keys, show them masked, change those of a meter",
        "security": "show or raise what a meter demands; its key pairs and certificates",
        "serve": "be a meter: of a file, a template, or a thousand",
        "sniff": "say what a port or a dump is: framing, ciphering, maker, keys",
        "listen": "take in what meters push: to the terminal, JSON, CSV, SQLite, MQTT",
        "decode": "say what the octets of a message mean",
        "redact": "take personal values out of a recording, to share it",
        "classes": "show interface classes: attributes, methods, types",
    }
)
"""What each verb does, in the order of the help."""
