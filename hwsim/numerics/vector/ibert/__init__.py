"""I-BERT's integer-only functions: second-order polynomials, shifts, one division or Newton's square root.

S. Kim, A. Gholami, Z. Yao, M. W. Mahoney, K. Keutzer, "I-BERT: Integer-only BERT Quantization", ICML 2021, algorithms 1 to 4.
The paper feeds 32-bit accumulators whose scales are small; here operands are codes on grids, so each function first moves them
left (or right) to the scale that its 32-bit registers allow: rounding constants to steps of a coarse grid would cost
several percent. No integer leaves 32 bits. Results go through the machine's requantizer.
"""

OPERATORS = frozenset({"Erf", "Gelu", "LayerNormalization", "Softmax", "Sqrt"})
