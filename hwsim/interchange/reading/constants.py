"""Constants in another shape, order or scale; the codes of those on grids stay what they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.graph.moves import reshaped, transposed
from hwsim.interchange.reading.batch import Shape
from hwsim.interchange.reading.draft import Draft
from hwsim.numerics.quant_params import QuantParams


def require_constant(draft: Draft, name: str, role: str) -> np.ndarray:
    """Return the stored array of a constant, codes where it has a grid; raise GraphError if it is computed from an input."""
    if name not in draft.constants:
        draft.constant(name, role)
    return draft.constants[name]


def reshaped_constant(draft: Draft, name: str, wanted: str, shape: Shape) -> str:
    """Store a constant in another shape and return its name; its codes survive if every scale keeps an axis of its own."""
    value, grid = draft.constants[name], draft.grids.get(name)
    after = None if grid is None else reshaped(grid, value.shape, shape)
    if grid is not None and after is None:
        note_lost(draft, name)
        value = draft.real(name)
    return draft.add_constant(wanted, value.reshape(shape), after)


def transposed_constant(draft: Draft, name: str, wanted: str, permutation: tuple[int, ...]) -> str:
    """Store a constant with its axes in another order and return its name."""
    value, grid = draft.constants[name], draft.grids.get(name)
    after = None if grid is None else transposed(grid, permutation, value.shape)
    moved = value.transpose(permutation)
    spread = not any(value.strides)  # one number without memory
    return draft.add_constant(wanted, moved if spread else np.ascontiguousarray(moved), after)


def scaled_constant(draft: Draft, name: str, wanted: str, factor: float) -> str:
    """Store a constant times ``factor`` and return its name; codes keep their integers where the factor is positive."""
    grid = draft.grids.get(name)
    if grid is not None and factor > 0:
        scales = grid.scales() * np.float32(factor)
        return draft.add_constant(wanted, draft.constants[name], replace(grid, scale=tuple(scales.tolist())))
    value = draft.real(name)
    return draft.add_constant(wanted, (value * np.float32(factor)).astype(value.dtype))


def row_constant(draft: Draft, name: str, wanted: str, count: int) -> str:
    """Store one or ``count`` constant numbers as ``[count]`` and return its name."""
    value, grid = draft.constants[name], draft.grids.get(name)
    row = np.array(np.broadcast_to(value.reshape(-1), (count,)))
    if grid is None:
        return draft.add_constant(wanted, row)
    after = reshaped(grid, value.shape, (value.size,))
    if after is None:
        note_lost(draft, name)
        row = np.array(np.broadcast_to(draft.real(name).reshape(-1), (count,)))
    return draft.add_constant(wanted, row, after)


def first_row(draft: Draft, name: str, wanted: str) -> str:
    """Store index 0 of the first axis and return its name."""
    grid = draft.grids.get(name)
    if grid is not None and grid.granularity.axis == 0:
        return draft.add_constant(wanted, draft.real(name)[:1])
    if grid is not None and (grid.granularity.block is not None or grid.granularity.by == 0):
        grid = _first_row_of_blocks(grid, draft.shape(name))
    return draft.add_constant(wanted, draft.constants[name][:1], grid)


def _first_row_of_blocks(grid: QuantParams, shape: Shape) -> QuantParams:
    assert grid.scale is not None
    count = len(grid.scale) // shape[0]
    return replace(grid, scale=grid.scale[:count], zero_point=grid.zero_point[:count])


def note_lost(draft: Draft, name: str) -> None:
    """Note that a constant is taken as real numbers."""
    draft.notes[f"constant {name!r} has scales along an axis that is reshaped away; it is taken as real numbers"] = None
