"""The names of what was tolerated or assumed in a push; those of frames are in :mod:`cosem.link`.

A finding is either a deviation from the standard, or something that the message
does not say itself. In strict mode each of them is an error.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BLOCKS_LOST",
    "BLOCK_CHECK_WRONG",
    "CHOICE_MISSING",
    "DESCRIPTORS_UNTAGGED",
    "ENCRYPTED_ONLY",
    "NAMES_FROM_LAYOUT",
    "NAME_UNKNOWN",
    "NOT_UNDERSTOOD",
    "NO_FRAME",
    "PADDED",
    "SCALES_FROM_LAYOUT",
    "TAG_AND_LENGTH_SWAPPED",
    "TEXT_CIPHERED",
    "TEXT_NOT_AS_ITS_TYPE",
    "TEXT_NOT_PRINTABLE",
    "TIME_IMPOSSIBLE",
    "TIME_NOT_A_MOMENT",
    "TIME_WITHOUT_DEVIATION",
]

BLOCKS_LOST: Final = "general-blocks-lost"
"""Blocks of an earlier message did not all arrive; that message is lost."""
BLOCK_CHECK_WRONG: Final = "block-check-wrong"
"""The block check of a readout is wrong: what it says may be damaged."""
CHOICE_MISSING: Final = "result-choice-missing"
"""A result of a get-response-with-list lacks the octet that says whether it is data."""
DESCRIPTORS_UNTAGGED: Final = "attribute-descriptor-untagged"
"""Class, name and attribute stand in the body without the tags of Data (Sagemcom in Czechia)."""
ENCRYPTED_ONLY: Final = "encrypted-without-authentication"
"""The message has no authentication tag: who changed it cannot be told (Kaifa in Austria)."""
NAMES_FROM_LAYOUT: Final = "names-from-layout"
"""What a value is stands nowhere in the message: a layout says it."""
NAME_UNKNOWN: Final = "name-unknown"
"""A logical name to which the standard gives no meaning."""
NOT_UNDERSTOOD: Final = "not-understood"
"""What was in the frames is no APDU, or a damaged one."""
NO_FRAME: Final = "data-without-apdu"
"""The octets are one value of Data, with no APDU around it."""
PADDED: Final = "text-padded"
"""A text has NULs at its end."""
SCALES_FROM_LAYOUT: Final = "scales-from-layout"
"""Scaler and unit of a value stand nowhere in the message: a layout says them."""
TAG_AND_LENGTH_SWAPPED: Final = "tag-and-length-swapped"
"""06 09 stands where 09 06 begins a logical name."""
TEXT_CIPHERED: Final = "text-telegram-ciphered"
"""The plaintext is a telegram of text, not an APDU (Luxembourg)."""
TEXT_NOT_AS_ITS_TYPE: Final = "text-not-as-its-type"
"""A visible-string in the body holds more than ASCII, or the octets of a utf8-string are no UTF-8."""
TEXT_NOT_PRINTABLE: Final = "text-not-printable"
"""A telegram of text holds controls that are no ends of lines (IEC 62056-21, 6.3.14 has printable characters)."""
TIME_IMPOSSIBLE: Final = "time-impossible"
"""A date or a time in the body has what no calendar and no clock has, such as month 13."""
TIME_NOT_A_MOMENT: Final = "time-not-a-moment"
"""The time of the message is no moment of the calendar."""
TIME_WITHOUT_DEVIATION: Final = "time-without-deviation"
"""The time is local, and how far that is from UTC is not said."""
