"""MatMulNBits of com.microsoft: real activations times a weight of 2, 4 or 8 bits with a scale per block of k.

The weight comes packed as ``[n, blocks, bytes]``, the first code in the low bits; here it is ``[k, n]`` on a blocked grid. The
products are real-valued: ONNX Runtime dequantizes and multiplies in float32, and sums in an order of its own.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.constants import require_constant
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.shapes.common import text
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams

_BITS = (2, 4, 8)


def matmul_n_bits(operator: Operator, draft: Draft) -> None:
    """MatMulNBits: A, packed B, scales, zero points (packed), no permutation of k, bias."""
    a, packed, scale = operator.inputs[:3]
    k, n, bits, block = (int(operator.get(key, 0)) for key in ("K", "N", "bits", "block_size"))
    bits = bits or 4
    if bits not in _BITS or min(k, n, block) < 1:
        raise GraphError(f"K={k}, N={n}, bits={bits}, block_size={block} are not supported; bits must be 2, 4 or 8")
    if operator.has(4):
        raise GraphError(
            f"g_idx {operator.inputs[4]!r}, which permutes k, is not supported; export the model without it"
        )
    blocks = -(-k // block)
    stored = require_constant(draft, packed, "weight")
    if stored.dtype != np.uint8 or stored.size * 8 != n * blocks * block * bits:
        raise GraphError(
            f"the weight {text(stored.shape)} must hold {n} x {blocks} blocks of {block} {bits}-bit codes as uint8"
        )
    codes = unpacked(stored.reshape(n, -1), bits)[:, :k].T
    scales = draft.constant(scale, "scales").astype(np.float32)
    if scales.size != n * blocks:
        raise GraphError(f"{scales.size} scales do not fit {n} x {blocks} blocks")
    zeros = _zero_points(operator, draft, bits, n, blocks)
    grid = QuantParams(
        format=IntFormat(bits=bits, signed=False),
        scale=tuple(scales.reshape(n, blocks).T.reshape(-1).tolist()),
        zero_point=tuple(zeros.T.reshape(-1).tolist()),
        granularity=Granularity(axis=0, block=block),
    )
    weight = draft.add_constant(f"{packed}.unpacked", np.ascontiguousarray(codes), grid)
    output = operator.outputs[0]
    product = f"{output}/product" if operator.has(5) else output
    draft.emit("MatMul", operator.name, [a, weight], [product])
    if operator.has(5):
        draft.emit("Add", f"{operator.name}/bias", [product, operator.inputs[5]], [output])


def _zero_points(operator: Operator, draft: Draft, bits: int, n: int, blocks: int) -> np.ndarray:
    """Return the zero points as ``[n, blocks]``; without any they are the middle of the codes."""
    if not operator.has(3):
        return np.full((n, blocks), 1 << (bits - 1))
    stored = require_constant(draft, operator.inputs[3], "zero points")
    if stored.dtype != np.uint8:
        raise GraphError(f"zero points of type {stored.dtype.name} are not supported; store them as packed uint8")
    zeros = unpacked(stored.reshape(n, -1), bits)[:, :blocks]
    if zeros.shape != (n, blocks):
        raise GraphError(f"zero points of shape {text(stored.shape)} do not fit {n} x {blocks} blocks")
    return zeros


def unpacked(packed: np.ndarray, bits: int) -> np.ndarray:
    """Return the codes of each row of bytes, the first one from the low bits.

    >>> unpacked(np.array([[0x21, 0x43]], np.uint8), 4).tolist()
    [[1, 2, 3, 4]]
    """
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return ((packed[..., None] >> shifts) & ((1 << bits) - 1)).reshape(*packed.shape[:-1], -1).astype(np.uint8)


NORMALIZERS: dict[str, Normalizer] = {"com.microsoft.MatMulNBits": matmul_n_bits}
