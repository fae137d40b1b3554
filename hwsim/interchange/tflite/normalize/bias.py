"""Biases: the runtime adds their codes to the accumulator, so their grid is that of its unit."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.values import FORMATS, REALS
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams


def bias_operand(reading: Reading, operator: FileOperator, place: int, x: int, weight: int) -> list[str]:
    """Return the bias of a product as a list of its name, empty where the operator has none.

    Integers (32 or 64 bits) get the grid ``input scale * weight scale``, whatever scale and axis the file writes: the
    runtime does not read them either, and old converters write axis 3.

    Raises:
        GraphError: a bias that is not constant, or integers beside real-valued operands.
    """
    if not operator.has(place):
        return []
    index = operator.inputs[place]
    values = reading.constant(index, "bias").reshape(-1)
    kind = reading.tensor(index).type
    if kind in REALS:
        return [reading.add_constant(reading.names[index], values, None)]
    first, second = reading.grid(x), reading.grid(weight)
    if first is None or second is None or kind not in ("INT32", "INT64"):
        raise GraphError(
            f"bias {reading.names[index]!r} holds {kind}; integer products take INT32 or INT64, real-valued ones FLOAT32"
        )
    with np.errstate(over="ignore", under="ignore"):
        scales = (first.scales() * second.scales()).astype(np.float32)
    if not (np.isfinite(scales) & (scales > 0)).all():
        raise GraphError(
            f"bias {reading.names[index]!r}: the product of the input's and the weight's scale leaves float32"
        )
    if scales.size not in (1, values.size):
        raise GraphError(f"bias {reading.names[index]!r} has {values.size} elements for {scales.size} output channels")
    grid = QuantParams(
        format=FORMATS[kind],
        scale=tuple(float(scale) for scale in scales),
        zero_point=(0,) * scales.size,
        granularity=PER_TENSOR if scales.size == 1 else Granularity(axis=0),
    )
    return [reading.add_constant(reading.names[index], values, grid)]
