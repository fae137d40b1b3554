"""Exact products of matrices."""

from __future__ import annotations

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.gemm.blas import INT64_LIMIT, float_product, wide_product
from hwsim.kernels.gemm.gather import Source
from hwsim.kernels.gemm.intake import intake
from hwsim.kernels.gemm.launch import prepare_launch
from hwsim.kernels.gemm.weights import PackedWeights, pack_weights
from hwsim.kernels.operands import check_range, magnitude

FEW_PRODUCTS = 1 << 15  # packing costs more than so many products in plain loops


def exact_gemm(a: np.ndarray, w: np.ndarray, a_magnitude: int, w_magnitude: int) -> np.ndarray:
    """Return ``a @ w`` exactly, as int64 ``[..., m, n]``.

    Args:
        a: integers ``[..., m, k]``.
        w: integers ``[..., k, n]``; leading dimensions broadcast as in ``numpy.matmul``.
        a_magnitude: no ``|a|`` is larger (checked).
        w_magnitude: no ``|w|`` is larger (checked).

    Raises:
        ExecutionError: an operand beyond its magnitude, or a result that does not fit 64 bits.
    """
    check_range("gemm activations", a, -a_magnitude, a_magnitude)
    check_range("gemm weights", w, -w_magnitude, w_magnitude)
    leading = np.broadcast_shapes(a.shape[:-2], w.shape[:-2])
    (m, k), n = a.shape[-2:], w.shape[-1]
    few = int(np.prod(leading, dtype=object)) * m * k * n <= FEW_PRODUCTS
    if few or k * a_magnitude * w_magnitude > INT64_LIMIT:
        return wide_product(a, w, a_magnitude, w_magnitude)
    if w.ndim == 2:
        a, w = a.reshape(1, -1, k), w.reshape(1, k, n)
    else:
        a = np.broadcast_to(a, (*leading, m, k)).reshape(-1, m, k)
        w = np.broadcast_to(w, (*leading, k, n)).reshape(-1, k, n)
    packed = pack_weights(w, (int(a.min()), int(a.max())))
    return gemm_packed(a, packed).astype(np.int64, copy=False).reshape(*leading, m, n)


def gemm_packed(a: np.ndarray, packed: PackedWeights, out: np.ndarray | None = None) -> np.ndarray:
    """Return ``(a - zero_point) @ w`` exactly: int32 where every sum fits (``packed.fits_int32``), else int64.

    Args:
        a: codes ``[m, k]``, or ``[groups, m, k]`` for grouped weights, of ``packed.code_range``; uint8, int8 and int16 are
            read as they are.
        packed: the weights.
        out: where to write, contiguous and of the result's shape and type.

    Raises:
        ExecutionError: codes of another shape or beyond the range, or an ``out`` that does not match.
    """
    check_matrix(a.shape, packed)
    codes, shape = np.ascontiguousarray(intake(a.dtype, packed)(a)), (*a.shape[:-1], packed.n)
    dtype = np.int32 if packed.fits_int32 else np.int64
    if out is None:
        out = np.empty(shape, dtype)
    elif out.shape != shape or out.dtype != dtype or not out.flags.c_contiguous:
        raise ExecutionError(f"gemm: out must be contiguous {np.dtype(dtype)} {list(shape)}")
    if packed.route is None:
        out[...] = _without_route(codes, packed).reshape(shape)
        return out
    m = codes.shape[-2]
    source = matrix_source(m, packed.k)
    for index, part in enumerate(packed.parts):
        sums = out if packed.fits_int32 else np.empty(shape, np.int32)
        here = source._replace(first=part.k.start, channels=part.k.stop - part.k.start)
        prepare_launch(here, packed, part, codes.dtype, out_group=m * packed.n, out_row=packed.n)(
            codes, out_sums=sums.reshape(-1)
        )
        if not packed.fits_int32:
            out[...] = sums if index == 0 else out + sums
    return out


def check_matrix(shape: tuple[int, ...], packed: PackedWeights) -> None:
    """Raise ExecutionError unless a matrix of ``shape`` meets ``packed``."""
    dimensions = 3 if packed.is_grouped else 2
    if len(shape) != dimensions or shape[-1] != packed.k or (packed.is_grouped and shape[0] != packed.groups):
        wanted = [packed.groups, "m", packed.k] if packed.is_grouped else ["m", packed.k]
        raise ExecutionError(
            f"gemm: activations of shape {list(shape)} do not meet packed weights, which take {wanted}"
        )


def matrix_source(m: int, k: int) -> Source:
    """Return groups of matrices ``[m, k]`` as feature maps of ``m`` pixels in a row, each of ``k`` channels."""
    return Source(
        rows=m,
        out_h=1,
        out_w=max(m, 1),
        height=1,
        width=m,
        channels=k,
        kernel_h=1,
        kernel_w=1,
        stride_h=1,
        stride_w=1,
        dilation_h=1,
        dilation_w=1,
        pad_top=0,
        pad_left=0,
        first=0,
        group_step=m * k,
        image_step=0,
        row_step=0,
        column_step=k,
        flip=0,
        centre=0,
        pad=0,
    )


def _without_route(codes: np.ndarray, packed: PackedWeights) -> np.ndarray:
    """Multiply ``codes`` less the zero point by BLAS or in integer loops; int64 ``[groups, m, n]``."""
    zero = packed.zero_point
    centred = codes if packed.is_grouped else codes[None]
    if zero:
        centred = centred.astype(np.int64) - zero
    if packed.floats:
        return float_product(centred, packed.floats)
    return wide_product(centred, packed.weights, packed.a_magnitude, magnitude(packed.weights))
