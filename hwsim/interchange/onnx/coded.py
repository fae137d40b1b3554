"""Tensors on grids while the graph is being read: reading codes on a grid, putting results and constants on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import passes_grid
from hwsim.interchange.onnx.draft import Draft
from hwsim.interchange.onnx.element_types import format_of_array, raw_grid
from hwsim.numerics.quant_params import QuantParams


def read_on(draft: Draft, tensor: str, grid: QuantParams, output: str | None = None) -> str:
    """Return a tensor with the codes of ``tensor``, which an operator reads on ``grid``.

    Args:
        draft: the graph so far.
        tensor: an activation or constant that holds codes.
        grid: scale and zero point as the operator that reads the codes gives them.
        output: name of the result where a ``Reinterpret`` is needed; one made from the tensor's name without it.

    Raises:
        GraphError: the tensor holds no codes, or codes of another type.
    """
    if tensor in draft.constants:
        return constant_on(draft, tensor, grid)
    own = draft.grids.get(tensor)
    if own is None:
        raise GraphError(f"{tensor!r} holds real numbers where codes are read; put QuantizeLinear before it")
    if own == grid:
        return tensor
    _check_type(tensor, own, grid)
    known = draft.readings.get((tensor, grid))
    if known is not None:
        return known
    name = output or _free(draft, f"{tensor}/read")
    factor, offset = _reading(own, grid, len(draft.shape(tensor)), draft.shape(tensor))
    draft.emit("Reinterpret", name, [tensor], [name], factor=factor, offset=offset)
    draft.grids[name] = grid
    draft.readings[tensor, grid] = name
    return name


def _check_type(tensor: str, own: QuantParams, grid: QuantParams) -> None:
    if own.format != grid.format:
        raise GraphError(
            f"{tensor!r} holds {own.format} codes, and its zero point is {grid.format}; they must be equal"
        )


def _reading(
    own: QuantParams, grid: QuantParams, rank: int, shape: tuple[int, ...]
) -> tuple[float | np.ndarray, float | np.ndarray]:
    """Return factor and offset with ``real on grid = factor * real on own + offset``: numbers, or arrays that broadcast."""
    before, after = (g.granularity.spread(g.scales().astype(np.float64), shape) for g in (own, grid))
    zero_before, zero_after = (g.granularity.spread(g.zero_points(), shape) for g in (own, grid))
    factor, offset = after / before, after * (zero_before - zero_after)
    if factor.size == offset.size == 1:
        return float(factor.reshape(())), float(offset.reshape(()))
    return factor, offset


def _free(draft: Draft, name: str) -> str:
    unique, number = name, 2
    while unique in draft.constants or unique in draft.shapes:
        unique, number = f"{name}.{number}", number + 1
    return unique


def constant_on(draft: Draft, name: str, grid: QuantParams) -> str:
    """Return the constant whose stored integers stand on ``grid``: ``name`` itself unless it is on another one already.

    Raises:
        GraphError: a constant of real numbers, or of another type than the grid.
    """
    number = format_of_array(draft.constants[name])
    own = draft.grids.get(name)
    if own is None and number is None:
        raise GraphError(f"{name!r} holds real numbers where codes are read; store it as integers")
    if own == grid:
        return name
    _check_type(name, own if own is not None else raw_grid(number), grid)  # type: ignore[arg-type]
    if own is None:
        draft.grids[name] = grid
        return name
    return draft.add_constant(name, draft.constants[name], grid)


def put_on(draft: Draft, output: str, grid: QuantParams) -> None:
    """Give a result its grid, and with it what is only moved to become that result (the Squeeze behind a 1-D operator)."""
    draft.grids[output] = grid
    draft.code_names.add(output)
    node = draft.producer[output]
    if passes_grid(node) and node.inputs[0] in draft.producer and node.inputs[0] not in draft.grids:
        put_on(draft, node.inputs[0], grid)


def raw(draft: Draft, tensor: str) -> str:
    """Return a tensor on whose grid the codes of ``tensor`` stand for themselves: scale 1, zero point 0."""
    if tensor in draft.constants:
        number = format_of_array(draft.constants[tensor])
    else:
        own = draft.grids.get(tensor)
        number = None if own is None else own.format
    if number is None:
        raise GraphError(f"{tensor!r} holds real numbers where codes are read; put QuantizeLinear before it")
    return read_on(draft, tensor, raw_grid(number))


def put_inputs_on_grids(draft: Draft, outputs: Sequence[str]) -> None:
    """Give inputs of codes the grid on which all of their readers read them, so that no ``Reinterpret`` is left."""
    results = {draft.resolve(name) for name in outputs}
    for name in draft.code_inputs:
        readers = [node for node in draft.nodes if name in node.inputs]
        read = {reader.outputs[0] for reader in readers}
        grids = {draft.grids.get(output) for output in read}
        if len(grids) != 1 or any(node.op != "Reinterpret" for node in readers) or results & {name, *read}:
            continue
        grid = grids.pop()
        assert grid is not None
        draft.grids[name] = grid
        draft.nodes = [
            replace(node, inputs=tuple(name if tensor in read else tensor for tensor in node.inputs))
            for node in draft.nodes
            if node.op != "Reinterpret" or name not in node.inputs
        ]
