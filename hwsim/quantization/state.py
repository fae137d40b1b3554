"""What the steps of a recipe hand to one another.

A recipe is a sequence of steps, each a function ``State -> State``: transforms of the float network come first, then
``SetGrids``, then what moves codes, biases or activation grids. A step reads everything it needs from the state, so that
the same state and options give the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.quantization.scheme import Scheme


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """A network on its way from float to integers.

    Args:
        reference: the prepared float network as it came: what quality is measured against.
        graph: the float network as transformed so far; after ``SetGrids`` the quantized one, whose constants keep their
            float values in ``data`` beside ``quant`` and, where a step chose them, ``codes``.
        calibration: images by input name ``[images, ...]`` in the graph's layout, inputs only; None for a data-free recipe.
        scheme: formats, granularities and estimators.
        machine: what the network is quantized for: allocation asks it for prices, execution for its rounding.
        seed: of everything that is drawn.
        losses: what steps report of themselves, by name (``adaround.nearest``, ``adaround.loss``, ...).
        notes: sentences for the user.
    """

    reference: Graph
    graph: Graph
    calibration: Mapping[str, np.ndarray] | None
    scheme: Scheme
    machine: Accelerator
    seed: int = 0
    losses: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "losses", MappingProxyType(dict(self.losses)))

    def with_(self, *, note: str | None = None, losses: Mapping[str, float] | None = None, **changes: Any) -> State:
        """Return a copy with fields replaced, a note added, and losses added."""
        return replace(
            self,
            **changes,
            losses={**self.losses, **(losses or {})},
            notes=self.notes if note is None else (*self.notes, note),
        )

    def images(self, step: str) -> Mapping[str, np.ndarray]:
        """Return the calibration images; raise HwsimError, in the name of ``step``, where the recipe was given none."""
        if self.calibration is None:
            raise HwsimError(f"{step}: needs calibration images; give --calibration, or choose a data-free recipe")
        return self.calibration


class Step(Protocol):
    """One step of a recipe; implementations are frozen dataclasses whose fields are its options."""

    def __call__(self, state: State) -> State:
        """Return the state after the step."""
