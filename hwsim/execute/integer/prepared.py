"""Array layers whose registers provably never overflow: weights packed once, sums requantized while they are in the cache.

The order of addition does not matter to such a layer, so that its integers are those of an exact product. The proof reads
the weights and the range of the activations' format (``hwsim.kernels.proof``); whatever it does not cover takes the general
path of ``array`` with the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hwsim.execute.integer.array import leaves_raw, multiplied, output_ratio, zero_points
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.requantize import code_range
from hwsim.kernels.gemm import (
    CompiledPlan,
    Epilogue,
    PackedWeights,
    Plan,
    make_epilogue,
    pack_kernels,
    pack_weights,
)
from hwsim.kernels.operands import check_segments
from hwsim.kernels.proof import columns_that_fit
from hwsim.numerics.formats import Format, IntFormat, bits_for_range
from hwsim.numerics.requantizers import definition

WIDEST_CODES = 16
PLANS = 4  # a chunk of images and a last, shorter one, and as many more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """What a proven layer computes with.

    Args:
        packed: its weights.
        epilogue: from sums to codes.
        dtype: that the codes are stored in.
        plans: the product at every shape and type of activations met so far.
    """

    packed: PackedWeights
    epilogue: Epilogue
    dtype: np.dtype
    plans: dict[tuple[tuple[int, ...], np.dtype], Plan] = field(default_factory=dict)

    def run(self, layer: Layer, x: np.ndarray, plan: Callable[[Prepared], Plan]) -> np.ndarray:
        """Return the codes of ``x`` in their storage type, and count what happened.

        Args:
            layer: whose counters grow.
            x: activation codes.
            plan: called for shapes and types that were not met before.
        """
        key = x.shape, x.dtype
        ready = self.plans.get(key)
        if ready is None:
            if len(self.plans) == PLANS:
                self.plans.pop(next(iter(self.plans)))
            ready = self.plans[key] = plan(self)
        (codes, below, above, peak), counters = ready(x), layer.counters
        counters.outputs += codes.size
        counters.requantized += codes.size
        counters.clipped += below + above
        if peak > counters.peak:
            counters.peak = peak
        return codes if codes.dtype == self.dtype else codes.astype(self.dtype)


def bound_product(
    layer: Layer, operands: Sequence[np.ndarray], results: Sequence[np.ndarray | None], counts: np.ndarray
) -> Callable[[], None] | None:
    """Return a call that writes the result for what ``operands`` hold by then; None where there is no compiled plan for it.

    Args:
        layer: that has run on arrays of these shapes and types.
        operands: codes, the activations first.
        results: one, where a run left it.
        counts: int64 ``[COUNTS]``, updated: see ``kernels.gemm.launch``.
    """
    ready: Prepared | None = layer.memory.get("prepared")
    if ready is None or results[0] is None:
        return None
    x, result = operands[0], results[0]
    if layer.node.op != "Conv":
        if not (x.flags.c_contiguous and result.flags.c_contiguous):
            return None
        x, result = x.reshape(-1, ready.packed.k), result.reshape(-1, ready.packed.n)
    plan = ready.plans.get((x.shape, x.dtype))
    return plan.bound(x, result, counts) if isinstance(plan, CompiledPlan) else None


def prepared(layer: Layer, weight: np.ndarray, bias: Callable[[], np.ndarray | None], groups: int) -> Prepared | None:
    """Return the layer's packed form, made at the first call; None where the general path has to run.

    Args:
        layer: a layer with constant weights.
        weight: codes ``[out_channels, channels / groups, kernel_h, kernel_w]``, or ``[k, n]`` with ``groups`` 1.
        bias: gives int64 ``[groups, n]`` or None.
        groups: of a convolution.
    """
    if layer.on_product is not None:
        return None
    return layer.remembered(
        "prepared", lambda: _prepare(layer, weight, bias(), groups) if _is_eligible(layer) else None
    )


def _is_eligible(layer: Layer) -> bool:
    constants = [layer.tensor(index) for index in (1, 2) if layer.has_input(index)]
    grids = [layer.grid(0), layer.grid(1)]
    return (
        layer.mapping is not None
        and not layer.datapath.mac.is_floating
        and layer.segments is None
        and all(tensor.is_constant for tensor in constants)
        and isinstance(grids[0].format, IntFormat)
        and all(_multiplied_bits(grid.format) <= WIDEST_CODES for grid in grids)
        and (layer.grid(1).is_symmetric or layer.datapath.zero_point == "subtracted")
        and layer.datapath.multiplier == "exact"
        and layer.datapath.zero_gating == "none"  # which the general path counts
        and layer.output_is_coded()
        and isinstance(layer.output_grid().format, IntFormat)
        and layer.output_grid().granularity.axis is None
        and not leaves_raw(layer)
    )


def _multiplied_bits(number: Format) -> int:
    """Return the width of what a format sends to the multiplier: tables are decoded before weights are packed."""
    return number.bits if isinstance(number, IntFormat) else bits_for_range(*number.operand_range)


def _prepare(layer: Layer, weight: np.ndarray, bias: np.ndarray | None, groups: int) -> Prepared | None:
    ifmap = layer.grid(0)
    is_kernel = weight.ndim == 4
    n = weight.shape[0] // groups if is_kernel else weight.shape[1]
    operands = multiplied(layer.grid(1), weight)
    zero_x, zero_w = zero_points(layer, groups, n)
    static = np.zeros((groups, n), np.int64) if bias is None else bias
    low, high = ifmap.integers.minimum, ifmap.integers.maximum
    if layer.datapath.zero_point == "subtracted":
        operands = operands - zero_w.reshape((-1, 1, 1, 1) if is_kernel else (1, -1)).astype(operands.dtype)
    columns = operands.reshape(groups, n, -1).transpose(0, 2, 1) if is_kernel else operands[None]
    offset = zero_x
    if layer.datapath.zero_point == "folded":
        static, offset = static - zero_x * columns.sum(axis=1, dtype=np.int64), 0
    if not _is_proven(layer, columns, static, (low - offset, high - offset)):
        return None
    packed = (
        pack_kernels(operands, groups, (low, high), offset)
        if is_kernel
        else pack_weights(operands, (low, high), offset)
    )
    dtype = layer.output_grid().storage_dtype
    return Prepared(packed=packed, epilogue=_epilogue(layer, packed, static), dtype=dtype)


def _is_proven(layer: Layer, columns: np.ndarray, static: np.ndarray, a_range: tuple[int, int]) -> bool:
    """Whether no activations overflow a register of the layer: ``columns`` are ``[groups, k, n]`` in ONNX order of k."""
    assert layer.mapping is not None
    if layer.mapping.k_permutation is not None:
        columns = columns[:, layer.mapping.k_permutation, :]
    folds = check_segments(layer.mapping.k_segments, columns.shape[1])
    start = static if layer.datapath.bias == "start" else np.zeros_like(static)
    _, fits = columns_that_fit(
        columns, folds, layer.datapath.psum, layer.datapath.accumulator, start[:, None, :], a_range
    )
    return bool(fits.all())


def _epilogue(layer: Layer, packed: PackedWeights, static: np.ndarray) -> Epilogue:
    unit = layer.requantizer
    low, high = code_range(layer.output_grid(), layer.node.clamp)
    return make_epilogue(
        packed,
        definition(unit.scheme).constants(np.atleast_1d(output_ratio(layer)), unit),
        unit,
        static,
        zero_point=layer.output_grid().zero_point[0],
        low=low,
        high=high,
        ends=layer.output_grid().integers.operand_range,
        holds_bias=layer.datapath.bias == "start",
    )
