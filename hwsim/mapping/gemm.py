"""The unit of array work that an operator lowers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hwsim.errors import MappingError
from hwsim.numerics.formats import Format
from hwsim.numerics.sparsity import Sparsity


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The sliding window that makes a convolution's im2col view: ``k = channels * kernel_height * kernel_width``.

    Args:
        batch: images.
        channels: input channels of one group.
        in_height, in_width, out_height, out_width: sizes (of a transposed convolution: after zeros were inserted).
        kernel, strides, dilations: (height, width).
        pads: (top, left, bottom, right); negative ones crop.
        spread: (height, width) distance of the stored pixels; between them lie zeros that are multiplied but not stored
            (transposed convolution).
    """

    batch: int
    channels: int
    in_height: int
    in_width: int
    out_height: int
    out_width: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]
    spread: tuple[int, int] = (1, 1)

    @property
    def taps(self) -> int:
        """Kernel positions."""
        return self.kernel[0] * self.kernel[1]

    @property
    def image(self) -> int:
        """Output pixels of one image."""
        return self.out_height * self.out_width

    @property
    def stored_width(self) -> int:
        """Pixels of an input row in memory."""
        return (self.in_width - 1) // self.spread[1] + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemm:
    """``groups`` independent products ``psum[m, n] = ifmap[m, k] . weight[k, n]``, one after the other.

    It names no layer, so that equal shapes of a network share one cost.

    Args:
        m, k, n: sizes of one group's product.
        groups: products with operands of their own (convolution groups, attention heads).
        ifmap, weight, ofmap: storage formats of the operands and of the result.
        ifmap_asymmetric, weight_asymmetric: the grid has a zero point other than 0.
        weight_is_activation: the ``weight`` operand is computed by the network (attention), not constant.
        has_bias: a bias of n values per group is added.
        window: the im2col view where the ifmap is a convolution's, else None (the ifmap is the m x k matrix itself).
        sparsity: the pattern that the weights obey along k (of a convolution: along its channels, at every kernel
            position), or None.
        segments: lengths along k, in the array's order, of the parts that share one scale of each operand; a fold never
            crosses from one into the next. Empty: the whole of k is one.
        channel_order: with segments, the channel (with a window; else the k) that stands at each place of the array's
            order; empty where channels keep theirs.
        shares_scales: one scale of a segment serves all columns, as where only the ifmap has scales along k; else each
            column has its own.
        is_decoded: scales meet the operands as they enter the array (``on_datapath``), so that sums cross segments.
        scales_columns: each output column has a scale of its own.
        weight_zeros: what has a weight zero point of its own: each of the ``columns``, or with segments each of their scales; ""
            where one serves all.
        scales_rows: rows of a group's result (or of an image's, where images are rows) that have scales of their own, as
            tokens; 1 where one serves all.
        scales_groups: the scales of rows are each group's own, as an attention head's; without rows each group has one.
    """

    m: int
    k: int
    n: int
    groups: int = 1
    ifmap: Format
    weight: Format
    ofmap: Format
    ifmap_asymmetric: bool = False
    weight_asymmetric: bool = False
    weight_is_activation: bool = False
    has_bias: bool = False
    window: Window | None = None
    sparsity: Sparsity | None = None
    segments: tuple[int, ...] = ()
    channel_order: tuple[int, ...] = ()
    shares_scales: bool = False
    is_decoded: bool = False
    scales_columns: bool = False
    weight_zeros: Literal["", "columns", "segments"] = ""
    scales_rows: int = 1
    scales_groups: bool = False

    def __post_init__(self) -> None:
        if min(self.m, self.k, self.n, self.groups) < 1:
            raise MappingError(
                f"gemm: m, k, n and groups must be positive, not {self.m}, {self.k}, {self.n}, {self.groups}"
            )
        if not 1 <= self.scales_rows <= self.m:
            raise MappingError(f"gemm: scales_rows must lie in 1 .. m={self.m}, not {self.scales_rows}")
        if self.window and self.m != self.window.batch * self.window.image:
            raise MappingError(f"gemm: m={self.m} must be all output pixels = {self.window.batch * self.window.image}")
        if self.window and self.k != self.window.channels * self.window.taps:
            raise MappingError(f"gemm: k={self.k} must be channels x taps = {self.window.channels * self.window.taps}")
        along, taps = (self.window.channels, self.window.taps) if self.window else (self.k, 1)
        if self.segments and (sum(self.segments) != self.k or any(size < 1 or size % taps for size in self.segments)):
            raise MappingError(
                f"gemm: segments {self.segments} must be positive multiples of {taps} and sum to k={self.k}"
            )
        if self.channel_order and sorted(self.channel_order) != list(range(along)):
            raise MappingError(f"gemm: channel_order must name each of {along} channels once")
        if self.sparsity and along % self.sparsity.block:
            what = "input channels of a group" if self.window else "k"
            raise MappingError(f"gemm: sparsity {self.sparsity} needs whole blocks, but {what} = {along}")

    @property
    def scales_positions(self) -> bool:
        """Whether rows, or whole groups, have scales that are not those of columns."""
        return self.scales_rows > 1 or (self.scales_groups and not self.scales_columns)

    @property
    def scale_runs(self) -> tuple[int, ...]:
        """Lengths along k of the runs that share one scale of each operand; k itself where one serves all."""
        return self.segments or (self.k,)

    @property
    def has_scales(self) -> bool:
        """Whether scales change along k, so that they are stored and moved beside the weights."""
        return len(self.segments) > 1

    @property
    def is_segmented(self) -> bool:
        """Whether the sum over k falls into segments that are rescaled one by one behind the array."""
        return self.has_scales and not self.is_decoded

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all groups."""
        return self.m * self.k * self.n * self.groups

    @property
    def shape(self) -> dict[str, int]:
        """The sizes by dimension letter."""
        return {"m": self.m, "k": self.k, "n": self.n}
