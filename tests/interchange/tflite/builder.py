"""A short way to write small TensorFlow Lite files, by the schema's own builders."""

import flatbuffers
import numpy as np
import tflite

DTYPES = {
    "FLOAT32": np.float32,
    "FLOAT16": np.float16,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "INT4": np.int8,
    "BOOL": np.bool_,
}


def pack_int4(values):
    """Two numbers to a byte, the low half first; an odd count leaves the last half empty."""
    flat = np.asarray(values, np.int8).reshape(-1) & 0xF
    flat = np.append(flat, np.zeros(flat.size % 2, np.int8)).astype(np.uint8)
    return flat[0::2] | (flat[1::2] << 4)


class File:
    """Tensors and operators of one subgraph; ``build`` gives the bytes of the file."""

    def __init__(self):
        self.tensors = []
        self.operators = []
        self.inputs = []

    def tensor(
        self, name, shape, kind="INT8", scale=None, zero_point=0, axis=0, data=None, signature=None, variable=False
    ):
        """Add a tensor; return its number."""
        self.tensors.append(
            {
                "name": name,
                "shape": tuple(shape),
                "kind": kind,
                "scale": None if scale is None else np.atleast_1d(np.asarray(scale, np.float32)),
                "zero_point": np.atleast_1d(np.asarray(zero_point, np.int64)),
                "axis": axis,
                "data": data,
                "signature": signature,
                "variable": variable,
            }
        )
        return len(self.tensors) - 1

    def input(self, name, shape, kind="INT8", scale=None, zero_point=0, **more):
        """Add an input of the network."""
        number = self.tensor(name, shape, kind, scale, zero_point, **more)
        self.inputs.append(number)
        return number

    def constant(self, name, values, kind="INT32", scale=None, zero_point=0, axis=0):
        """Add a constant."""
        values = np.asarray(values, DTYPES[kind])
        data = pack_int4(values).tobytes() if kind == "INT4" else values.tobytes()
        return self.tensor(name, values.shape, kind, scale, zero_point, axis, data=data)

    def operator(self, code, inputs, outputs, options=None, version=1, **fields):
        """Add an operator; ``options`` is the class of its options, ``fields`` what to write into it."""
        self.operators.append((code, tuple(inputs), tuple(outputs), options, fields, version))

    def build(self, outputs):
        """Return the bytes of the file."""
        b = flatbuffers.Builder(1024)
        buffers = [b""] + [tensor["data"] for tensor in self.tensors if tensor["data"] is not None]
        numbers = iter(range(1, len(buffers)))
        places = [0 if tensor["data"] is None else next(numbers) for tensor in self.tensors]
        tensors = [self._tensor(b, tensor, place) for tensor, place in zip(self.tensors, places, strict=True)]
        codes = list(dict.fromkeys((code, version) for code, *_, version in self.operators))
        operators = [self._operator(b, codes, *row) for row in self.operators]
        parts = {
            "Tensors": _offsets(b, tensors),
            "Inputs": b.CreateNumpyVector(np.array(self.inputs, np.int32)),
            "Outputs": b.CreateNumpyVector(np.array(outputs, np.int32)),
            "Operators": _offsets(b, operators),
        }
        subgraph = _table(b, "SubGraph", parts)
        code_tables = [self._code(b, code, version) for code, version in codes]
        buffer_tables = [
            _table(b, "Buffer", {"Data": b.CreateNumpyVector(np.frombuffer(data, np.uint8))} if data else {})
            for data in buffers
        ]
        model = _table(
            b, "Model",
            {
                "OperatorCodes": _offsets(b, code_tables), "Subgraphs": _offsets(b, [subgraph]),
                "Buffers": _offsets(b, buffer_tables), "Version": 3,
            },
        )  # fmt: skip
        b.Finish(model, b"TFL3")
        return bytes(b.Output())

    @staticmethod
    def _tensor(b, row, place):
        parts = {
            "Name": b.CreateString(row["name"]),
            "Shape": b.CreateNumpyVector(np.array(row["shape"], np.int32)),
            "Type": getattr(tflite.TensorType, row["kind"]),
            "Buffer": place,
            "IsVariable": row["variable"],
        }
        if row["signature"] is not None:
            parts["ShapeSignature"] = b.CreateNumpyVector(np.array(row["signature"], np.int32))
        if row["scale"] is not None:
            scale = row["scale"]
            grid = {
                "Scale": b.CreateNumpyVector(scale),
                "ZeroPoint": b.CreateNumpyVector(np.broadcast_to(row["zero_point"], scale.shape).copy()),
                "QuantizedDimension": row["axis"],
            }
            parts["Quantization"] = _table(b, "QuantizationParameters", grid)
        return _table(b, "Tensor", parts)

    @staticmethod
    def _operator(b, codes, code, inputs, outputs, options, fields, version):
        parts = {
            "OpcodeIndex": codes.index((code, version)),
            "Inputs": b.CreateNumpyVector(np.array(inputs, np.int32)),
            "Outputs": b.CreateNumpyVector(np.array(outputs, np.int32)),
        }
        if options is not None:
            written = {
                key: b.CreateNumpyVector(np.array(value, np.int32)) if isinstance(value, tuple) else value
                for key, value in fields.items()
            }
            parts["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options)
            parts["BuiltinOptions"] = _table(b, options, written)
        return _table(b, "Operator", parts)

    @staticmethod
    def _code(b, code, version):
        number = getattr(tflite.BuiltinOperator, code)
        parts = {"DeprecatedBuiltinCode": min(number, 127), "BuiltinCode": number, "Version": version}
        if code == "CUSTOM":
            parts["CustomCode"] = b.CreateString("Own")
        return _table(b, "OperatorCode", parts)


def _offsets(b, tables):
    b.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        b.PrependUOffsetTRelative(table)
    return b.EndVector()


def _table(b, name, fields):
    getattr(tflite, f"{name}Start")(b)
    for key, value in fields.items():
        getattr(tflite, f"{name}Add{key}")(b, value)
    return getattr(tflite, f"{name}End")(b)
