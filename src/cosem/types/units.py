"""Units and scalers: from the number in a register to a physical value, exactly.

(Blue Book, class_id 3, scaler_unit and table 4)
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from cosem.errors import ConversionError

__all__ = ["ScalerUnit", "Unit", "scaled"]

_UNITS = """\
1;a;time
2;mo;time
3;wk;time
4;d;time
5;h;time
6;min;time
7;s;time
8;°;angle
9;°C;temperature
10;currency;local currency
11;m;length
12;m/s;speed
13;m³;volume
14;m³;corrected volume
15;m³/h;volume flux
16;m³/h;corrected volume flux
17;m³/d;volume flux
18;m³/d;corrected volume flux
19;l;volume
20;kg;mass
21;N;force
22;Nm;energy
23;Pa;pressure
24;bar;pressure
25;J;energy
26;J/h;thermal power
27;W;active power
28;VA;apparent power
29;var;reactive power
30;Wh;active energy
31;VAh;apparent energy
32;varh;reactive energy
33;A;current
34;C;electrical charge
35;V;voltage
36;V/m;electric field strength
37;F;capacitance
38;Ω;resistance
39;Ωm²/m;resistivity
40;Wb;magnetic flux
41;T;magnetic flux density
42;A/m;magnetic field strength
43;H;inductance
44;Hz;frequency
45;1/(Wh);active energy meter constant
46;1/(varh);reactive energy meter constant
47;1/(VAh);apparent energy meter constant
48;V²h;volt-squared hour
49;A²h;ampere-squared hour
50;kg/s;mass flux
51;S;conductance
52;K;temperature
53;1/(V²h);V²h meter constant
54;1/(A²h);A²h meter constant
55;1/m³;volume meter constant
56;%;percentage
57;Ah;ampere-hours
60;Wh/m³;energy per volume
61;J/m³;calorific value
62;mol %;molar fraction of gas
63;g/m³;mass density
64;Pa s;dynamic viscosity
65;J/kg;specific energy
66;g/cm²;pressure
67;atm;pressure
70;dBm;signal strength
71;dBµV;signal strength
72;dB;logarithmic ratio
128;in;length
129;ft;length
130;lb;mass
131;°F;temperature
132;°R;temperature
133;in²;area
134;ft²;area
135;acre;area
136;in³;volume
137;ft³;volume
138;acre ft;volume
139;imp gal;volume
140;US gal;volume
141;lbf;force
142;psi;pressure
143;lb/ft³;mass density
144;lb/(ft s);dynamic viscosity
145;ft²/s;kinematic viscosity
146;Btu;energy
147;thm;energy
148;thm;energy
149;Btu/lb;specific energy
150;Btu/ft³;energy per volume
151;ft³;volume of a meter constant
152;ft/s;velocity
153;ft³/s;volume flux
154;ft³/min;volume flux
155;ft³/h;volume flux
156;ft³/d;volume flux
157;acre ft/s;volume flux
158;acre ft/min;volume flux
159;acre ft/h;volume flux
160;acre ft/d;volume flux
161;imp gal;volume
162;imp gal/s;volume flux
163;imp gal/min;volume flux
164;imp gal/h;volume flux
165;imp gal/d;volume flux
166;US gal;volume
167;US gal/s;volume flux
168;US gal/min;volume flux
169;US gal/h;volume flux
170;US gal/d;volume flux
171;Btu/s;thermal power
172;Btu/min;thermal power
173;Btu/h;thermal power
174;Btu/d;thermal power
253;;extended table of units
254;;other unit
255;;count
"""
"""Number, symbol and quantity of each unit; numbers that are not here are reserved."""

_NONE = 255


@cache
def _table() -> dict[int, tuple[str, str]]:
    """Return symbol and quantity by number."""
    rows = (line.split(";") for line in _UNITS.splitlines())
    return {int(number): (symbol, quantity) for number, symbol, quantity in rows}


class Unit(int):
    """The unit of a register: the enum of scaler_unit, 0..255.

    >>> Unit(30).symbol, Unit(30).quantity
    ('Wh', 'active energy')
    """

    __slots__ = ()

    @property
    def symbol(self) -> str:
        """Its symbol; empty for a count, for none (0), and for reserved numbers."""
        return _table().get(self, ("", ""))[0]

    @property
    def quantity(self) -> str:
        """What it measures; empty for reserved numbers."""
        return _table().get(self or _NONE, ("", ""))[1]

    @property
    def known(self) -> bool:
        """Whether the standard gives the number a meaning."""
        return self == 0 or int(self) in _table()

    @classmethod
    def of(cls, symbol: str) -> Unit:
        """Return the unit with this symbol; where several have it, the one with the lowest number.

        Raises:
            ConversionError: No unit has it.

        >>> Unit.of("V")
        Unit(35)
        """
        for number, (known, _) in _table().items():
            if known == symbol:
                return cls(number)
        raise ConversionError(f"no unit has the symbol {symbol!r}")

    def __str__(self) -> str:
        return self.symbol

    def __repr__(self) -> str:
        return f"Unit({int(self)})"


@dataclass(frozen=True, slots=True)
class ScalerUnit:
    """scaler_unit of a register.

    Args:
        scaler: Exponent of ten, -128..127.
        unit: The unit of the scaled value.
    """

    scaler: int
    unit: Unit

    @classmethod
    def from_data(cls, value: object) -> ScalerUnit:
        """Return what the structure of two numbers says; some meters send other integer types.

        Raises:
            ConversionError: It is no structure of two numbers, or the scaler is out of range.
        """
        if (
            not isinstance(value, tuple)
            or len(value) != 2
            or not all(isinstance(part, int) for part in value)
        ):
            raise ConversionError(f"{value!r} is no scaler_unit")
        scaler, unit = value
        if not -128 <= scaler <= 127:
            raise ConversionError(f"scaler {scaler} is outside -128..127")
        return cls(int(scaler), Unit(unit))

    def apply(self, raw: float) -> Decimal:
        """Return the physical value of the number in the register."""
        return scaled(raw, self.scaler)


def scaled(raw: float, scaler: int) -> Decimal:
    """Return a register value in its unit: ``raw`` times ten to the power ``scaler``.

    Args:
        raw: The number in the value attribute, as received.
        scaler: The exponent of scaler_unit, -128..127 (Blue Book, class_id 3).

    Returns:
        The exact value. Its trailing zeros tell the resolution of the meter.

    Raises:
        ConversionError: ``scaler`` is outside -128..127.

    >>> scaled(2_305_147, -3), scaled(593, 3)
    (Decimal('2305.147'), Decimal('593000'))
    """
    if not -128 <= scaler <= 127:
        raise ConversionError(f"scaler {scaler} is outside -128..127")
    # Every step is exact whatever the caller's decimal context: scaleb() and quantize() would round to it.
    if isinstance(raw, int):
        return Decimal(raw * 10**scaler) if scaler > 0 else Decimal(f"{int(raw)}E{scaler}")
    # A float prints as the shortest number that it stands for; its binary value would invent digits.
    sign, digits, exponent = Decimal(repr(float(raw))).as_tuple()
    if isinstance(exponent, str):  # an infinity, or not a number
        return Decimal(raw)
    value = Decimal((sign, digits, exponent + scaler))
    return value if exponent + scaler <= 0 else Decimal(format(value, "f"))
