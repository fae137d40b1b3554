"""The values that a wire can carry: integers, fixed point, floating point and tables, behind one protocol, ``Format``."""

from hwsim.numerics.formats.codebook import Codebook
from hwsim.numerics.formats.fixed import FixedFormat
from hwsim.numerics.formats.floating import FloatFormat, Specials
from hwsim.numerics.formats.grids import BIPOLAR, TERNARY, powers_of_two
from hwsim.numerics.formats.integer import MAX_BITS, IntFormat, bits_for_range
from hwsim.numerics.formats.learned import LearnedTable
from hwsim.numerics.formats.operand import operand_format
from hwsim.numerics.formats.parse import parse_format
from hwsim.numerics.formats.power import power_exponent
from hwsim.numerics.formats.protocol import Format

__all__ = [
    "BIPOLAR",
    "MAX_BITS",
    "TERNARY",
    "Codebook",
    "FixedFormat",
    "FloatFormat",
    "Format",
    "IntFormat",
    "LearnedTable",
    "Specials",
    "bits_for_range",
    "operand_format",
    "parse_format",
    "power_exponent",
    "powers_of_two",
]
