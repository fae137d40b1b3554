"""A model that comes quantized keeps its own grids: what the file writes as separate steps becomes what hardware does.

The reader gives every Quantize of the file as an operator of its own, between real-valued tensors. Here

* a ReLU or Clip behind a real-valued result becomes that operator's clamp;
* an operator whose only reader is a Quantize writes codes at once (a convolution requantizes its accumulators, a Softmax
  encodes its results), which is how runtimes fuse such graphs; the network's inputs arrive as codes in the same way;
* codes that are only moved or selected keep their grid;
* the real-valued bias of a product that is requantized gets the int32 grid of the product; where the product stays
  real-valued, so does the addition of its bias;
* a grid whose range a Clip in front keeps in a narrower format is one of that format;
* a product whose scales are found at run time gets its codes and its real results in one pass each;
* a product that only thresholds read leaves as accumulators;
* a ReLU that the quantizer left out, because the grid begins at 0, is written back, for the float reference.

What remains real-valued is computed in float32 on the vector unit.
"""

from __future__ import annotations

from dataclasses import replace

from hwsim.graph import OPS, Graph, Node, Tensor, Work, passes_grid
from hwsim.graph.fusion.absorbed_clamps import absorbed_clamps
from hwsim.graph.fusion.accumulator_grids import accumulator_grids
from hwsim.graph.fusion.bias_grid import bias_params
from hwsim.graph.fusion.fuse_clamp import fuse_clamp
from hwsim.graph.fusion.narrow_grids import narrow_grids
from hwsim.graph.fusion.real_biases import split_real_biases
from hwsim.graph.fusion.run_time_scales import run_time_scales
from hwsim.graph.moves import moved_grid
from hwsim.graph.partition import k_partition
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding


def adopt(graph: Graph) -> Graph:
    """Return the quantized graph with its Quantize operators fused; doing it twice changes nothing."""
    fused = _fused(_passed_on(fuse_clamp(run_time_scales(narrow_grids(_passed_on(graph))))))
    return accumulator_grids(_biases(split_real_biases(absorbed_clamps(fused))))


def _passed_on(graph: Graph) -> Graph:
    """Give results that are moved or selected codes the grid of those codes."""
    grids = {name: tensor.quant for name, tensor in graph.tensors.items()}
    changed: list[Tensor] = []
    for node in graph.nodes:
        before, after = (graph.tensors[name].shape for name in (node.inputs[0], node.outputs[0]))
        moved = moved_grid(node.op, node.attributes, grids[node.inputs[0]], before, after)
        if moved is None or moved == "lost":
            continue
        for name in node.outputs:
            if grids[name] is None:
                grids[name] = moved
                changed.append(replace(graph.tensors[name], quant=moved))
    return graph.with_changes(tensors=changed) if changed else graph


def _fused(graph: Graph) -> Graph:
    """Drop every Quantize whose operand can leave its producer as codes."""
    codes: dict[str, str] = {}  # real-valued result: the coded tensor that takes its place
    grids: list[Tensor] = []
    dropped: set[str] = set()
    renamed: dict[str, str] = {}
    for node in graph.nodes:
        if node.op != "Quantize" or graph.tensors[node.outputs[0]].quant is None:
            continue
        source, target = node.inputs[0], node.outputs[0]
        if graph.tensors[source].quant == graph.tensors[target].quant and target not in graph.outputs:
            renamed[target] = renamed.get(source, source)
            dropped.add(node.name)
            continue
        if graph.tensors[source].quant is not None or source in graph.outputs or len(graph.consumers_of[source]) != 1:
            continue
        producer = graph.producer_of.get(source)
        if producer is None:
            if target in graph.outputs:
                continue
            grids.append(replace(graph.tensors[source], quant=graph.tensors[target].quant))
            renamed[target] = source
        elif _can_write_codes(producer, graph.tensors[target].quant):
            codes[source] = target
        else:
            continue
        dropped.add(node.name)
    if not dropped:
        return graph
    nodes = [
        replace(
            node,
            inputs=tuple(renamed.get(name, name) for name in node.inputs),
            outputs=tuple(codes.get(name, name) for name in node.outputs),
        )
        for node in graph.nodes
        if node.name not in dropped
    ]
    return graph.with_changes(nodes=nodes, tensors=grids)


def _can_write_codes(producer: Node, grid: QuantParams | None) -> bool:
    """Whether the operator computes new values: one that moves codes cannot put them on another grid.

    What rounds by the machine's requantizer is no place for a grid that asks for a rounding of its own.
    """
    if passes_grid(producer) or producer.op in ("Quantize", "Reinterpret", "Resize"):
        return False  # an interpolation of real numbers stays one: runtimes that interpolate codes say so in the file
    in_integers = OPS[producer.op].work in (Work.GEMM, Work.INTEGER)
    return not in_integers or grid is None or grid.rounding is Rounding.HALF_EVEN


def _biases(graph: Graph) -> Graph:
    changed = []
    for node in graph.nodes:
        if OPS[node.op].work is not Work.GEMM or len(node.inputs) < 3 or not node.inputs[2]:
            continue
        ifmap, weight, bias = (graph.tensors[name] for name in node.inputs[:3])
        if k_partition(graph, node) is None:
            continue  # it stays real-valued, and so does its bias
        if bias.is_constant and bias.quant is None and ifmap.quant is not None and weight.quant is not None:
            changed.append(replace(bias, quant=bias_params(ifmap.quant, weight.quant, bias)))
    return graph.with_changes(tensors=changed) if changed else graph
