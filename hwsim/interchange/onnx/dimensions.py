"""Fix every dimension of the inputs: the batch, and what ``dimensions`` names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx

from hwsim.errors import GraphError, did_you_mean
from hwsim.interchange.onnx.element_types import REALS, format_of, type_name
from hwsim.numerics.formats import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs, with every size fixed but the batch.

    Args:
        templates: shapes by input name, in the order of the model; None stands for the batch.
        written_batch: the batch that the file writes as a number, else None.
        rounded: the inputs that the model declares in another float format than float32.
        codes: the formats of the inputs that the model declares as integers or narrow floating point.
    """

    templates: Mapping[str, tuple[int | None, ...]]
    written_batch: int | None
    rounded: tuple[str, ...]
    codes: Mapping[str, Format]

    def at(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes for one batch."""
        return {
            name: tuple(batch if size is None else size for size in template)
            for name, template in self.templates.items()
        }


def fix_inputs(model: onnx.ModelProto, where: str, batch: int, dimensions: Mapping[str, int]) -> Inputs:
    """Return the inputs with symbolic sizes replaced.

    The batch is dimension 0 of the first input: a symbol, which is then the batch wherever it stands, or a number, which is
    then the batch in dimension 0 of every input that has it.

    Raises:
        GraphError: a size that nobody gives, a name in ``dimensions`` that the model lacks, an input that is not float.
    """
    _check_sizes(where, batch, dimensions)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if not inputs:
        raise GraphError(f"{where}: the model has no input; a network needs one")
    for value in inputs:
        _check_type(value, where)
    first = inputs[0].type.tensor_type.shape.dim
    written = first[0].dim_value if first and first[0].HasField("dim_value") else None
    symbol = first[0].dim_param if first else ""
    if symbol and dimensions.get(symbol, batch) != batch:
        raise GraphError(
            f"{where}: dimension {symbol!r} is the batch; give it as batch={dimensions[symbol]} (--batch "
            f"{dimensions[symbol]}), not as a dimension"
        )
    _check_names(inputs, where, dimensions)
    templates = {value.name: _template(value, where, written, symbol, dimensions) for value in inputs}
    types = {value.name: value.type.tensor_type.elem_type for value in inputs}
    codes = {name: number for name, kind in types.items() if (number := format_of(kind)) is not None}
    rounded = tuple(name for name, kind in types.items() if kind in REALS - {onnx.TensorProto.FLOAT})
    return Inputs(templates=templates, written_batch=written, rounded=rounded, codes=codes)


def _check_sizes(where: str, batch: int, dimensions: Mapping[str, int]) -> None:
    for name, size in (("batch", batch), *dimensions.items()):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise GraphError(f"{where}: {name} must be a positive integer, not {size!r}")


def _check_type(value: onnx.ValueInfoProto, where: str) -> None:
    if not value.type.HasField("tensor_type"):
        raise GraphError(f"{where}: input {value.name!r} is not a tensor; only tensors are supported")
    kind = value.type.tensor_type.elem_type
    if kind not in REALS | {onnx.TensorProto.BOOL} and format_of(kind) is None:
        raise GraphError(
            f"{where}: input {value.name!r} is {type_name(kind)}, and only float inputs and integers of up to 32 bits, and truth values, are "
            "supported; cut the model behind the embedding or the cast with onnx.utils.extract_model"
        )
    if not value.type.tensor_type.HasField("shape"):
        raise GraphError(f"{where}: input {value.name!r} declares no shape; export the model with one")


def _check_names(inputs: list[onnx.ValueInfoProto], where: str, known: Mapping[str, int]) -> None:
    names = {dim.dim_param for value in inputs for dim in value.type.tensor_type.shape.dim if dim.dim_param}
    names |= {f"{value.name}:{axis}" for value in inputs for axis in range(len(value.type.tensor_type.shape.dim))}
    for name in known:
        if name not in names:
            symbols = sorted(name for name in names if ":" not in name) or sorted(names)
            raise GraphError(f"{where}: no input has a dimension {name!r}{did_you_mean(name, symbols)}")


def _template(
    value: onnx.ValueInfoProto, where: str, written: int | None, symbol: str, dimensions: Mapping[str, int]
) -> tuple[int | None, ...]:
    sizes: list[int | None] = []
    for axis, dim in enumerate(value.type.tensor_type.shape.dim):
        name = dim.dim_param or f"{value.name}:{axis}"
        if dim.HasField("dim_value"):
            if dim.dim_value < 1:
                raise GraphError(
                    f"{where}: input {value.name!r} has size {dim.dim_value} in dimension {axis}; it must be positive"
                )
            sizes.append(None if axis == 0 and dim.dim_value == written else dim.dim_value)
        elif (symbol and dim.dim_param == symbol) or (axis == 0 and not dim.dim_param and name not in dimensions):
            sizes.append(None)
        elif name in dimensions:
            sizes.append(dimensions[name])
        else:
            label = f"the symbolic size {dim.dim_param!r}" if dim.dim_param else "no size"
            raise GraphError(
                f"{where}: input {value.name!r} has {label} in dimension {axis}, and a simulation needs a number; "
                f'give it, for example dimensions={{"{name}": 128}} (--dimension {name}=128)'
            )
    return tuple(sizes)
