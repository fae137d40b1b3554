"""LiteRT's operators on int8, uint8 and int16 tensors, see ``hwsim.numerics.vector.tflite``; other formats are ``native``.

An operator needs all its operands and its result in one of these types, as LiteRT does (SOFTMAX may give 16 bits for 8).
Fused activations clamp codes, each end rounded halves away from zero.
"""

from __future__ import annotations

from hwsim.execute.integer.arithmetic.tflite import activation, elementwise, pooling, resize, softmax

OPERATORS = {
    **activation.OPERATORS,
    **elementwise.OPERATORS,
    **pooling.OPERATORS,
    **resize.OPERATORS,
    **softmax.OPERATORS,
}
