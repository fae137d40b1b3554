"""Approximate multipliers that are usable by name. They multiply magnitudes and set the sign after."""

from __future__ import annotations

from collections.abc import Callable

from hwsim.errors import HwsimError

Product = Callable[[int, int], int]


def mitchell(x: int, w: int) -> int:
    """Return Mitchell's logarithmic product: ``2^(log2 x + log2 w)`` with both functions drawn as straight lines.

    For ``x = 2^a (1 + f)`` and ``w = 2^b (1 + g)``: ``2^(a+b) (1 + f + g)`` where ``f + g < 1``, else
    ``2^(a+b+1) (f + g)``; exact in integers, never above the true product and at most a ninth below it. Magnitudes are
    multiplied, the sign is set after. J. N. Mitchell, "Computer multiplication and division using binary logarithms",
    IRE Transactions on Electronic Computers, 1962.

    >>> mitchell(3, 3), mitchell(-4, 5), mitchell(0, 7)
    (8, -20, 0)
    """
    if x == 0 or w == 0:
        return 0
    left, right = abs(x), abs(w)
    a, b = 0, 0
    while left >> (a + 1):
        a += 1
    while right >> (b + 1):
        b += 1
    fraction = ((left - (1 << a)) << b) + ((right - (1 << b)) << a)
    whole = 1 << (a + b)
    size = whole + fraction if fraction < whole else 2 * fraction
    return -size if (x < 0) != (w < 0) else size


def truncated(bits: int) -> Product:
    """Return the product of an array multiplier whose ``bits`` lowest columns are not built.

    Each partial product, ``|w| << i`` for each bit i of ``|x|``, loses its ``bits`` lowest bits before they are added;
    nothing compensates for them. Magnitudes are multiplied, the sign is set after.

    >>> truncated(4)(15, 15), truncated(0)(-15, 15)
    (176, -225)
    """

    def product(x: int, w: int) -> int:
        left, right = abs(x), abs(w)
        size = 0
        i = 0
        while left >> i:
            if (left >> i) & 1:
                size += ((right << i) >> bits) << bits
            i += 1
        return -size if (x < 0) != (w < 0) else size

    return product


def _make_truncated(tail: str) -> Product:
    if not tail.isdigit() or not 0 <= int(tail) <= 32:
        raise HwsimError(f"multiplier: truncated needs the columns it drops, 0..32, as in truncated:4, not {tail!r}")
    return truncated(int(tail))


def _make_mitchell(tail: str) -> Product:
    if tail:
        raise HwsimError(f"multiplier: mitchell has no parameter, not {tail!r}")
    return mitchell


BUILT_IN: dict[str, Callable[[str], Product]] = {"truncated": _make_truncated, "mitchell": _make_mitchell}
