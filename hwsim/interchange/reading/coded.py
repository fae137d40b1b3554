"""Tensors on grids while the graph is being read: reading codes on a grid, putting results and constants on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import Node, passes_grid
from hwsim.interchange.reading.batch import Shape
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import format_of_array, raw_grid
from hwsim.numerics.formats import Format
from hwsim.numerics.quant_params import QuantParams


def code_format(draft: Draft, name: str) -> Format:
    """Return the format of a tensor's codes; raise GraphError where it holds real numbers."""
    grid = draft.grids.get(name)
    if grid is not None:
        return grid.format
    number = format_of_array(draft.constants[name]) if name in draft.constants else None
    if number is None:
        raise GraphError(f"{name!r} holds real numbers where codes are read; put QuantizeLinear before it")
    return number


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
    _check_type(tensor, code_format(draft, tensor), grid.format)
    own = draft.grids[tensor]
    if _read_alike(own, grid):
        return tensor
    known = draft.readings.get((tensor, grid))
    if known is not None:
        return known
    name = output or draft.free_name(f"{tensor}/read")
    factor, offset = _reading(own, grid, draft.shape(tensor))
    draft.emit("Reinterpret", name, [tensor], [name], factor=factor, offset=offset)
    draft.grids[name] = grid
    draft.readings[tensor, grid] = name
    return name


def read_from(draft: Draft, tensor: str, zero: str) -> str:
    """Return a tensor with the codes of ``tensor``, in units of 1 from a zero point that is computed at run time.

    Args:
        draft: the graph so far.
        tensor: an activation or constant that holds codes.
        zero: one code of the same type.

    Raises:
        GraphError: no codes, types that differ, more than one zero point.
    """
    if draft.shape(zero) not in ((), (1,)):
        raise GraphError(
            f"the zero point {zero!r} is computed at run time and must be one number, not {list(draft.shape(zero))}"
        )
    number = code_format(draft, tensor)
    _check_type(zero, code_format(draft, zero), number)
    known = draft.readings.get((tensor, zero))
    if known is not None:
        return known
    name = draft.free_name(f"{tensor}/read")
    draft.emit("Reinterpret", name, [raw(draft, tensor), raw(draft, zero)], [name], factor=1.0, offset=0.0)
    draft.grids[name] = replace(raw_grid(number), is_found_at_run_time=True)
    draft.readings[tensor, zero] = name
    return name


def _read_alike(own: QuantParams, grid: QuantParams) -> bool:
    """Whether codes mean the same on both grids, whatever order and rounding wrote them."""
    facts = [(g.format, g.scale, g.zero_point, g.granularity) for g in (own, grid)]
    return facts[0] == facts[1]


def _check_type(tensor: str, own: Format, read: Format) -> None:
    if own != read:
        raise GraphError(f"{tensor!r} holds {own} codes, and is read as {read} codes; the types must be equal")


def _reading(own: QuantParams, grid: QuantParams, shape: Shape) -> tuple[float | np.ndarray, float | np.ndarray]:
    """Return factor and offset with ``real on grid = factor * real on own + offset``: numbers, or arrays that broadcast."""
    before, after = (g.granularity.spread(g.scales().astype(np.float64), shape) for g in (own, grid))
    zero_before, zero_after = (g.granularity.spread(g.zero_points(), shape) for g in (own, grid))
    factor, offset = after / before, after * (zero_before - zero_after)
    if factor.size == offset.size == 1:
        return float(factor.reshape(())), float(offset.reshape(()))
    return factor, offset


def constant_on(draft: Draft, name: str, grid: QuantParams) -> str:
    """Return the constant whose stored integers stand on ``grid``: ``name`` itself unless it is on another one already.

    Raises:
        GraphError: a constant of real numbers, or of another type than the grid.
    """
    own = draft.grids.get(name)
    if own is not None and _read_alike(own, grid):
        return name
    _check_type(name, code_format(draft, name), grid.format)
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
    return read_on(draft, tensor, raw_grid(code_format(draft, tensor)))


def put_inputs_on_grids(draft: Draft, outputs: Sequence[str]) -> None:
    """Give inputs of codes the grid on which all of their readers read them, so that no ``Reinterpret`` is left."""
    results = {draft.resolve(name) for name in outputs}
    for name in draft.code_inputs:
        readers = [node for node in draft.nodes if name in node.inputs]
        read = {reader.outputs[0] for reader in readers}
        grids = {draft.grids.get(output) for output in read}
        if len(grids) != 1 or not all(map(_only_reads, readers)) or results & {name, *read}:
            continue
        grid = grids.pop()
        assert grid is not None
        draft.grids[name] = grid
        draft.nodes = [
            replace(node, inputs=tuple(name if tensor in read else tensor for tensor in node.inputs))
            for node in draft.nodes
            if node.op != "Reinterpret" or name not in node.inputs
        ]


def _only_reads(node: Node) -> bool:
    """Whether the node reads codes on a grid that is known before any input."""
    return node.op == "Reinterpret" and len(node.inputs) == 1
