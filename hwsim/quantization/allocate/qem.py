"""MixQuant's rule: every layer takes the narrowest width whose round-off error is near that of a reference width.

arXiv:2309.17341: the smallest b with ``e_b <= QEM * e_ref``, e the mean squared error of the layer's weights and QEM, the
quantization error multiplier, the user's. Layers do not compete for a budget, and nothing is priced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.knobs import Assignment, with_widths
from hwsim.quantization.allocate.sensitivity.round_off import measure
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import WidthTable
from hwsim.quantization.set_grids import with_keys
from hwsim.quantization.state import State


def within_multiple(errors: WidthTable, multiple: float) -> Assignment:
    """Return of every knob the narrowest width whose error is at most ``multiple`` times that of its widest."""
    rows = zip(errors.choices.bits, errors.values, strict=True)
    return tuple(
        next(b for b, error in zip(widths, row, strict=True) if error <= multiple * row[-1] or b == widths[-1])
        for widths, row in rows
    )


def least_uniform(errors: WidthTable, bits: Assignment, sizes: Sequence[int]) -> float:
    """Return the least sum of errors with one width everywhere and no more bits in all than ``bits``.

    Args:
        errors: of weights.
        bits: an assignment.
        sizes: weights of every knob.
    """

    def stored(assignment: Assignment) -> int:
        return sum(size * b for size, b in zip(sizes, assignment, strict=True))

    choices = errors.choices
    found = [choices.nearest({"weights": b}) for b in choices.of_key("weights")]
    return min(errors.total(uniform) for uniform in found if stored(uniform) <= stored(bits))


@dataclass(frozen=True, slots=True, kw_only=True)
class QemRule:
    """Choose weight widths by MixQuant's rule, before ``SetGrids``.

    ``state.losses`` gets ``allocate.sensitivity``, the sum of the layers' relative errors, and ``allocate.uniform``, the least
    sum of a network of one width that stores no more bits of weights.

    Args:
        multiple: the quantization error multiplier, 1 or more.
        weights: widths, the widest is the reference.
        fixed: patterns of layers that keep the scheme's width.
        keys: of the plan's default that hold where the user states nothing, as in ``SetGrids``.
    """

    multiple: float
    weights: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    fixed: tuple[str, ...] = ()
    keys: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.multiple >= 1:
            raise HwsimError(f"allocate: the quantization error multiplier must be at least 1, not {self.multiple}")

    def __call__(self, state: State) -> State:
        """Return the state with one rule per layer in its scheme's plan, and the losses."""
        state = with_keys(state, self.keys or {})
        variants = Variants(state.graph, state.scheme, None)
        choices = variants.choices({"weights": self.weights}, self.fixed)
        errors = measure(variants, choices, {}, state.seed)
        bits = within_multiple(errors, self.multiple)
        sizes = [state.graph.tensors[state.graph.node_of[knob.layer].inputs[1]].size for knob in choices.knobs]
        losses = {"allocate.sensitivity": errors.total(bits), "allocate.uniform": least_uniform(errors, bits, sizes)}
        scheme = with_widths(state.scheme, choices.knobs, bits)
        return state.with_(scheme=scheme, losses=losses, note=variants.note(["weights"]))
