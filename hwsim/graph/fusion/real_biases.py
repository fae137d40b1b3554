"""Add real-valued biases behind products that leave as real values, instead of rounding them to accumulator steps.

Where a product is requantized, hardware adds its bias to the accumulator, in steps of ``ifmap scale * weight scale``. Where
float32 work follows anyway (a batch normalization that a file leaves between a convolution and its quantizer), the bias
loses nothing there: with 4-bit operands a step is coarse enough to move every tenth 8-bit code behind it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.graph import OPS, Graph, Node, Tensor, Work


def split_real_biases(graph: Graph) -> Graph:
    """Return the graph with the bias of such products as an Add of its own, which takes over their clamp."""
    nodes: list[Node] = []
    tensors: list[Tensor] = []
    for node in graph.nodes:
        if not _splits(graph, node):
            nodes.append(node)
            continue
        result, bias = graph.tensors[node.outputs[0]], graph.tensors[node.inputs[2]]
        row = np.asarray(bias.data).reshape(-1, *(1,) * (len(result.shape) - 2))
        product = replace(result, name=f"{result.name}/product")
        added = Tensor(name=f"{bias.name}/of/{node.name}", shape=row.shape, data=row)
        tensors += [product, added]
        plain = {key: value for key, value in node.attributes.items() if key != "clamp"}
        clamp = {"clamp": node.clamp} if node.clamp != (None, None) else {}
        nodes += [
            replace(node, inputs=node.inputs[:2], outputs=(product.name,), attributes=plain),
            Node(
                name=f"{node.name}/bias", op="Add", inputs=(product.name, added.name), outputs=node.outputs,
                attributes=clamp,
            ),
        ]  # fmt: skip
    return graph.with_changes(nodes=nodes, tensors=tensors) if tensors else graph


def _splits(graph: Graph, node: Node) -> bool:
    if OPS[node.op].work is not Work.GEMM or len(node.inputs) < 3 or not node.inputs[2]:
        return False
    ifmap, weight, bias = (graph.tensors[name] for name in node.inputs[:3])
    real = bias.is_constant and bias.quant is None and graph.tensors[node.outputs[0]].quant is None
    return real and ifmap.quant is not None and weight.quant is not None
