"""The outputs of the float network with the tensor of one knob rounded, everything else real.

One float run keeps every activation of a chunk of images; of each knob only what lies behind it is computed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import Images
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices
from hwsim.quantization.calibrate import chunk_size

Outputs = dict[str, np.ndarray]


def outputs_by_width(
    variants: Variants, choices: Choices, images: Images, name: str
) -> Iterator[tuple[Knob, int, Outputs, Outputs]]:
    """Yield ``(knob, bits, float outputs, outputs with that knob rounded)`` of every chunk of images.

    Raises:
        HwsimError: no images, in the name of the sensitivity ``name``.
    """
    graph = variants.graph
    if not images:
        raise HwsimError(f"{name}: needs calibration images; give --calibration, or choose round_off")
    for chunk in chunks(graph, images):
        values: dict[str, np.ndarray] = {}
        run_float(graph, chunk, observe=values.__setitem__)
        exact = {output: values[output] for output in graph.outputs}
        for knob, widths in zip(choices.knobs, choices.bits, strict=True):
            tail = _tail(graph, knob)
            for b in widths:
                yield knob, b, exact, exact | _outputs(tail, variants.tensor(knob, b), values)


def chunks(graph: Graph, images: Images) -> Iterator[dict[str, np.ndarray]]:
    """Yield the images in chunks that bound memory."""
    step = chunk_size(graph)
    for start in range(0, len(next(iter(images.values()))), step):
        yield {key: array[start : start + step] for key, array in images.items()}


def _tail(graph: Graph, knob: Knob) -> Graph:
    """Return the part of the network that a knob changes, its other operands as inputs."""
    first = graph.node_of[knob.layer]
    if knob.key == "weights":
        nodes, changed = [first], set(first.outputs)
    else:
        nodes, changed = [], {first.outputs[0]}
    for node in graph.nodes:
        if node is not first and changed.intersection(node.inputs):
            nodes.append(node)
            changed.update(node.outputs)
    outputs = tuple(name for name in graph.outputs if name in changed)
    return replace(
        graph,
        nodes=tuple(nodes),
        inputs=_entering(graph, nodes, outputs),
        outputs=outputs,
        code_inputs=(),
        file_layouts={},
    )


def _entering(graph: Graph, nodes: list[Node], outputs: tuple[str, ...]) -> tuple[str, ...]:
    produced = {name for node in nodes for name in node.outputs}
    read = dict.fromkeys([*(name for node in nodes for name in node.inputs if name), *outputs])
    return tuple(name for name in read if name not in produced and not graph.tensors[name].is_constant)


def _outputs(tail: Graph, tensor: Tensor, values: dict[str, np.ndarray]) -> Outputs:
    """Run the tail with ``tensor``, a weight or an activation, on its grid."""
    assert tensor.quant is not None
    given = {name: values[name] for name in tail.inputs}
    if tensor.is_constant:
        rounded = replace(tensor, data=tensor.quant.decode(tensor.encoded()), quant=None, codes=None)
        tail = tail.with_changes(tensors=[rounded])
    else:
        given[tensor.name] = tensor.quant.decode(tensor.quant.encode(values[tensor.name]))
    return run_float(tail, given)
