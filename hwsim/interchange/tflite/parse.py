"""From the bytes of a flatbuffer to records; whatever a broken file holds becomes a GraphError here."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import tflite

from hwsim.errors import GraphError
from hwsim.interchange.tflite.options import read_options
from hwsim.interchange.tflite.parse_tensor import read_tensor
from hwsim.interchange.tflite.records import ABSENT, FileModel, FileOperator

IDENTIFIER = b"TFL3"
VERSION = 3
_BROKEN = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError, RecursionError)


def parse(data: bytes, where: str) -> FileModel:
    """Return the subgraph of a TensorFlow Lite file.

    Args:
        data: the whole file.
        where: names it in errors.

    Raises:
        GraphError: it is no TensorFlow Lite file, it is cut off or inconsistent, or it holds several subgraphs.
    """
    if data[4:8] != IDENTIFIER:
        raise GraphError(
            f"{where}: is not a TensorFlow Lite model: bytes 4 to 8 must read {IDENTIFIER.decode()}, not {data[4:8]!r}; "
            "export or download it again"
        )
    try:
        return _model(data)
    except GraphError as error:
        raise GraphError(f"{where}: {error}") from None
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise GraphError(
            f"{where}: is broken or was cut off: {len(data)} bytes do not parse as a TensorFlow Lite model ({reason}); "
            "export or download it again"
        ) from None


def _model(data: bytes) -> FileModel:
    model = tflite.Model.GetRootAs(data, 0)
    if model.Version() != VERSION:
        raise GraphError(f"schema version {model.Version()} is not supported, only {VERSION}; convert it again")
    if model.SubgraphsLength() != 1:
        raise GraphError(
            f"the file holds {model.SubgraphsLength()} subgraphs, and only one is supported; export one "
            "signature without control flow (If, While)"
        )
    codes = [_code(model.OperatorCodes(number)) for number in range(model.OperatorCodesLength())]
    subgraph = model.Subgraphs(0)
    tensors = tuple(
        read_tensor(number, subgraph.Tensors(number), model, data) for number in range(subgraph.TensorsLength())
    )
    count = len(tensors)
    operators = tuple(
        _operator(number, subgraph.Operators(number), codes, count) for number in range(subgraph.OperatorsLength())
    )
    inputs = _numbers(subgraph.InputsLength(), subgraph.InputsAsNumpy, count, "the network's inputs")
    outputs = _numbers(subgraph.OutputsLength(), subgraph.OutputsAsNumpy, count, "the network's outputs")
    return FileModel(tensors=tensors, operators=operators, inputs=inputs, outputs=outputs)


def _code(table: Any) -> str:
    """Return the operator's name; old files keep it in a byte, new ones in an integer, and the larger one holds."""
    number = max(table.DeprecatedBuiltinCode(), table.BuiltinCode())
    if number == tflite.BuiltinOperator.CUSTOM:
        return f"CUSTOM:{(table.CustomCode() or b'').decode('utf-8', 'replace')}"
    return str(tflite.BUILTIN_OPCODE2NAME.get(number, f"BUILTIN:{number}"))


def _numbers(length: int, read: Callable[[], Any], count: int, what: str, *, optional: bool = False) -> tuple[int, ...]:
    """Return tensor numbers, each below ``count``."""
    found = tuple(int(value) for value in read()) if length else ()
    for number in found:
        if not (0 <= number < count or (optional and number == ABSENT)):
            raise GraphError(f"{what} name tensor {number}, and the file has {count}; export or download it again")
    return found


def _operator(number: int, table: Any, codes: list[str], count: int) -> FileOperator:
    if not table.OpcodeIndex() < len(codes):
        raise GraphError(f"operator {number} has code {table.OpcodeIndex()}, and the file lists {len(codes)} codes")
    code = codes[table.OpcodeIndex()]
    what = f"operator {number} ({code}):"
    return FileOperator(
        index=number,
        code=code,
        inputs=_numbers(table.InputsLength(), table.InputsAsNumpy, count, f"{what} its inputs", optional=True),
        outputs=_numbers(table.OutputsLength(), table.OutputsAsNumpy, count, f"{what} its outputs"),
        options=read_options(code, table),
    )
