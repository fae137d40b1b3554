"""What one operator needs to compute its integers, and what it reports of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.graph import OPS, Graph, Node, Tensor, Work
from hwsim.graph.partition import KPartition, k_partition
from hwsim.graph.positions import rescaled_by_position
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.formats import IntFormat, bits_for_range
from hwsim.numerics.multiplier import Multiplier
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizer import Requantizer

if TYPE_CHECKING:
    from hwsim.execute.integer.product import ArrayProduct

_KINDS = {
    "Conv": "convolution",
    "ConvTranspose": "convolution",
    "Gemm": "fully_connected",
    "MatMul": "matmul",
    "Mul": "product",
}

T = TypeVar("T")


@dataclass(slots=True)
class Counters:
    """What happened to the numbers of one layer, summed over all images.

    Args:
        overflow_events: additions whose result did not fit their partial-sum register.
        overflow_outputs: outputs with at least one such addition.
        outputs: accumulator outputs computed.
        clipped: results outside the output format's range or, where a clamp is fused, outside of the grid's end.
        requantized: results that went through a requantizer.
        peak: largest magnitude seen in an accumulator: an integer, or a real number of a floating-point one.
        active_products: products of the array that zero gating lets toggle; counted on machines that gate.
        products: all of them.
    """

    overflow_events: int = 0
    overflow_outputs: int = 0
    outputs: int = 0
    clipped: int = 0
    requantized: int = 0
    peak: float = 0
    active_products: int = 0
    products: int = 0

    def count(self, products: tuple[int, int]) -> None:
        """Add (products that toggle, products computed)."""
        self.active_products += products[0]
        self.products += products[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """An operator with everything that decides its integers.

    Args:
        graph: the quantized network.
        node: the operator.
        datapath: registers, requantizer and zero-point rule of this layer.
        mapping: how its GEMM is cut; None for operators of the vector unit.
        counters: filled while the layer runs.
        memory: what the layer keeps from one call to the next, as packed weights.
        on_product: called with this layer and what enters and leaves the array, each time that it computes; it must not
            change them.
        grids: of tensors whose zero points this inference computed.
    """

    graph: Graph
    node: Node
    datapath: Datapath
    mapping: Mapping | None = None
    counters: Counters = field(default_factory=Counters)
    memory: dict[str, Any] = field(default_factory=dict)
    on_product: Callable[[Layer, ArrayProduct], None] | None = None
    grids: dict[str, QuantParams] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, node: Node, accelerator: Accelerator, mapping: Mapping | None) -> Layer:
        """Return the layer of ``node`` on ``accelerator``."""
        return cls(graph=graph, node=node, datapath=accelerator.datapath_for(node.name), mapping=mapping)

    @property
    def requantizer(self) -> Requantizer:
        """The requantization unit; runtimes that have several choose by the layer's kind and the widths of ifmap and bias."""
        unit = self.datapath.requantizer.unit
        if OPS[self.node.op].work is not Work.GEMM:
            return unit
        bias = self.tensor(2).quant if self.has_input(2) else None
        bias_bits = bias.format.bits if bias else None
        return unit.resolved(ifmap_bits=self.grid(0).format.bits, bias_bits=bias_bits, layer=self.kind)

    @property
    def kind(self) -> str:
        """What runtimes tell apart when they rescale; "" for other operators."""
        return _KINDS.get(self.node.op, "")

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Return what the layer keeps under ``key``, made at the first call."""
        if key not in self.memory:
            self.memory[key] = make()
        found: T = self.memory[key]
        return found

    @property
    def multiplier(self) -> Multiplier:
        """What multiplies in the array."""
        return self.remembered("multiplier", lambda: Multiplier.parse(self.datapath.multiplier))

    @property
    def segments(self) -> KPartition | None:
        """How scales that change along k cut an array product whose sums are rescaled; None where one sum is enough.

        Floating-point multipliers are fed decoded values, so that their sums need no rescaling.
        """

        def cut() -> KPartition | None:
            found = None if self.datapath.mac.is_floating else k_partition(self.graph, self.node)
            return None if found is None or found.is_whole else found

        return self.remembered("segments", cut)

    @property
    def is_rescaled_by_position(self) -> bool:
        """Whether rows, heads or columns of a computed operand have scales of their own (``hwsim.graph.positions``)."""
        return self.remembered("by position", lambda: rescaled_by_position(self.graph, self.node))

    def tensor(self, index: int) -> Tensor:
        """Return the tensor record of the operator's input ``index``."""
        return self.graph.tensors[self.node.inputs[index]]

    def grid(self, index: int) -> QuantParams:
        """Return the grid of input ``index``."""
        return self._calibrated(self.node.inputs[index])

    def output_grid(self, index: int = 0) -> QuantParams:
        """Return the grid of output ``index``."""
        return self._calibrated(self.node.outputs[index])

    def output_is_coded(self, index: int = 0) -> bool:
        """Whether output ``index`` has a grid."""
        return self.graph.tensors[self.node.outputs[index]].quant is not None

    def _calibrated(self, name: str) -> QuantParams:
        params = self.grids.get(name, self.graph.tensors[name].quant)
        if params is None or not params.is_calibrated:
            raise ExecutionError(
                f"{self.graph.name}: tensor {name!r} of layer {self.node.name!r} has no calibrated grid; "
                f"quantize the graph with calibration inputs before executing it"
            )
        return params

    @property
    def is_coded(self) -> bool:
        """Whether every operand that has a say in the arithmetic, and the result, are on grids of integers."""
        names = [name for name in self.node.inputs if name and self._is_operand(name)]
        grids = [self.graph.tensors[name].quant for name in (*names, *self.node.outputs)]
        return all(grid is not None and isinstance(grid.format, IntFormat) for grid in grids)

    def _is_operand(self, name: str) -> bool:
        tensor = self.graph.tensors[name]
        return not tensor.is_constant or OPS[self.node.op].work is Work.INTEGER

    @property
    def has_several_scales(self) -> bool:
        """Whether scales of an operand or of the result change along an axis: only array products and moves take such codes."""
        grids = [self.graph.tensors[name].quant for name in (*self.node.inputs, *self.node.outputs) if name]
        return any(grid is not None and grid.granularity.axis is not None for grid in grids)

    def has_input(self, index: int) -> bool:
        """Whether the optional input ``index`` is there."""
        return index < len(self.node.inputs) and bool(self.node.inputs[index])

    def entering(self, index: int) -> IntFormat:
        """Return the integers that enter the multiplier: codes, or centred codes, which are signed and one bit wider."""
        number = self.grid(index).format
        if not isinstance(number, IntFormat):
            return IntFormat(bits=bits_for_range(*number.operand_range))
        if self.datapath.zero_point == "subtracted" and not self.grid(index).is_symmetric:
            return IntFormat(bits=number.bits + 1)
        return number

    def centred(self, index: int, codes: np.ndarray) -> np.ndarray:
        """Return ``code - zero point`` of input ``index`` as int64."""
        grid = self.grid(index)
        centred: np.ndarray = codes.astype(np.int64) - grid.granularity.spread(grid.zero_points(), codes.shape)
        return centred
