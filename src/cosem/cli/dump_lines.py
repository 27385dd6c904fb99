r"""One line of a dump or a log: the octets in it, however they are written.

Pairs of hexadecimal digits with anything between them, ``0x7e``, ``\x7e``, ``7Eh``, decimal lists, base64, literals of
Python and C, fields of JSON; times, topics and words around them are left out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Final, NamedTuple

__all__ = ["Found", "clean", "octets_of_line"]


class Found(NamedTuple):
    """What a line holds.

    Attributes:
        form: ``hexadecimal``, ``decimal``, ``binary``, ``base64`` or ``octets``; empty if it holds nothing.
        octets: The octets.
        rest: A digit or signs at the end that make no whole octet; the next line may begin with the rest of it.
    """

    form: str
    octets: bytes
    rest: str = ""


_NOTHING: Final = Found("", b"")
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_COMMENT: Final = re.compile(r"/\*.*?\*/|\s//\s.*$|\s#\s.*$")
_DECLARED: Final = re.compile(
    r"[^=\"'{}\[]*\b[A-Za-z_]\w*\s*(?:\[[^\]]*\]\s*)+(?:[\w()][\w\s()]*)?"
    r"=\s*(?:new\s+\w+\s*\[[^\]]*\]\s*)?(?:\{|$)"
    r"|\s*(?:(?:const|static|unsigned|signed|int|long|short|size_t|u?int\d+_t)\s+)+\w+\s*=\s*\d+\w*\s*;\s*$"
    r"|\s*#\s*define\s+\w+\s+\(?\d+\w*\)?\s*$"
)
"""What C says of an array before its octets, and how it says their number."""
_STAMP: Final = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d(?:[T _]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[ ]?[+-]\d\d:?\d\d)?)?"
    r"|(?<!\d)\d\d?[./]\d\d?[./]\d{4},?(?= +\d\d:)"
    r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} (?=\d\d:)"
    r"|(?<![0-9A-Fa-f:])\d\d:\d\d:\d\d(?:[.,]\d+)?(?![:0-9A-Fa-f])(?:Z|[+-]\d\d:?\d\d)?"
    r"|^[\[(]?1[67]\d{8}[.,]\d+[\])]?|^\[ *\d+\.\d+\]"
)
_BETWEEN: Final = r"(?:(?:[^0-9A-Za-z~()\[\]{}:]|:(?!\s)){0,4}(?:0[xX]|\\[xX]|[xX](?=[0-9A-Fa-f]))?|[hH](?![0-9A-Za-z])[^0-9A-Za-z~]{0,4})"
_BEGIN: Final = r"(?<![0-9A-Za-z])(?:0[xX]|\\[xX])?"
_RUN: Final = re.compile(
    rf"{_BEGIN}[0-9A-Fa-f]{{2}}(?:{_BETWEEN}[0-9A-Fa-f]{{2}})*(?:(?=[hH]?(?![0-9A-Za-z])))"
)
_PREFIXED: Final = re.compile(
    r"(?:(?<![0-9A-Za-z])0[xX][0-9A-Fa-f]{1,2}(?![0-9A-Za-z])[^0-9A-Za-z~]{0,4}){2,}"
)
_SHORT: Final = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{1,2}(?:[ ,]{1,2}[0-9A-Fa-f]{1,2}){7,}(?![0-9A-Za-z])"
)
_ODD: Final = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?([0-9A-Fa-f]{9,})(?![0-9A-Za-z])")
_MARKS: Final = re.compile(r"0[xX]|\\[xX]|[^0-9A-Fa-f]")
_ALONE: Final = re.compile(r"[^0-9A-Za-z]*(?:0[xX]|\\[xX])?([0-9A-Fa-f]{2})[hH]?[^0-9A-Za-z]*")
_ONE_DIGIT: Final = re.compile(r"[^0-9A-Za-z]*0[xX]([0-9A-Fa-f])[^0-9A-Za-z]*")
_LAST: Final = re.compile(
    r"(?:[:<>=~\-]|\b(?:[rt]xd?|recv|received|read|data))\s*(?:0[xX])?\b([0-9A-Fa-f]{2})[.,;]?\s*(?:\(\d+\)\s*)?$",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"\"([0-9A-Fa-f]{2})\"\s*$")
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f]{2})\]\s*$")
_BITS: Final = re.compile(r"(?:(?<![0-9A-Za-z])[01]{8}(?![0-9A-Za-z])[^0-9A-Za-z]{0,3}){2,}")
_NUMBERS: Final = re.compile(
    r"[^0-9A-Za-z]*\d{1,3}(?:[^0-9A-Za-z]{1,4}\d{1,3})*[^0-9A-Za-z]*(?:L|n)?[^0-9A-Za-z]*"
)
_LIST: Final = re.compile(r"(?<![0-9A-Za-z])-?\d{1,3}(?:\s*,\s*-?\d{1,3}){3,}(?![0-9A-Za-z])")
_NUMBER: Final = re.compile(r"(?:(?<![^\s,;(\[{])-)?\d+")
"""A number; a hyphen directly before it is a minus where nothing but a blank, a comma or a bracket is before that."""
_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/_=-])")
_BASE64_LINE: Final = re.compile(r"\s*[A-Za-z0-9+/_-]+={0,2}\s*")
_PYTHON: Final = re.compile(r"(?<![0-9A-Za-z])[bB](['\"])((?:\\.|(?!\1).)*)\1")
_ESCAPED: Final = re.compile(r"(?<!\\)\"((?:\\.|[^\"\\])*\\x(?:\\.|[^\"\\])*)\"")
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}
_DASHES: Final = frozenset({"Pd", "Po", "Sm", "So", "Sk"})
_FEWEST: Final = 4
_MOST_ATTEMPTS: Final = 16
_DIGITS: Final = re.compile(r"[0-9A-Fa-f]+")
_KEYS: Final = frozenset({"bytes", "data", "frame", "hex", "octets", "payload", "raw", "rx"})


def clean(line: str) -> str:
    """Return a line with the usual blanks and digits, without colours and what is not seen."""
    if "\x1b" in line:
        line = _COLOURS.sub("", line)
    if line.isascii():
        return line
    signs = []
    for sign in unicodedata.normalize("NFKC", line):
        kind = unicodedata.category(sign)
        if kind == "Zs":
            signs.append(" ")
        elif sign.isascii() or kind[0] not in "CPSM":
            signs.append(sign)
        elif kind in _DASHES or kind[0] == "P":
            signs.append(":")
        # What is left has no width, or means nothing.
    return "".join(signs)


def octets_of_line(line: str, form: str = "", rest: str = "") -> Found:
    r"""Return what a line holds: the longest that can be read as octets.

    Args:
        line: The line, :func:`clean`.
        form: How the lines before were written.
        rest: What the line before left.

    >>> octets_of_line("2024-01-01T00:00:00 RX 7EA00802").octets.hex()
    '7ea00802'
    >>> octets_of_line(r"received b'~\xa0\x08\x02'").octets.hex()
    '7ea00802'
    >>> octets_of_line('{"id": 17, "octets": [126, 160, 8, 2]}')
    Found(form='decimal', octets=b'~\xa0\x08\x02', rest='')
    """
    solid = (
        len(line) > 2 * _FEWEST and len(line) % 2 == 0 and _DIGITS.fullmatch(line) and not line.isdecimal()
    )
    if solid and not rest and form not in {"base64", "decimal"}:
        return Found("hexadecimal", bytes.fromhex(line))
    if form == "base64" and _BASE64_LINE.fullmatch(line):
        return _base64_part(rest + line.strip())
    literal = _literal(line)
    if literal is not None:
        return literal
    fields = _fields(line)
    if fields.octets:
        return fields
    line = _COMMENT.sub(" ", line)
    declared = _DECLARED.match(line)
    if declared is not None:
        line = line[declared.end() :]
    bits = "".join(max(_BITS.findall(line), key=len, default="").split())
    if len(bits) > 0.5 * len(line):
        octets = bytes(int(each, 2) for each in re.findall(r"[01]{8}", bits))
        return Found("binary", octets)
    numbers = _decimal(line, form)
    if numbers is not None:
        return numbers
    line = _STAMP.sub(" ~ ", line)
    known = form == "hexadecimal"
    hexadecimal = _hexadecimal(line, rest if known else "", known=known)
    coded = _base64(line)
    return coded if len(coded.octets) > len(hexadecimal.octets) else hexadecimal


def _literal(line: str) -> Found | None:
    """Literals of bytes in Python, and strings of C with escapes."""
    texts = [text for _, text in _PYTHON.findall(line)] or _ESCAPED.findall(line)
    if not texts:
        return None
    octets = b"".join(_ESCAPE.sub(_unescaped, text).encode("latin-1", "replace") for text in texts)
    inside = octets.decode("latin-1")
    if inside.isascii() and inside.strip().isprintable() and len(inside) >= 2 * _FEWEST:
        found = octets_of_line(inside)
        if len(found.octets) >= max(_FEWEST, len(inside) // 4):
            return found  # text that was received
    return Found("octets", octets) if octets else None


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[2]:
        return chr(int(found[2], 8) & 0xFF)
    return _ESCAPES.get(found[3], found[3])


def _fields(line: str) -> Found:
    """Fields of JSON, and lists of numbers in it."""
    begin = min((at for at in (line.find("{"), line.find("[")) if at >= 0), default=-1)
    for _ in range(_MOST_ATTEMPTS):
        if begin < 0:
            break
        end = line.rfind("}" if line[begin] == "{" else "]") + 1
        try:
            return _value(json.loads(line[begin:end]), 0)
        except (ValueError, RecursionError):
            pass
        begin = line.find("{", begin + 1)
    return _NOTHING


def _value(value: Any, depth: int) -> Found:
    if depth > 20:
        return _NOTHING
    if isinstance(value, str):
        if len(value) < 2 * _FEWEST:
            return _NOTHING
        found = octets_of_line(clean(value))
        return found if len(found.octets) >= _FEWEST else _NOTHING
    if isinstance(value, dict):
        short = [text for key, text in value.items() if key.lower() in _KEYS and isinstance(text, str)]
        for text in short:
            if len(text) < 2 * _FEWEST and re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text):
                return Found("hexadecimal", bytes.fromhex(text))
        return max((_value(each, depth + 1) for each in value.values()), key=_size, default=_NOTHING)
    if isinstance(value, list):
        numbers = len(value) >= _FEWEST and all(type(each) is int for each in value)
        octets = _as_octets(value) if numbers else None
        if octets is not None:
            return Found("decimal", octets)
        if len(value) >= _FEWEST and all(isinstance(each, str) and 0 < len(each) <= 4 for each in value):
            return octets_of_line(" ".join(value))
        return max((_value(each, depth + 1) for each in value), key=_size, default=_NOTHING)
    return _NOTHING


def _size(found: Found) -> int:
    return len(found.octets)


def _decimal(line: str, form: str) -> Found | None:
    """Lists of decimal numbers; pairs of digits alone are hexadecimal, unless the lines before were decimal."""
    if _NUMBERS.fullmatch(line):
        listed = line
    else:
        listed = max(_LIST.findall(line), key=len, default="")
        if len(listed) < 0.5 * len(line) or re.search(r"[A-Fa-f][0-9A-Fa-f]\b", line):
            return None
    numbers = [int(text) for text in _NUMBER.findall(listed)]
    texts = re.findall(r"\d+", listed)
    padded = any(len(text) > 1 and text[0] == "0" for text in texts) and not all(
        len(text) == 3 for text in texts
    )
    octets = _as_octets(numbers)
    signed = octets is not None and min(numbers, default=0) < 0
    if octets is None:  # a hyphen stands between numbers
        octets = _as_octets([abs(number) for number in numbers])
    if not texts or padded or octets is None:
        return None
    surely = any(len(text) != 2 for text in texts) or (signed and "," in listed)
    if len(texts) == 1:
        surely = form == "decimal" or len(texts[0]) == 3
    if not (surely or form == "decimal") or (form == "hexadecimal" and not surely):
        return None
    return Found("decimal", octets)


def _as_octets(numbers: list[int]) -> bytes | None:
    """Return the octets that numbers are: 0..255, or -128..127 as Java prints them; ``None`` if they are none."""
    least = -128 if min(numbers, default=0) < 0 else 0
    if not all(least <= number < least + 256 for number in numbers):
        return None
    return bytes(number & 0xFF for number in numbers)


def _hexadecimal(line: str, rest: str, *, known: bool) -> Found:
    whole = line.strip()
    if re.fullmatch(r"[0-9A-Fa-f]+", whole) and (rest or len(whole) % 2):
        digits = rest + whole if len(rest + whole) % 2 == 0 or not rest else whole
        even = len(digits) & ~1
        if rest or len(digits) > 2 * _FEWEST:
            return Found("hexadecimal", bytes.fromhex(digits[:even]), digits[even:])
    digits = ""
    for found in _RUN.findall(line):
        these = _digits(found)
        if len(these) % 2 == 0 and len(these) > len(digits):
            digits = these
    for found in (max((each[0] for each in _PREFIXED.finditer(line)), key=len, default=""),):
        these = "".join(each.rjust(2, "0") for each in re.findall(r"0[xX]([0-9A-Fa-f]{1,2})", found))
        if len(these) > len(digits):
            digits = these
    for each in _SHORT.finditer(line):
        tokens = re.findall(r"[0-9A-Fa-f]+", each[0])
        these = "".join(token.rjust(2, "0") for token in tokens)
        if len(these) > len(digits) and not all(token.isdecimal() for token in tokens):
            digits = these
    for each in _ODD.finditer(line):
        if len(each[1]) % 2 and len(each[1]) > len(digits) + 1:
            digits = each[1][:-1]
    if len(digits) < 2 * _FEWEST:
        alone = _ALONE.fullmatch(line) or _ONE_DIGIT.fullmatch(line)
        if alone:
            return Found("hexadecimal", bytes((int(alone[1], 16),)))
    word = digits.isalpha() and len(digits) <= 2 * _FEWEST and digits in line and 2 * len(digits) < len(line)
    if word and not known:
        digits = ""  # a word
    if len(digits) < 4 and len(digits) < len(re.sub(r"[\s~]", "", line)):
        # Anything else is a number in a sentence.
        last = _LAST.search(line) or _QUOTED.search(line) or (known and _BRACKETED.search(line))
        digits = last[1] if last else ""
    return Found("hexadecimal", bytes.fromhex(digits)) if digits else _NOTHING


def _digits(run: str) -> str:
    """Return the digits of a run; a number of another kind before pairs is no part of it."""
    tokens = re.findall(r"[0-9A-Fa-f]+", re.sub(r"0[xX]|\\[xX]", " ", run))
    if (
        len(tokens) > 4
        and tokens[0].isdecimal()
        and len(tokens[0]) != 2
        and {len(each) for each in tokens[1:]} == {2}
    ):
        del tokens[0]
    if (
        len(tokens) > 4
        and tokens[-1].isdecimal()
        and len(tokens[-1]) != 2
        and {len(each) for each in tokens[:-1]} == {2}
    ):
        del tokens[-1]
    return "".join(tokens)


def _base64(line: str) -> Found:
    best = _NOTHING
    for found in _BASE64.finditer(line):
        text = found[0]
        alone = line.strip(" \t\"',;") == text
        likely = _is_mixed(text) or (
            alone and len(text) % 4 == 0 and not text.islower() and len(set(text)) > 1
        )
        if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text) or not likely:
            continue
        whole = len(text) % 4 == 0 or alone or '"' in line
        coded = _base64_part(text) if whole else _NOTHING
        if len(coded.octets) > len(best.octets):
            best = coded
    return best


def _is_mixed(text: str) -> bool:
    """Whether a text is no word, name or topic: octets make signs of every kind."""
    kinds = (str.islower, str.isupper, lambda sign: not sign.isalpha())
    return all(any(kind(sign) for sign in text) for kind in kinds)


def _base64_part(text: str) -> Found:
    text = text.replace("-", "+").replace("_", "/")
    ended = text.endswith("=")
    solid = text.rstrip("=")
    whole = len(solid) if ended else len(solid) & ~3
    try:
        octets = b64decode(solid[:whole] + "=" * (-whole % 4), validate=True)
    except (Base64Error, ValueError):
        return _NOTHING
    return Found("base64", octets, solid[whole:])
