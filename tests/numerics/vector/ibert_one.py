"""I-BERT's algorithms 1 to 4 on Python integers, one value or row at a time, and the widest integer that they met."""

from __future__ import annotations

import math


class Registers:
    """Passes integers through and remembers the widest."""

    def __init__(self):
        self.widest = 0

    def __call__(self, value):
        self.widest = max(self.widest, abs(value))
        return value


def move(value, places):
    return value << places if places >= 0 else value >> -places


def poly(q, scale, a, b, c, keep):
    shift, constant = math.floor(b / scale), math.floor(c / (a * scale * scale))
    return keep(keep((q + shift) ** 2) + constant), a * scale * scale


def erf(q, scale, keep):
    edge = -math.floor(-1.769 / scale)
    size = min(abs(q), edge)
    value, unit = poly(size, scale, -0.2888, -1.769, 1.0, keep)
    return (q > 0) * value - (q < 0) * value, unit


def gelu(q, scale, places, keep):
    """``places`` moves the operand of erf."""
    value, unit = erf(move(q, places), scale / math.sqrt(2) / 2.0**places, keep)
    return keep(-q * (value + math.floor(1 / unit))), -scale * unit / 2


def softmax(row, scale, places, keep):
    fine = scale / 2.0**places
    step = math.floor(math.log(2) / fine)
    terms = []
    for code in row:
        below = keep(move(code - max(row), places))
        z = -below // step
        value, _ = poly(below + z * step, fine, 0.3585, 1.353, 0.344, keep)
        terms.append((value >> min(z, 31)) >> 14)
    factor = 2**32 // keep(sum(terms))
    return [(term * factor) >> 16 for term in terms]


def sqrt(value):
    return math.isqrt(value)


def layer_norm(row, places, weight, bias, keep):
    n = len(row)
    moved = [keep(move(code, places)) for code in row]
    mean = math.floor((2 * keep(sum(moved)) + n) / (2 * n))
    centred = [code - mean for code in moved]
    root = sqrt(keep(sum(code * code for code in centred)))
    factor = keep(min(2**31 // max(root, 1), 2**31 - 1))
    return [keep(keep((keep(y * factor) >> 16) * w) + b) for y, w, b in zip(centred, weight, bias, strict=True)]
