"""The results of an operator: its node, the fused activation behind it, and the grid that the file gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tflite

from hwsim.errors import GraphError
from hwsim.graph import Node, passes_grid
from hwsim.interchange.reading.coded import read_on
from hwsim.interchange.tflite.layout import Permutation
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding, round_real

Clamp = tuple[float | None, float | None]

_CLAMPS: dict[int, Clamp] = {
    tflite.ActivationFunctionType.RELU: (0.0, None),
    tflite.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    tflite.ActivationFunctionType.RELU6: (0.0, 6.0),
}
_NAMES = {number: name for name, number in vars(tflite.ActivationFunctionType).items() if isinstance(number, int)}


def emit_result(
    reading: Reading,
    operator: FileOperator,
    op: str,
    inputs: Sequence[str],
    layout: Permutation,
    /,
    *,
    shaped: tuple[int, ...] | None = None,
    **attributes: Any,
) -> None:
    """Append the node of ``operator`` and let its result be output 0, in ``layout``.

    A fused activation becomes the clamp of a node that computes codes, and a node of its own behind one that only moves
    them or whose result is real-valued. Codes that move from one grid to another are not changed by the runtime: that is a
    Reinterpret.

    Args:
        reading: what is known so far.
        operator: of the file.
        op: a row of OPS.
        inputs: the graph's tensors.
        layout: of the result.
        shaped: to which the node's result is reshaped, None where it has its shape already.
        attributes: of the row.

    Raises:
        GraphError: an activation that is not supported, operands that do not fit the operator.
    """
    index = operator.outputs[0]
    final, grid = reading.names[index], reading.grid(index)
    moved = _moved_grid(reading, op, inputs, final, attributes)
    activation = operator.get("fused_activation_function")
    clamped = activation and grid is not None and moved is None
    relabelled = moved is not None and grid is not None and moved != grid
    steps = {"activation": activation and not clamped, "shape": shaped is not None, "grid": relabelled}
    chain = ["result", *(step for step, there in steps.items() if there)]
    targets = {step: final if step == chain[-1] else reading.fresh(f"{final}/{step}") for step in chain}
    target = targets["result"]
    if clamped:
        attributes["clamp"] = real_ends(_ends(activation), grid)
    reading.emit(op, final, inputs, [target], **attributes)
    _give_grid(reading, target, moved if moved is not None else grid)
    if "activation" in targets:
        source, target = target, targets["activation"]
        _emit_activation(reading, activation, f"{final}/activation", source, target)
        _give_grid(reading, target, reading.grids.get(source))
    if shaped is not None:
        source, target = target, targets["shape"]
        reading.reshape(f"{final}/shape", source, target, shaped)
    if relabelled and grid is not None:
        read_on(reading.draft, target, grid, output=final)
    reading.place(index, final, layout)


def emit_results(
    reading: Reading, operator: FileOperator, op: str, source: str, layout: Permutation, /, **attributes: Any
) -> None:
    """Append a node that moves the elements of ``source`` into all outputs of ``operator`` (Split)."""
    own = reading.grids.get(source)
    finals = [reading.names[index] for index in operator.outputs]
    grids = [reading.grid(index) for index in operator.outputs]
    targets = [
        final if own is None or grid in (None, own) else reading.fresh(f"{final}/result")
        for final, grid in zip(finals, grids, strict=True)
    ]
    reading.emit(op, finals[0], [source], targets, **attributes)
    for index, target, final, grid in zip(operator.outputs, targets, finals, grids, strict=True):
        if target != final and grid is not None:
            read_on(reading.draft, target, grid, output=final)
        reading.place(index, final, layout)


def emit_alias(reading: Reading, index: int, source: str, layout: Permutation) -> None:
    """Let tensor ``index`` of the file be the graph's ``source``; a node only where the file gives it another grid."""
    grid = reading.grid(index)
    if grid is not None and source in reading.grids:
        source = read_on(reading.draft, source, grid, output=reading.names[index])
    reading.place(index, source, layout)


def real_ends(ends: Clamp, grid: QuantParams | None) -> Clamp:
    """Return the ends of a fused activation in real units, such that they are encoded as the runtime encodes them.

    ``CalculateActivationRangeQuantized`` takes ``zero_point + round(end / scale)``, halves away from zero, in float32. An
    end inside the format's range becomes the real value of that code; one beyond it stays, and is saturated.
    """
    return _real_end(ends[0], grid), _real_end(ends[1], grid)


def _real_end(end: float | None, grid: QuantParams | None) -> float | None:
    if end is None or grid is None:
        return end
    scale = grid.scales()[0]
    with np.errstate(over="ignore"):
        steps = round_real(np.float32(end) / scale, Rounding.HALF_AWAY)
    low, high = (bound - grid.zero_point[0] for bound in (grid.integers.minimum, grid.integers.maximum))
    return float(scale * np.float32(steps)) if low <= steps <= high else end


def _ends(activation: int) -> Clamp:
    if activation not in _CLAMPS:
        raise GraphError(
            f"the fused activation {_NAMES.get(activation, activation)} is not supported here; convert the model with it as "
            "an operator of its own"
        )
    return _CLAMPS[activation]


def _emit_activation(reading: Reading, activation: int, name: str, source: str, target: str) -> None:
    if activation == tflite.ActivationFunctionType.TANH and source not in reading.grids:
        reading.emit("Tanh", name, [source], [target])
        return
    low, high = _ends(activation)
    if high is None:
        reading.emit("Relu", name, [source], [target])
    else:
        reading.emit("Clip", name, [source], [target], minimum=low, maximum=high)


def _moved_grid(
    reading: Reading, op: str, inputs: Sequence[str], final: str, attributes: dict[str, Any]
) -> QuantParams | None:
    """Return the grid that the node hands on from its first input, None where it computes new codes or reals."""
    if not passes_grid(Node(name=final, op=op, inputs=tuple(inputs), outputs=(final,), attributes=attributes)):
        return None
    return reading.grids.get(inputs[0])


def _give_grid(reading: Reading, name: str, grid: QuantParams | None) -> None:
    if grid is not None:
        reading.grids[name] = grid
