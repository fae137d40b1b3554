"""ONNX Runtime's CPU kernels for what is no matrix product, as they compute on x86 with AVX2 and FMA (MLAS).

8-bit tensors of one type (all uint8 or all int8) have kernels of their own, ``QLinearAdd`` and the like of ``com.microsoft``;
ONNX Runtime fuses Quantize/Dequantize pairs around Add, Mul, AveragePool, GlobalAveragePool, Concat, Sigmoid, LeakyRelu and
Softmax into them. A Resize between codes (QOperator models) works on codes. Everything else, and what has no Q/DQ pair on
either side, runs on dequantized values: float32, then QuantizeLinear. Three of the kernels add the zero point before they
round (Add, Mul, AveragePool), which shows at ties. Other processors differ: SSE2 alone does not fuse the multiply-add of
QLinearAdd, and ARM computes it in 22-bit fixed point.
"""

OPERATORS = frozenset(
    {
        "Add",
        "AveragePool",
        "Concat",
        "Exp",
        "GlobalAveragePool",
        "Mul",
        "ReduceMean",
        "Resize",
        "Sigmoid",
        "Softmax",
        "Sub",
        "Sum",
        "Tanh",
    }
)
