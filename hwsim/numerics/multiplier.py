"""The multiplier inside a MAC: exact, or whatever the user's hardware computes. Definition on unbounded integers.

Text form: ``exact``; a table ``path/to/products.npy``; a built-in, ``truncated:4`` or ``mitchell``; or a function of two
integers, ``package.module:function``.

The operands are the codes that meet in the array: raw codes where the datapath folds zero points, centred ones where it
subtracts them. Whatever corrects for zero points beside the array (sums of codes times a constant) is exact, as an adder
and one constant multiplier of that side path are.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.approximate import BUILT_IN, Product
from hwsim.numerics.formats import IntFormat

TABLE_ENTRIES = 1 << 22  # widest table that a function is written into
INT64_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Multiplier:
    """What one MAC computes of an activation and a weight.

    Args:
        text: how the user wrote it.
        function: product of two integers; None where it is exact or a table.
        entries: products ``[2^activation bits, 2^weight bits]``, rows and columns ascending from the smallest code of
            the operands' signedness; None where there is no table.
    """

    text: str = "exact"
    function: Product | None = None
    entries: np.ndarray | None = None

    @classmethod
    def parse(cls, text: str, folder: Path | None = None) -> Multiplier:
        """Read a text form; a relative path starts at ``folder``, by default where the process runs.

        Raises:
            HwsimError: a file, module or function that is not there, a table that is not one.

        >>> Multiplier.parse("truncated:2").product(3, 3, IntFormat(bits=4), IntFormat(bits=4))
        4
        """
        head, _, tail = text.strip().partition(":")
        if text.strip() == "exact":
            return EXACT
        if text.strip().endswith(".npy"):
            return cls(text=text, entries=_read_table(text, (folder or Path()) / text.strip()))
        if head in BUILT_IN:
            return cls(text=text, function=BUILT_IN[head](tail))
        if not tail:
            known = ["exact", *BUILT_IN]
            raise HwsimError(
                f"multiplier: {text!r} is unknown{did_you_mean(head, known)}; a file ends in .npy, a function is written "
                f"package.module:function"
            )
        return cls(text=text, function=_find_function(text, head, tail))

    @property
    def is_exact(self) -> bool:
        """Whether it computes ``x * w``."""
        return self.function is None and self.entries is None

    def product(self, x: int, w: int, activation: IntFormat, weight: IntFormat) -> int:
        """Return the product of two codes of these formats: the definition."""
        if self.entries is not None:
            rows, columns = (_base(number, size) for number, size in self._sides(activation, weight))
            return int(self.entries[x - rows, w - columns])
        if self.function is None:
            return x * w
        try:
            product = self.function(x, w)
        except Exception as error:
            raise HwsimError(
                f"multiplier {self.text!r}: raises {type(error).__name__} for ({x}, {w}): {error}"
            ) from error
        return _integer(self.text, product, x, w)

    def check(self, activation: IntFormat, weight: IntFormat) -> None:
        """Raise HwsimError where it cannot multiply codes of these formats: a table too small, a function that fails."""
        if self.entries is not None:
            self._sides(activation, weight)
            return
        for x in (activation.minimum, activation.maximum):
            for w in (weight.minimum, weight.maximum):
                self.product(x, w, activation, weight)

    def table(self, activation: IntFormat, weight: IntFormat) -> np.ndarray | None:
        """Return the products of all pairs of codes, int64 ``[activation.levels, weight.levels]``, from the smallest codes.

        None where there would be more than 2^22 of them and the multiplier is not a table itself.

        Raises:
            HwsimError: operands wider than the table, or a product that is no integer of 64 bits.
        """
        if self.entries is not None:
            sides = zip((activation, weight), self._sides(activation, weight), strict=True)
            starts = [(number.minimum - _base(number, size[1]), number.levels) for number, size in sides]
            (row, rows), (column, columns) = starts
            return self.entries[row : row + rows, column : column + columns].astype(np.int64)
        if activation.levels * weight.levels > TABLE_ENTRIES:
            return None
        x = range(activation.minimum, activation.maximum + 1)
        w = range(weight.minimum, weight.maximum + 1)
        return np.array([[self.product(i, j, activation, weight) for j in w] for i in x], np.int64)

    def _sides(self, activation: IntFormat, weight: IntFormat) -> list[tuple[IntFormat, int]]:
        """Return each operand with the size of its side of the table; raise where a code has no entry."""
        assert self.entries is not None
        sides = list(zip((activation, weight), self.entries.shape, strict=True))
        for name, (number, size) in zip(("activations", "weights"), sides, strict=True):
            if 1 << number.bits > size:
                raise HwsimError(
                    f"multiplier {self.text!r}: {name} of {number} need {1 << number.bits} entries, but the table is "
                    f"{self.entries.shape[0]} x {self.entries.shape[1]} (activations x weights); widen it, or quantize "
                    f"to narrower formats (zero points that the datapath subtracts cost one bit)"
                )
        return sides

    def __str__(self) -> str:
        return self.text


def _base(number: IntFormat, size: int) -> int:
    """Return the code of the first entry of a side of ``size`` entries."""
    return -(size // 2) if number.signed else 0


def _integer(text: str, product: Any, x: int, w: int) -> int:
    try:
        value = operator.index(product)
    except TypeError:
        raise HwsimError(
            f"multiplier {text!r}: returns {product!r} for ({x}, {w}); it must return an integer"
        ) from None
    if abs(value) > INT64_MAX:
        raise HwsimError(f"multiplier {text!r}: returns {value} for ({x}, {w}); a product must fit 64 bits")
    return value


def _read_table(text: str, path: Path) -> np.ndarray:
    try:
        entries = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise HwsimError(f"multiplier {text!r}: {path} cannot be read as a .npy file: {error}") from None
    sizes = getattr(entries, "shape", ())
    if len(sizes) != 2 or entries.dtype.kind not in "iu" or any(size < 2 or size & (size - 1) for size in sizes):
        raise HwsimError(
            f"multiplier {text!r}: {path} must hold integers [2^activation bits, 2^weight bits], not "
            f"{getattr(entries, 'dtype', type(entries).__name__)} {list(sizes)}"
        )
    if entries.dtype.kind == "u" and entries.size and int(entries.max()) > INT64_MAX:
        raise HwsimError(f"multiplier {text!r}: {path} holds {entries.max()}; a product must fit 64 bits")
    return np.asarray(entries.astype(np.int64))


def _find_function(text: str, module: str, name: str) -> Product:
    try:
        found = getattr(import_module(module), name)
    except ImportError as error:
        raise HwsimError(
            f"multiplier {text!r}: module {module!r} cannot be imported: {error}; install it, or put its folder in PYTHONPATH"
        ) from None
    except AttributeError:
        options = [key for key, value in vars(import_module(module)).items() if callable(value)]
        raise HwsimError(
            f"multiplier {text!r}: module {module!r} has no function {name!r}{did_you_mean(name, options)}"
        ) from None
    if not callable(found):
        raise HwsimError(f"multiplier {text!r}: {name!r} must be a function of two integers, not {found!r}")
    return found


EXACT = Multiplier()
