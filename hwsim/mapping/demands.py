"""What a quantized network asks of the datapath: read off its grids, never assigned by the method that made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

from hwsim.graph import Graph
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.mapping.vector_work import RUN_TIME_OPERATORS
from hwsim.numerics.formats import FloatFormat, Format, IntFormat, bits_for_range
from hwsim.numerics.formats.decoding import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """Units that a network needs beside a plain integer product with one static multiplier per layer.

    Args:
        products: ``ifmap x weight`` as they enter the multiplier, ascending; several mean several widths in one network.
        decoders: ``kind: formats`` of weights that are stored otherwise than they are multiplied.
        column_sums: products whose weights have a zero point.
        channel_scales: products with a multiplier per output channel instead of one; groups of k that all channels share
            are no such thing.
        position_scales: ``token``, ``head``, or both: where products have static multipliers of their own per row or group.
        most_segments: of one product along k, 1 where no partial sum is rescaled.
        least_segment: length along k of the shortest segment, None without any.
        run_time_scales: operators that find a scale while the network runs (a pass for the maximum each).
        only_shifts: whether every scale is a power of two and known before, so that a requantizer need only shift.
    """

    products: tuple[str, ...]
    decoders: tuple[str, ...]
    column_sums: int
    channel_scales: int
    position_scales: tuple[str, ...]
    most_segments: int
    least_segment: int | None
    run_time_scales: int
    only_shifts: bool

    def sentences(self) -> tuple[str, ...]:
        """Return the demands in words, the products first."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        yield f"multiplies {', '.join(self.products)}" if self.products else "multiplies nothing"
        if self.decoders:
            yield f"decodes weights ({'; '.join(self.decoders)})"
        if self.most_segments > 1:
            yield f"rescales partial sums: up to {self.most_segments} segments along k, the shortest of {self.least_segment}"
        if self.column_sums:
            layers = "1 layer" if self.column_sums == 1 else f"{self.column_sums} layers"
            yield f"sums ifmap columns for weight zero points ({layers})"
        if self.run_time_scales:
            passes = "1 maximum pass" if self.run_time_scales == 1 else f"{self.run_time_scales} maximum passes"
            yield f"finds scales at run time ({passes})"
        if self.channel_scales:
            yield "a multiplier per output channel"
        for position in self.position_scales:
            yield f"a multiplier per {position}"
        if self.only_shifts:
            yield "requantizes by shifts alone"


def demands_of(graph: Graph) -> Demands:
    """Return what ``graph`` asks; widths suffice, unknown scales count as arbitrary."""
    gemms = {task.layer: task.work for task in lower(graph) if isinstance(task.work, Gemm)}
    shapes: Counter[tuple[int, int, str]] = Counter()
    for gemm in gemms.values():
        a, w = _operand(gemm.ifmap), _operand(gemm.weight)
        shapes[a[0], w[0], f"{a[1]} x {w[1]}"] += 1
    decoders: dict[str, set[str]] = {}
    for gemm in gemms.values():
        kind = values_of(gemm.weight)
        if kind != "integers":
            decoders.setdefault(kind, set()).add(str(gemm.weight))
    segments = [gemm.segments for gemm in gemms.values() if len(gemm.segments) > 1]
    return Demands(
        products=tuple(text for _, _, text in sorted(shapes)),
        decoders=tuple(f"{kind}: {', '.join(sorted(texts))}" for kind, texts in sorted(decoders.items())),
        column_sums=sum(gemm.weight_asymmetric for gemm in gemms.values()),
        channel_scales=sum(gemm.scales_columns for gemm in gemms.values()),
        position_scales=tuple(
            name
            for name, has_own in (
                ("token", any(gemm.scales_rows > 1 for gemm in gemms.values())),
                ("head", any(gemm.scales_groups for gemm in gemms.values())),
            )
            if has_own
        ),
        most_segments=max(map(len, segments), default=1),
        least_segment=min((min(found) for found in segments), default=None),
        run_time_scales=sum(node.op in RUN_TIME_OPERATORS for node in graph.nodes),
        only_shifts=_only_shifts(graph),
    )


def _operand(number: Format) -> tuple[int, str]:
    """Return width and name of what is multiplied: a format's own text, or the integers that a table decodes to."""
    if isinstance(number, IntFormat | FloatFormat):
        return number.bits, str(number)
    bits = bits_for_range(*number.operand_range)
    return bits, f"int{bits}"


def _only_shifts(graph: Graph) -> bool:
    real = (*RUN_TIME_OPERATORS, "Rescale")  # what they find or multiply by is no power of two
    if any(node.op in real for node in graph.nodes):
        return False
    grids = [tensor.quant for tensor in graph.tensors.values() if tensor.quant is not None]
    scales = [scale for grid in grids for scale in grid.scale or ()]
    return bool(scales) and all(grid.scale for grid in grids) and all(log2(abs(s)).is_integer() for s in scales)
