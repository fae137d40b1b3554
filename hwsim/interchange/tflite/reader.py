"""Read a TensorFlow Lite model into a Graph."""

from __future__ import annotations

from collections.abc import Mapping

from hwsim.errors import GraphError
from hwsim.graph import Graph
from hwsim.interchange.tflite.arity import check_arity
from hwsim.interchange.tflite.dimensions import Inputs, fix_inputs
from hwsim.interchange.tflite.finish import finish_reading
from hwsim.interchange.tflite.fold import fold
from hwsim.interchange.tflite.layout import PlacedTensor
from hwsim.interchange.tflite.load import Source, read_bytes
from hwsim.interchange.tflite.names import unique_names
from hwsim.interchange.tflite.normalize import NORMALIZERS
from hwsim.interchange.tflite.parse import parse
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import ABSENT, FileModel, FileOperator
from hwsim.interchange.tflite.refuse import unsupported
from hwsim.interchange.tflite.values import REALS

DISTINCT_BATCH = 13  # an open batch is read as this number: what a Reshape does with it shows


def read_tflite(source: Source, *, batch: int = 1, dimensions: Mapping[str, int] | None = None) -> Graph:
    """Return the network of a TensorFlow Lite model: float, quantized (int8, int16x8, uint8, int4 weights) or hybrid.

    Tensors keep the names of the file, operators are named after their first result. Activations with height and width
    are ``[batch, channels, height, width]``; ``placed_tensors`` says which ones, and turns arrays around. A quantized model
    keeps its grids and its codes, and its inputs may be given as codes.

    Args:
        source: a path, or the bytes of a file.
        batch: size of dimension 0 of the inputs, also where the file says another number.
        dimensions: sizes that the file leaves open, by ``"<input>:<axis>"``.

    Raises:
        GraphError: the file is missing or broken, a size is unknown, an operator is not supported, a grid is missing.
            All operators with a problem are listed at once.
    """
    reading, _, name = _read(source, batch, dimensions or {})
    return finish_reading(reading, name, batch)


def placed_tensors(
    source: Source, *, batch: int = 1, dimensions: Mapping[str, int] | None = None
) -> dict[int, PlacedTensor]:
    """Return where the activations of the file stand in the Graph of ``read_tflite``, by their number in the file.

    Args and errors are those of ``read_tflite``. ``PlacedTensor.in_file_layout`` gives back the file's layout.
    """
    return dict(_read(source, batch, dimensions or {})[0].placed)


def _read(source: Source, batch: int, dimensions: Mapping[str, int]) -> tuple[Reading, str, str]:
    data, where, name = read_bytes(source)
    model = parse(data, where)
    names = unique_names([tensor.name for tensor in model.tensors])
    inputs = fix_inputs(model, names, where, batch, dimensions)
    if inputs.written_batch is None:
        return _read_open(model, names, inputs, batch, where), where, name
    reading = _read_at(model, names, inputs, inputs.written_batch, batch, where)
    if reading.draft.fixed_by and batch != inputs.written_batch:
        raise GraphError(
            f"{where}: operator {reading.draft.fixed_by!r} holds only for the batch of the file; read it with "
            f"batch={inputs.written_batch} (--batch {inputs.written_batch}), or convert it with an open batch"
        )
    return reading, where, name


def _read_open(model: FileModel, names: list[str], inputs: Inputs, batch: int, where: str) -> Reading:
    """Read at a batch that stands out from all other sizes; if that does not pass, at the batch that is wanted."""
    try:
        reading = _read_at(model, names, inputs, DISTINCT_BATCH, batch, where)
        if reading.draft.fixed_by is None:
            return reading
    except GraphError:
        pass  # again below, so that the message has the sizes that the user knows
    return _read_at(model, names, inputs, batch, batch, where)


def _read_at(model: FileModel, names: list[str], inputs: Inputs, batch: int, wanted: int, where: str) -> Reading:
    reading = Reading(
        model=model,
        names=names,
        shapes=inputs.at(batch),
        probes=inputs.at(wanted if wanted != batch else batch + 1),
        batch=batch,
        where=where,
    )
    problems = [*_inputs(reading), *_operators(reading)]
    if not problems:
        problems = [*_outputs(reading)]
    if len(problems) == 1:
        raise GraphError(f"{where}: {problems[0]}")
    if problems:
        raise GraphError("\n".join([f"{where}: {len(problems)} problems:", *(f"  {line}" for line in problems)]))
    return reading


def _inputs(reading: Reading) -> list[str]:
    """Give the inputs their grids; return what is wrong with them."""
    problems = []
    for index in reading.model.inputs:
        tensor = reading.tensor(index)
        try:
            grid = reading.grid(index)
        except GraphError as error:
            problems.append(f"input {error}")
            continue
        if grid is None and tensor.type not in REALS:
            problems.append(f"input {reading.names[index]!r} is {tensor.type}; only real and quantized inputs are read")
        if grid is not None:
            reading.grids[reading.names[index]] = grid
    return problems


def _operators(reading: Reading) -> list[str]:
    """Normalize operator by operator; after a problem go on with what does not depend on it, and return all of them."""
    problems: list[str] = []
    unknown: set[int] = set()
    for operator in reading.model.operators:
        label = f"operator {_label(reading, operator)!r}"
        known = unknown.isdisjoint(operator.inputs)
        try:
            _check(reading, operator)
            if known and fold(reading, operator):
                continue
            if operator.code not in NORMALIZERS:
                problems.append(f"{label}: {unsupported(operator.code, NORMALIZERS)}")
            elif known:
                NORMALIZERS[operator.code](operator, reading)
                continue
        except GraphError as error:
            problems.append(f"{label} ({operator.code}): {error}")
        unknown.update(operator.outputs)
    return problems


def _label(reading: Reading, operator: FileOperator) -> str:
    return reading.names[operator.outputs[0]] if operator.outputs else str(operator.index)


def _check(reading: Reading, operator: FileOperator) -> None:
    check_arity(operator)
    for index in operator.outputs:
        if index in reading.placed or index in reading.values or reading.tensor(index).data is not None:
            raise GraphError(f"its output {reading.names[index]!r} already has a value; convert the model again")
    for index in operator.inputs:
        if index != ABSENT and reading.tensor(index).variable:
            raise GraphError(
                f"its operand {reading.names[index]!r} keeps its value between inferences; recurrent networks are not "
                "modelled: unroll the steps when exporting"
            )


def _outputs(reading: Reading) -> list[str]:
    """Return which results nobody computes."""
    return [
        f"output {reading.names[index]!r} is not computed by any operator"
        for index in reading.model.outputs
        if index not in reading.placed and not reading.is_constant(index)
    ]
