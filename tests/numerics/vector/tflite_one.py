"""TensorFlow Lite's integer functions of one value or one row, on Python integers and fractions: the tests' own model."""

from __future__ import annotations

import math
from fractions import Fraction

TOP = 1 << 31


def half_up(value):
    return math.floor(value + Fraction(1, 2))


def half_away(value):
    return half_up(value) if value >= 0 else -half_up(-value)


def wrap(value, bits):
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def saturate(value, bits):
    return min(max(value, -(1 << bits - 1)), (1 << bits - 1) - 1)


def product(a, b, bits=32):
    """The upper half of the doubled product."""
    return saturate(half_up(Fraction(a * b, 1 << bits - 1)), bits)


def rescale(value, multiplier, shift):
    """``value * multiplier * 2^shift / 2^31``; a shift above 0 is to the left."""
    high = product(wrap(value << max(shift, 0), 32), multiplier)
    return half_away(Fraction(high, 1 << max(-shift, 0)))


def multiplier_of(real):
    """Multiplier and left shift of a real number that a float64 holds."""
    fraction, exponent = math.frexp(real)
    multiplier = half_away(Fraction(fraction) * TOP)
    if multiplier == TOP:
        multiplier, exponent = TOP // 2, exponent + 1
    return (0, 0) if exponent < -31 else (multiplier, exponent)


def exp_of_negative(a):
    """Q5.26 to Q0.31."""
    if a == 0:
        return TOP - 1
    quarter = 1 << 24
    rest = a % quarter - quarter
    x = saturate(rest << 5, 32) + (1 << 28)
    two = product(x, x)
    three, four = product(two, x), product(two, two)
    tail = half_away(Fraction(product(half_away(Fraction(four, 4)) + three, half_up(Fraction(TOP, 3))) + two, 2))
    constant = half_up(Fraction(math.exp(-0.125)) * TOP)
    result = constant + product(constant, x + tail)
    steps = (rest - a) // quarter
    for place in range(7):
        if steps >> place & 1:
            result = product(result, half_up(Fraction(math.exp(-(2.0 ** (place - 2)))) * TOP))
    return result


def reciprocal_of_one_plus(a):
    """Q0.31 to Q0.31."""
    total = a + TOP - 1
    half = (total + 1) // 2
    x = half_up(Fraction(48, 17) * (1 << 29)) + product(half, -half_up(Fraction(32, 17) * (1 << 29)))
    for _ in range(3):
        x += saturate(product(x, (1 << 29) - product(half, x)) << 2, 32)
    return saturate(x << 1, 32)


def softmax(row, scale, bits):
    """Counted from 0, before the clamp."""
    multiplier, left = multiplier_of(min(scale * 2.0**26, TOP - 1.0))
    smallest = -math.floor(31 * 2.0**26 / 2.0**left)
    terms = [
        exp_of_negative(product(code - max(row) << left, multiplier)) if code - max(row) >= smallest else None
        for code in row
    ]
    total = sum(half_away(Fraction(term, 1 << 12)) for term in terms if term is not None)
    headroom = 32 - total.bit_length()
    scaled = reciprocal_of_one_plus((total << headroom) - TOP)
    right = 12 - headroom + 31 - bits
    return [0 if term is None else half_away(Fraction(product(scaled, term), 1 << right)) for term in terms]


def hard_swish(x, scale, output_scale):
    """Centred code in, centred result out; scales are float32 numbers whose quotients float32 holds."""
    factors = []
    for real in (scale / 128 / output_scale, scale / 128 / (3 / 32768)):
        multiplier, left = multiplier_of(real)
        factors.append((min(half_up(Fraction(multiplier, 1 << 16)), 32767), left))
    (output_multiplier, output_left), (multiplier, left) = factors
    raised = wrap(x << 7, 16)
    output = product(raised, output_multiplier, 16)
    factor = saturate(raised << left - 1, 16) if left > 0 else raised
    factor = product(factor, multiplier, 16)
    factor = saturate(factor << 1, 16) if left > 0 else half_away(Fraction(factor, 1 << -left))
    factor = (factor + 32768) // 2
    exact = factor * output
    cut = abs(exact) // 32768 * (1 if exact >= 0 else -1)
    return half_away(Fraction(cut, 1 << -output_left))


def interpolation_table(function, low, high):
    """513 samples in Q0.15, each moved by half of the middle's error."""
    step = (high - low) / 512
    entries = []
    for index in range(512):
        here, middle, after = (function(low + (index + part) * step) * 32768 for part in (0, 0.5, 1))
        sample = half_away(Fraction(here))
        error = half_away(Fraction(after + sample) / 2) - half_away(Fraction(middle))
        entries.append(saturate(sample - half_away(Fraction(error, 2)), 16))
    return [*entries, saturate(half_away(Fraction(function(high) * 32768)), 16)]


def interpolate(table, code):
    index, offset = (code >> 7) + 256, code % 128
    return table[index] + half_up(Fraction((table[index + 1] - table[index]) * offset, 128))


def softmax_int16(row, scale, exponential, reciprocal):
    """Codes of 16 bits in, Q0.15 out."""
    constants = multiplier_of(scale / (10.0 / 65535.0))
    terms = [interpolate(exponential, saturate(rescale(code - max(row), *constants) + 32767, 16)) for code in row]
    bits = sum(terms).bit_length()
    mantissa = half_up(Fraction(sum(terms) << 31 - bits, 1 << 14))
    inverse = interpolate(reciprocal, saturate(mantissa - 3 * 32768, 16))
    return [min(max(half_up(Fraction(term * inverse, 1 << bits - 1)), 0), 32767) for term in terms]
