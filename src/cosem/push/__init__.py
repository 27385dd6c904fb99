"""What meters send by themselves: pushes of any maker, from any port, as values.

>>> import cosem
>>> telegram = bytes.fromhex("E6E700 0F 40000000 00 0101 0203 0906 0100010700FF 06 00000118 0202 0F00 161B")
>>> [str(value) for message in cosem.push.decode(telegram) for value in message.values]
['1-0:1.7.0*255 280 W']

:func:`decode` takes octets that are all there; :class:`Parser` takes a stream in any cut.
"""

from __future__ import annotations

from cosem.push.decoding import Parser, decode
from cosem.push.layouts import Layout, Layouts, load_layouts
from cosem.push.message import Known, Origin, PushMessage, PushValue, StrictFindings

__all__ = [
    "Known",
    "Layout",
    "Layouts",
    "Origin",
    "Parser",
    "PushMessage",
    "PushValue",
    "StrictFindings",
    "decode",
    "load_layouts",
]
