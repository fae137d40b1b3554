"""MixQuant's rule: every layer takes the narrowest width whose round-off error is near that of a reference width.

arXiv:2309.17341: the smallest b with ``e_b <= QEM * e_ref``, e the mean squared error of the layer's weights and QEM, the
quantization error multiplier, the user's. Layers do not compete for a budget, and nothing is priced.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.knobs import Assignment, with_widths
from hwsim.quantization.allocate.sensitivity.round_off import measure
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import WidthTable
from hwsim.quantization.state import State


def within_multiple(errors: WidthTable, multiple: float) -> Assignment:
    """Return of every knob the narrowest width whose error is at most ``multiple`` times that of its widest."""
    rows = zip(errors.choices.bits, errors.values, strict=True)
    return tuple(
        next(b for b, error in zip(widths, row, strict=True) if error <= multiple * row[-1] or b == widths[-1])
        for widths, row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class QemRule:
    """Choose weight widths by MixQuant's rule, before ``SetGrids``.

    Args:
        multiple: the quantization error multiplier, 1 or more.
        weights: widths, the widest is the reference.
        fixed: patterns of layers that keep the scheme's width.
    """

    multiple: float
    weights: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    fixed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.multiple >= 1:
            raise HwsimError(f"allocate: the quantization error multiplier must be at least 1, not {self.multiple}")

    def __call__(self, state: State) -> State:
        """Return the state with one rule per layer in its scheme's plan."""
        variants = Variants(state.graph, state.scheme, None)
        choices = variants.choices({"weights": self.weights}, self.fixed)
        bits = within_multiple(measure(variants, choices, {}, state.seed), self.multiple)
        return state.with_(scheme=with_widths(state.scheme, choices.knobs, bits))
