"""From a complete reading to a Graph: grids on tensors, codes on constants, notes about what was read."""

from __future__ import annotations

from dataclasses import replace

from hwsim.graph import OPS, Graph, Work
from hwsim.interchange.reading.finish import finish
from hwsim.interchange.tflite.layout import Permutation, identity
from hwsim.interchange.tflite.reading import Reading

REFERENCE_NOTE = (
    "the file is quantized for TensorFlow Lite: --runtime tflite computes the integers of LiteRT's reference kernels"
)


def finish_reading(reading: Reading, name: str, batch: int) -> Graph:
    """Return the Graph for ``batch``, with the grids of the file."""
    outputs = [_output_name(reading, index) for index in reading.model.outputs]
    graph = finish(reading.draft, name, batch, outputs)
    coded = tuple(name for name in graph.inputs if graph.tensors[name].quant is not None)
    notes = (*graph.notes, *_notes(reading, graph))
    return replace(graph, code_inputs=coded, file_layouts=_file_layouts(reading, graph), notes=notes)


def _file_layouts(reading: Reading, graph: Graph) -> dict[str, Permutation]:
    """Return the inputs and outputs that stand otherwise in the file."""
    named = [(index, reading.names[index]) for index in reading.model.inputs]
    named += zip(reading.model.outputs, graph.outputs, strict=True)
    orders = {name: reading.layout(index) for index, name in named if name in graph.tensors}
    return {name: order for name, order in orders.items() if order != identity(len(order))}


def _output_name(reading: Reading, index: int) -> str:
    """Return the file's name of a result; where the graph has it only under another name, an Identity gives it."""
    name = reading.names[index]
    source = reading.operand(index)
    if source == name and source not in reading.draft.constants:
        return name
    taken = name in reading.draft.shapes or name in reading.draft.constants
    target = reading.fresh(name) if taken else name
    reading.emit("Identity", f"{name}/identity", [source], [target])
    return target


def _notes(reading: Reading, graph: Graph) -> list[str]:
    notes = []
    if graph.is_quantized:
        notes.append(REFERENCE_NOTE)
    hybrid = [
        node.name
        for node in graph.nodes
        if OPS[node.op].work is Work.GEMM
        and graph.tensors[node.inputs[0]].quant is None
        and graph.tensors[node.inputs[1]].quant is not None
    ]
    if hybrid:
        more = f" and {len(hybrid) - 1} more" if len(hybrid) > 1 else ""
        notes.append(
            f"layer {hybrid[0]!r}{more} has integer weights and real-valued activations: computed in float32, where the "
            "runtime's hybrid kernels quantize the activations anew in each call"
        )
    return notes
