"""TensorFlow Lite by layer: ``tflite_double``, or ``tflite_int16x8`` where 16-bit activations are summed in 64 bits.

``Requantizer.resolved`` chooses; unresolved, as for layers outside of the array, it is ``tflite_double``. Source:
``lite/kernels/conv.cc``, ``depthwise_conv.cc``, ``fully_connected.cc``: ``EvalQuantizedPerChannel16x8`` sums in 32 bits where
the operator's ``quantized_bias_type`` is INT32, which a file states with a 32-bit bias, and in 64 bits otherwise.
"""

from __future__ import annotations

from hwsim.numerics.requantizers.tflite_double import (
    KEYS,
    LAYER_SCALES,
    constants,
    real_scale,
    requantize_one,
    rescale_sum_one,
    sum_constants,
)

__all__ = [
    "KEYS",
    "LAYER_SCALES",
    "constants",
    "real_scale",
    "requantize_one",
    "rescale_sum_one",
    "resolved",
    "sum_constants",
]


def resolved(ifmap_bits: int, bias_bits: int | None) -> str:
    """Return the scheme of an array layer; without a bias 16-bit activations are summed in 64 bits.

    >>> resolved(8, 32), resolved(16, 64), resolved(16, None), resolved(16, 32)
    ('tflite_double', 'tflite_int16x8', 'tflite_int16x8', 'tflite_double')
    """
    return "tflite_int16x8" if ifmap_bits == 16 and bias_bits != 32 else "tflite_double"
