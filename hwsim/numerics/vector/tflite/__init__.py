"""LiteRT's (TensorFlow Lite's) reference kernels for what is no matrix product: int8, uint8 and int16 tensors; CMSIS-NN's too.

Sums and products are rescaled by 31-bit multipliers that round twice (``_double_rounding`` of the requantizers); functions of
one 8-bit code are tables of float32 values, softmax is gemmlowp's fixed point; 16-bit functions interpolate in tables. Compared
with LiteRT 2.3.0 and its resolver of reference kernels; MEAN was computed otherwise in earlier versions.
"""

OPERATORS = frozenset(
    {
        "Add",
        "AveragePool",
        "Clip",
        "Concat",
        "Exp",
        "Gelu",
        "GlobalAveragePool",
        "HardSwish",
        "LeakyRelu",
        "MaxPool",
        "Mul",
        "PRelu",
        "Quantize",
        "ReduceMean",
        "Relu",
        "Resize",
        "Sigmoid",
        "Softmax",
        "Sub",
        "Tanh",
    }
)
