"""Run a quantized graph in integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.integer import convolution, elementwise, floating, matrix, pooling, thresholds
from hwsim.execute.integer.arithmetic import operators
from hwsim.execute.integer.entering import encoded_inputs
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real, table
from hwsim.execute.integer.movement import move
from hwsim.execute.integer.program import is_bindable, keep, make_program, own_results, take
from hwsim.execute.integer.run_time import grids_found
from hwsim.graph import OPS, Graph, Work, passes_grid, runs_on_array
from hwsim.graph.moves import moves_codes
from hwsim.numerics.quant_params import QuantParams

IntegerOp = Callable[[Layer, list[np.ndarray]], list[np.ndarray]]

INTEGER_OPS: dict[str, IntegerOp] = {
    **convolution.OPERATORS,
    **matrix.OPERATORS,
    **elementwise.OPERATORS,
    **pooling.OPERATORS,
    **thresholds.OPERATORS,
}


def operator_of(layer: Layer) -> IntegerOp:
    """Return the function that computes the node's codes, or its real values where the result has no grid."""
    node = layer.node
    if OPS[node.op].work is Work.GEMM:
        if not runs_on_array(layer.graph, node) or (layer.mapping is None and not layer.is_coded):
            return real
        product = INTEGER_OPS[node.op]
        return floating.on_mode(product) if floating.is_floating(layer) else product
    is_moved = moves_codes(layer.graph, node) and (layer.tensor(0).quant is None) == (not layer.output_is_coded())
    if node.op == "Reinterpret" or (is_moved and OPS[node.op].work is Work.MOVE):
        return move
    if not layer.is_coded or (layer.has_several_scales and not is_moved and node.op != "MultiThreshold"):
        return real
    own = operators(layer.datapath.arithmetic)
    if node.op in own:
        operator: IntegerOp = own[node.op]
        return operator
    if node.op in INTEGER_OPS:
        return INTEGER_OPS[node.op]
    if node.op in ("Resize", "Pad"):
        return move if passes_grid(node) else real
    work = OPS[node.op].work
    return {Work.TABLE: table, Work.FLOAT: real, Work.MOVE: move}[work]


def run_integer(
    graph: Graph,
    layers: Mapping[str, Layer],
    inputs: Mapping[str, np.ndarray],
    *,
    constants: Mapping[str, np.ndarray] | None = None,
    observe: Callable[[str, np.ndarray], None] | None = None,
) -> dict[str, np.ndarray]:
    """Return the codes of the graph's outputs, real values where an output has no grid.

    Args:
        graph: a quantized, calibrated network. Tensors without a grid hold float32: what reads or makes them is computed in
            float32 on decoded codes.
        layers: one ``Layer`` per node name; their counters grow.
        inputs: real-valued arrays by input name; dimension 0 may differ from the graph's batch. They are encoded on the
            grids of the inputs.
        constants: what ``encode_constants`` gave, where several calls share it.
        observe: called with the name and codes of every tensor as it is produced; it must not change them.

    Raises:
        ExecutionError: inputs that do not fit the graph, a tensor without a calibrated grid.
    """
    if not graph.is_quantized:
        raise ExecutionError(f"{graph.name}: no tensor has a grid; quantize the graph before executing it in integers")
    if observe is not None or constants is None or not layers:
        found = encode_constants(graph) if constants is None else constants
        return _layer_by_layer(graph, layers, found, encoded_inputs(graph, inputs), observe)
    program = take(graph, layers, constants, inputs)
    if program is not None:
        outputs = program.run(inputs)
    else:
        codes = encoded_inputs(graph, inputs)
        if not is_bindable(graph, layers, codes):
            return _layer_by_layer(graph, layers, constants, codes, None)
        program = make_program(graph, layers, constants, _every_tensor(graph, layers, constants, codes))
        outputs = program.results()
    keep(program, layers, inputs)
    return outputs


def _layer_by_layer(
    graph: Graph,
    layers: Mapping[str, Layer],
    constants: Mapping[str, np.ndarray],
    codes: Mapping[str, np.ndarray],
    observe: Callable[[str, np.ndarray], None] | None,
) -> dict[str, np.ndarray]:
    """Return the codes of the outputs; arguments as in ``run_integer``, with encoded inputs."""
    values = {**constants, **codes}
    if observe is not None:
        for name, array in codes.items():
            observe(name, array)
    grids: dict[str, QuantParams] = {}
    for node, released in zip(graph.nodes, graph.released, strict=True):
        layer, operands = layers[node.name], [values[name] for name in node.inputs if name]
        if grids or node.op == "Reinterpret":
            grids.update(grids_found(graph, node, operands, grids))
        if grids and not grids.keys().isdisjoint((*node.inputs, *node.outputs)):
            layer = replace(layer, grids=grids, memory={})  # what a layer remembers depends on its grids
        for name, found in zip(node.outputs, _computed(layer, operands), strict=True):
            values[name] = found
            if observe is not None:
                observe(name, found)
        for name in released:
            del values[name]
    return {name: values[name] for name in graph.outputs}


def _every_tensor(
    graph: Graph, layers: Mapping[str, Layer], constants: Mapping[str, np.ndarray], codes: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return all tensors of a run by name, which may be written; grids are those of the graph."""
    values = {**constants, **{name: array.copy() for name, array in codes.items()}}
    for node in graph.nodes:
        operands = [values[name] for name in node.inputs if name]
        results = own_results(node, operands, _computed(layers[node.name], operands))
        values.update(zip(node.outputs, results, strict=True))
    return values


def _computed(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    operator: IntegerOp = layer.memory.get("operator") or layer.remembered("operator", partial(operator_of, layer))
    return operator(layer, operands)


def encode_constants(graph: Graph) -> dict[str, np.ndarray]:
    """Return the codes of every constant with a grid, and the plain value of the others (indices, norm parameters)."""
    return {
        name: tensor.data if tensor.quant is None else tensor.encoded()
        for name, tensor in graph.tensors.items()
        if tensor.data is not None
    }
