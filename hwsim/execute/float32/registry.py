"""The table of float32 operators, one for each row of OPS."""

from __future__ import annotations

from hwsim.execute.float32 import activation, arithmetic, convolution, matrix, movement, normalization, pooling, resize
from hwsim.execute.float32.arithmetic import FloatOp

FLOAT_OPS: dict[str, FloatOp] = {
    **convolution.OPERATORS,
    **matrix.OPERATORS,
    **pooling.OPERATORS,
    **arithmetic.OPERATORS,
    **activation.OPERATORS,
    **normalization.OPERATORS,
    **resize.OPERATORS,
    **movement.OPERATORS,
}
