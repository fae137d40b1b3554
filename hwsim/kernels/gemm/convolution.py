"""Exact convolutions on packed weights: windows are gathered block by block, never as a matrix in memory.

Feature maps keep their shape ``[batch, channels, height, width]``; in memory channels lie innermost, as results do and as
``x.transpose(0, 2, 3, 1)`` shows. A map that lies otherwise is copied once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.gemm.depthwise_weights import pack_depthwise
from hwsim.kernels.gemm.epilogue import Epilogue
from hwsim.kernels.gemm.gather import Source
from hwsim.kernels.gemm.intake import intake
from hwsim.kernels.gemm.launch import prepare_launch
from hwsim.kernels.gemm.product import gemm_packed
from hwsim.kernels.gemm.requantized import CompiledPlan, Plan, Requantized, finish_sums, launch_finished
from hwsim.kernels.gemm.weights import PackedWeights, pack_weights
from hwsim.kernels.windows import check_feature_map


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a kernel slides.

    Args:
        kernel: height and width in taps.
        strides: along height and width.
        dilations: along height and width.
        pads: top, left, bottom, right, as in ONNX.
        pad_code: what a tap reads in the padding: the code of real 0.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_code: int = 0

    def outputs(self, height: int, width: int) -> tuple[int, int]:
        """Return output rows and columns.

        >>> Window(kernel=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1)).outputs(224, 224)
        (112, 112)
        """
        (top, left, bottom, right), sizes = self.pads, []
        for axis, size in enumerate((height + top + bottom, width + left + right)):
            reach = self.dilations[axis] * (self.kernel[axis] - 1) + 1
            sizes.append(max((size - reach) // self.strides[axis] + 1, 0))
        return sizes[0], sizes[1]


def pack_kernels(
    w: np.ndarray, groups: int, code_range: tuple[int, int], zero_point: int = 0, route: str | None = None
) -> PackedWeights:
    """Return convolution weights packed with k in the order (tap row, tap column, channel).

    Args:
        w: centred integers ``[out_channels, channels / groups, kernel_h, kernel_w]``.
        groups: groups of channels.
        code_range: smallest and largest code of the input.
        zero_point: of the input.
        route: as in ``pack_weights``.
    """
    n = w.shape[0] // groups
    if groups > 1 and n == 1 and w.shape[1] == 1:
        depthwise = pack_depthwise(w.reshape(groups, -1).T, code_range, zero_point, route)
        if depthwise is not None:
            return depthwise
    by_group = w.reshape(groups, n, *w.shape[1:]).transpose(0, 3, 4, 2, 1)
    return pack_weights(by_group.reshape(groups, -1, n), code_range, zero_point, route)


def conv_packed(x: np.ndarray, packed: PackedWeights, window: Window) -> np.ndarray:
    """Return the sums ``[batch, groups * n, out_h, out_w]``: int32 where they fit (``packed.fits_int32``), else int64.

    Args:
        x: codes ``[batch, channels, height, width]`` of ``packed.code_range``.
        packed: weights from ``pack_kernels``.
        window: how the kernel slides.

    Raises:
        ExecutionError: a shape that does not meet the weights, or a code beyond the range.
    """
    way = intake(x.dtype, packed)
    source, channels = _source(x.shape, x.dtype, packed, window), packed.groups * packed.n
    codes = np.ascontiguousarray(way(x).transpose(0, 2, 3, 1))
    out = np.empty((x.shape[0], source.out_h, source.out_w, channels), np.int32 if packed.fits_int32 else np.int64)
    if packed.fits_int32:
        launch = prepare_launch(
            source, packed, packed.parts[0], codes.dtype, out_group=packed.n, out_row=channels, pad=window.pad_code
        )
        launch(codes, out_sums=out.reshape(-1))
    else:
        sums = gemm_packed(_windows(codes, packed, window, source), packed)
        out.reshape(-1, packed.groups, packed.n)[...] = sums.transpose(1, 0, 2)
    return out.transpose(0, 3, 1, 2)


def conv_requantized(x: np.ndarray, packed: PackedWeights, window: Window, epilogue: Epilogue) -> Requantized:
    """Return the codes ``[batch, groups * n, out_h, out_w]`` of a convolution; arguments as in ``conv_packed``."""
    return plan_convolution(x.shape, x.dtype, packed, window, epilogue)(x)


def plan_convolution(
    shape: tuple[int, ...], dtype: np.dtype, packed: PackedWeights, window: Window, epilogue: Epilogue
) -> Plan:
    """Return ``conv_requantized`` for maps of ``shape`` and ``dtype``, with all that depends on no code done."""
    source, channels, way = _source(shape, dtype, packed, window), packed.groups * packed.n, intake(dtype, packed)
    if not epilogue.is_compiled:
        return lambda x: _convolution_by_sums(x, packed, window, epilogue)
    launch = launch_finished(source, packed, epilogue, way, out_group=packed.n, out_row=channels, pad=window.pad_code)
    out = (shape[0], source.out_h, source.out_w, channels)
    return CompiledPlan(intake=way, launch=launch, shape=out, dtype=epilogue.dtype, is_map=True)


def _convolution_by_sums(x: np.ndarray, packed: PackedWeights, window: Window, epilogue: Epilogue) -> Requantized:
    sums = conv_packed(x, packed, window).transpose(0, 2, 3, 1)
    done = finish_sums(sums.reshape(-1, packed.groups, packed.n), epilogue)
    codes = done.codes.reshape(sums.shape)
    return Requantized(codes=codes.transpose(0, 3, 1, 2), below=done.below, above=done.above, peak=done.peak)


def _source(shape: tuple[int, ...], dtype: np.dtype, packed: PackedWeights, window: Window) -> Source:
    """Return how maps of ``shape`` are read, whose channels lie innermost."""
    check_feature_map("convolution", shape, dtype)
    batch, channels, height, width = shape
    taps = window.kernel[0] * window.kernel[1]
    low, high = packed.code_range
    per_group = 1 if packed.is_depthwise else channels // packed.groups
    if channels != per_group * (packed.n if packed.is_depthwise else packed.groups) or per_group * taps != packed.k:
        raise ExecutionError(
            f"convolution: {channels} channels under {taps} taps do not meet weights of {packed.groups} groups, {packed.k} "
            f"operands and {packed.n} outputs each; pack the weights for this input"
        )
    if not low <= window.pad_code <= high:
        raise ExecutionError(
            f"convolution: padding code {window.pad_code} lies outside the range {low}..{high} of codes"
        )
    out_h, out_w = window.outputs(height, width)
    return Source(
        rows=batch * out_h * out_w,
        out_h=out_h,
        out_w=out_w,
        height=height,
        width=width,
        channels=per_group,
        kernel_h=window.kernel[0],
        kernel_w=window.kernel[1],
        stride_h=window.strides[0],
        stride_w=window.strides[1],
        dilation_h=window.dilations[0],
        dilation_w=window.dilations[1],
        pad_top=window.pads[0],
        pad_left=window.pads[1],
        first=0,
        group_step=per_group,
        image_step=height * width * channels,
        row_step=width * channels,
        column_step=channels,
        flip=0,
        centre=0,
        pad=0,
    )


def _windows(codes: np.ndarray, packed: PackedWeights, window: Window, source: Source) -> np.ndarray:
    """Return all windows as ``[groups, rows, k]``: for products that one compiled pass cannot hold."""
    top, left, bottom, right = window.pads
    info = np.promote_types(codes.dtype, np.min_scalar_type(window.pad_code))
    padded = np.pad(codes.astype(info), ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=window.pad_code)
    reach = [window.dilations[axis] * (window.kernel[axis] - 1) + 1 for axis in (0, 1)]
    views = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(1, 2))
    views = views[:, :: window.strides[0], :: window.strides[1], :, :: window.dilations[0], :: window.dilations[1]]
    batch, out_h, out_w = views.shape[:3]
    grouped = views.reshape(batch, out_h, out_w, packed.groups, source.channels, *window.kernel)
    return np.ascontiguousarray(grouped.transpose(3, 0, 1, 2, 5, 6, 4)).reshape(packed.groups, source.rows, packed.k)
