"""Read an ONNX model into a Graph.

A model that comes quantized keeps its grids: a QuantizeLinear becomes a ``Quantize`` node between a real-valued tensor and
one with a grid, a DequantizeLinear nothing, and operators on integers the plain operators on tensors with grids.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import onnx
from onnx import inliner, numpy_helper

from hwsim.errors import GraphError, HwsimError
from hwsim.graph import Graph
from hwsim.interchange.onnx.dimensions import Inputs, fix_inputs
from hwsim.interchange.onnx.fold import fold
from hwsim.interchange.onnx.load import Source, load_model
from hwsim.interchange.onnx.names import unique_names
from hwsim.interchange.onnx.normalize import KEEP_CODES, NORMALIZERS, normalize
from hwsim.interchange.onnx.operator import Operator, parse_operator
from hwsim.interchange.onnx.refuse import SHAPE_ARITHMETIC, unsupported
from hwsim.interchange.onnx.run_time_scales import with_run_time_scales
from hwsim.interchange.onnx.tables import Tables
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.finish import finish

Nodes = Sequence[onnx.NodeProto]
DISTINCT_BATCH = 13  # a symbolic batch is read as this number: what a Reshape does with it shows


def read_onnx(source: Source, *, batch: int = 1, dimensions: Mapping[str, int] | None = None) -> Graph:
    """Return the network of an ONNX model, float or quantized, with every shape fixed and constants folded.

    Nodes keep their ONNX names. Dropout, Identity and casts between float formats vanish, 1-D convolution and pooling
    become 2-D with height 1, weights become float32, and every attribute is explicit (see ``hwsim.graph.ops``).

    Args:
        source: a path, the bytes of a file, or a loaded model.
        batch: size of dimension 0 of the inputs, also where the file says another number.
        dimensions: sizes of the other symbolic dimensions by name, ``{"seq": 128}``; one without a name is called
            ``"<input>:<axis>"``.

    Raises:
        GraphError: the file is missing or broken, a size is unknown, an operator is not supported, a weight is not finite.
            All nodes with a problem are listed at once.
    """
    model, where, name = load_model(source)
    if model.functions:
        model = inliner.inline_local_functions(model)
    if model.graph.sparse_initializer:
        raise GraphError(f"{where}: sparse weights are not supported; store them as dense initializers")
    inputs = fix_inputs(model, where, batch, dimensions or {})
    nodes = with_run_time_scales(model)
    if inputs.written_batch is not None:
        draft = _draft(model, nodes, where, inputs, inputs.written_batch, batch)
        if draft.fixed_by and batch != inputs.written_batch:
            raise GraphError(
                f"{where}: node {draft.fixed_by!r} holds only for the batch of the file; read it with "
                f"batch={inputs.written_batch} (--batch {inputs.written_batch}), or export it with a symbolic batch"
            )
    else:
        draft = _draft_symbolic(model, nodes, where, inputs, batch)
    return finish(draft, name, batch, [value.name for value in model.graph.output])


def _draft_symbolic(model: onnx.ModelProto, nodes: Nodes, where: str, inputs: Inputs, batch: int) -> Draft:
    """Read at a batch that stands out from all other sizes; if that does not pass, at the batch that is wanted."""
    try:
        draft = _draft(model, nodes, where, inputs, DISTINCT_BATCH, batch)
        if draft.fixed_by is None:
            return draft
    except GraphError:
        pass  # again below, so that the message has the sizes that the user knows
    return _draft(model, nodes, where, inputs, batch, batch)


def _draft(model: onnx.ModelProto, nodes: Nodes, where: str, inputs: Inputs, batch: int, wanted: int) -> Draft:
    draft = Draft(
        where=where,
        shapes=inputs.at(batch),
        probes=inputs.at(wanted if wanted != batch else batch + 1),
        batch=batch,
        constants={tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer},
        code_inputs=inputs.codes,
        opset=max((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), default=1),
    )
    for given in inputs.rounded:
        draft.notes[f"input {given!r} is declared in another float format and is taken as float32"] = None
    _read_nodes(nodes, [value.name for value in model.graph.output], draft)
    return draft


def _read_nodes(nodes: Nodes, results: Sequence[str], draft: Draft) -> None:
    """Normalize node by node; after a problem go on with what does not depend on it, and report all of them."""
    problems: list[str] = []
    unknown: set[str] = set()
    tables = Tables(draft)
    read = {name for node in nodes for name in node.input} | set(results)
    for node, name in zip(nodes, unique_names(nodes), strict=True):
        operator = parse_operator(node, name, draft.opset)
        operator = operator.changed(
            inputs=tuple(map(draft.resolve, operator.inputs)),
            outputs=_wanted_outputs(operator, read),
            codes=tuple(tensor in draft.code_names for tensor in operator.inputs),
        )
        if not unknown.isdisjoint(operator.inputs) and operator.op in SHAPE_ARITHMETIC:
            unknown.update(operator.outputs)
            continue
        known = unknown.isdisjoint(operator.inputs)
        try:
            if known and tables.take(operator):
                continue
            if known and operator.op not in KEEP_CODES and fold(node, operator, draft):
                continue
            if operator.op not in NORMALIZERS:
                problems.append(f"node {name!r}: {unsupported(operator.op)}")
            elif known:
                normalize(operator, draft)
                continue
        except HwsimError as error:
            problems.append(f"node {name!r} ({operator.op}): {error}")
        unknown.update(operator.outputs)
    unknown.discard("")
    if len(problems) == 1:
        raise GraphError(f"{draft.where}: {problems[0]}")
    if problems:
        raise GraphError("\n".join([f"{draft.where}: {len(problems)} problems:", *(f"  {line}" for line in problems)]))


def _wanted_outputs(operator: Operator, read: Collection[str]) -> tuple[str, ...]:
    """Return the outputs; a mask, a mean or indices that nobody reads are "" (parts of a Split keep their names)."""
    if operator.op == "Split":
        return operator.outputs
    first, rest = operator.outputs[:1], operator.outputs[1:]
    return first + tuple(name if name in read else "" for name in rest)
