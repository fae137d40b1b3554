"""The step that allocates: sensitivities, prices, a budget, and one precision rule per layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.allocator import Allocation, Allocator
from hwsim.quantization.allocate.budget import budget_of
from hwsim.quantization.allocate.costs import Pricer, cost_of, executable
from hwsim.quantization.allocate.knobs import Key, with_widths
from hwsim.quantization.allocate.measured import Measured
from hwsim.quantization.allocate.search import narrowed, search
from hwsim.quantization.allocate.sensitivity import sensitivity_measure
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.calibrate import needs_of, observe
from hwsim.quantization.set_grids import with_keys
from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocate:
    """Choose the widths of every layer within a budget, before ``SetGrids``.

    ``state.losses`` gets ``allocate.sensitivity``, ``allocate.price`` (of the whole network) and ``allocate.budget``, and, where a
    uniform network keeps the budget, the sensitivity of the best one as ``allocate.uniform``.

    Args:
        budget: a number in the cost's unit, a share such as ``60%`` of the network with all widths at their widest, or a
            uniform network such as ``int4`` or ``int4/uint6``.
        sensitivity: what is minimized, see ``hwsim.quantization.allocate.sensitivity``.
        cost: what the budget limits: ``cycles``, ``energy``, ``dram``, ``weights`` or ``area``.
        weights: widths that weights may take.
        activations: widths that results may take; None leaves them to the scheme.
        solver: ``exact``, or ``search`` from the exact solution on.
        whole: with ``search``: minimize the loss (``kl`` or ``sqnr``) of the whole network as executed, not the sum over layers.
        trials: of the search.
        fixed: patterns of layers that keep the scheme's widths, as those do whose width a rule of the plan states.
        images: how many calibration images the sensitivity sees.
        keys: of the plan's default that hold where the user states nothing, as in ``SetGrids``.
    """

    budget: float | str
    sensitivity: str = "round_off"
    cost: str = "energy"
    weights: tuple[int, ...] = (2, 3, 4, 6, 8)
    activations: tuple[int, ...] | None = None
    solver: Literal["exact", "search"] = "exact"
    whole: bool = False
    trials: int = 100
    fixed: tuple[str, ...] = ()
    images: int = 128
    keys: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if self.solver not in ("exact", "search"):
            raise HwsimError(f"allocate: solver must be exact or search, not {self.solver!r}")
        if self.whole and self.solver != "search":
            raise HwsimError("allocate: whole=True asks for the loss of the whole network, which only a search reads")

    def __call__(self, state: State) -> State:
        """Return the state with one rule per layer in its scheme's plan, the losses and a note of what was found."""
        state = with_keys(state, self.keys or {})
        seen = (
            None
            if state.calibration is None
            else observe(state.graph, state.calibration, needs_of(state.graph, state.scheme.plan))
        )
        variants = Variants(state.graph, state.scheme, seen)
        widths: dict[Key, tuple[int, ...]] = {"weights": self.weights}
        if self.activations is not None:
            widths["activations"] = self.activations
        pricer = Pricer(variants, state.machine, cost_of(self.cost))
        choices, refused = executable(pricer, variants.choices(widths, self.fixed))
        images = {name: array[: self.images] for name, array in (state.calibration or {}).items()}
        measure = sensitivity_measure(self.sensitivity)
        allocator = Allocator(choices, measure(variants, choices, images, state.seed), pricer)
        budget = budget_of(self.budget, allocator)
        found = allocator.within_cost(budget)
        losses = {}
        if self.solver == "search":
            loss = Measured(variants, choices, state.machine, images, self.sensitivity) if self.whole else allocator.sensitivity.total  # fmt: skip
            losses["allocate.start"] = loss(found.bits)
            bits, losses["allocate.found"] = search(
                loss, narrowed(allocator, budget), choices, [found.bits], trials=self.trials, seed=state.seed
            )
            found = allocator.of(bits)
        uniform = allocator.best_uniform(budget)
        if uniform is not None:
            losses["allocate.uniform"] = uniform.sensitivity
        for note in refused:
            state = state.with_(note=f"allocate: {note}")
        state = state.with_(note=variants.note(widths))
        return state.with_(
            scheme=with_widths(state.scheme, choices.knobs, found.bits),
            note=self._note(found, budget, pricer.cost.unit),
            losses=losses
            | {
                "allocate.sensitivity": found.sensitivity,
                "allocate.price": found.price,
                "allocate.predicted": found.predicted,
                "allocate.budget": budget,
                "allocate.gap": found.gap,
            },
        )

    def _note(self, found: Allocation, budget: float, unit: str) -> str:
        widths = ", ".join(f"{knob} {b}" for knob, b in zip(found.choices.knobs, found.bits, strict=True))
        return (
            f"allocate: {self.cost} {found.price:.6g} of at most {budget:.6g} {unit}, {self.sensitivity} "
            f"{found.sensitivity:.4g}: {widths}"
        )
