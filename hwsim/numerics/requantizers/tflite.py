"""TensorFlow Lite by layer: ``tflite_double``, ``tflite_int16x8`` or ``float64``.

16-bit activations that are summed in 64 bits take the second, fully connected layers the third.

``Requantizer.resolved`` chooses; unresolved, as for layers outside of the array, it is ``tflite_double``. Source:
``lite/kernels/conv.cc``, ``depthwise_conv.cc``, ``fully_connected.cc``: ``EvalQuantizedPerChannel16x8`` sums in 32 bits where
the operator's ``quantized_bias_type`` is INT32, which a file states with a 32-bit bias, and in 64 bits otherwise. LiteRT's
reference kernel of FULLY_CONNECTED rescales in double (``reference/integer_ops/fully_connected.h``); older releases of
TensorFlow Lite took the path of a convolution there.
"""

from __future__ import annotations

LIKE = "tflite_double"


def resolved(ifmap_bits: int, bias_bits: int | None, layer: str) -> str:
    """Return the scheme of an array layer; without a bias 16-bit activations are summed in 64 bits.

    >>> [resolved(*widths, "convolution") for widths in ((8, 32), (16, 64), (16, None), (16, 32))]
    ['tflite_double', 'tflite_int16x8', 'tflite_int16x8', 'tflite_double']
    >>> resolved(8, 32, "fully_connected")
    'float64'
    """
    if layer == "fully_connected":
        return "float64"
    return "tflite_int16x8" if ifmap_bits == 16 and bias_bits != 32 else "tflite_double"
