"""Models of one operator for LiteRT, written with the schema classes of the ``tflite`` package, and their execution."""

from __future__ import annotations

from dataclasses import dataclass

import flatbuffers
import numpy as np
import tflite

TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int16": 7, "int8": 9}
LAST_DEPRECATED_CODE = 127


@dataclass(frozen=True)
class Operand:
    """A tensor of the model; ``data`` makes it a constant, ``scale`` None leaves it without a grid."""

    shape: tuple
    kind: str
    scale: float | None = None
    zero_point: int = 0
    data: np.ndarray | None = None


def options(table, **fields):
    """Return the builtin options ``table`` with ``fields``, named as in the schema's accessors."""

    def write(builder):
        start = getattr(tflite, f"{table}Start")
        start(builder)
        for name, value in fields.items():
            getattr(tflite, f"{table}Add{name}")(builder, value)
        return getattr(tflite, f"{table}End")(builder)

    return getattr(tflite.BuiltinOptions, table), write


def _vector(builder, start, offsets):
    start(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _tensor(builder, index, operand, buffer):
    name = builder.CreateString(f"t{index}")
    shape = builder.CreateNumpyVector(np.array(operand.shape, np.int32))
    grid = None
    if operand.scale is not None:
        scale = builder.CreateNumpyVector(np.array([operand.scale], np.float32))
        zero_point = builder.CreateNumpyVector(np.array([operand.zero_point], np.int64))
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scale)
        tflite.QuantizationParametersAddZeroPoint(builder, zero_point)
        grid = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, TYPES[operand.kind])
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name)
    if grid is not None:
        tflite.TensorAddQuantization(builder, grid)
    return tflite.TensorEnd(builder)


def _buffers(builder, operands):
    """Return the buffer vector and the buffer of every tensor; buffer 0 is empty."""
    contents, of_tensor = [None], []
    for operand in operands:
        of_tensor.append(0 if operand.data is None else len(contents))
        if operand.data is not None:
            contents.append(np.ascontiguousarray(operand.data, operand.kind).tobytes())
    offsets = []
    for content in contents:
        data = None if content is None else builder.CreateByteVector(content)
        tflite.BufferStart(builder)
        if data is not None:
            tflite.BufferAddData(builder, data)
        offsets.append(tflite.BufferEnd(builder))
    return _vector(builder, tflite.ModelStartBuffersVector, offsets), of_tensor


def model(operator, operands, result, builtin=None, version=1):
    """Return the bytes of a model with one operator."""
    builder = flatbuffers.Builder(1024)
    tensors = [*operands, result]
    buffers, buffer_of = _buffers(builder, tensors)
    written = [_tensor(builder, i, tensor, buffer_of[i]) for i, tensor in enumerate(tensors)]
    tensor_vector = _vector(builder, tflite.SubGraphStartTensorsVector, written)
    given = np.array([i for i, operand in enumerate(operands) if operand.data is None], np.int32)
    made, read = np.array([len(operands)], np.int32), np.arange(len(operands), dtype=np.int32)
    inputs, outputs, operator_in, operator_out = (builder.CreateNumpyVector(part) for part in (given, made, read, made))
    choices = None if builtin is None else builtin[1](builder)
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, 0)
    tflite.OperatorAddInputs(builder, operator_in)
    tflite.OperatorAddOutputs(builder, operator_out)
    if builtin is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, builtin[0])
        tflite.OperatorAddBuiltinOptions(builder, choices)
    operators = _vector(builder, tflite.SubGraphStartOperatorsVector, [tflite.OperatorEnd(builder)])
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensor_vector)
    tflite.SubGraphAddInputs(builder, inputs)
    tflite.SubGraphAddOutputs(builder, outputs)
    tflite.SubGraphAddOperators(builder, operators)
    graphs = _vector(builder, tflite.ModelStartSubgraphsVector, [tflite.SubGraphEnd(builder)])
    code = getattr(tflite.BuiltinOperator, operator)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(code, LAST_DEPRECATED_CODE))
    tflite.OperatorCodeAddBuiltinCode(builder, code)
    tflite.OperatorCodeAddVersion(builder, version)
    codes = _vector(builder, tflite.ModelStartOperatorCodesVector, [tflite.OperatorCodeEnd(builder)])
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, codes)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, buffers)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def run(content, arrays):
    """Return the result of LiteRT's reference kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType  # only where it is installed

    interpreter = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), arrays, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
