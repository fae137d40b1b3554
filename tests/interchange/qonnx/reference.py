"""QONNX's operators by their definitions, for ONNX's reference evaluator: independent of what they test."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

DOMAIN = "qonnx.custom_op.general"

ROUND = {
    "ROUND": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + np.float32(0.5)),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5)),
}


def bounds(bits, signed, narrow):
    if signed:
        return -(2.0 ** (bits - 1)) + bool(narrow), 2.0 ** (bits - 1) - 1
    return 0.0, 2.0**bits - 1 - bool(narrow)


class Quant(OpRun):
    op_domain = DOMAIN

    def _run(self, x, scale, zero_point, bits, signed=1, narrow=0, rounding_mode="ROUND"):
        low, high = bounds(float(bits), signed, narrow)
        codes = ROUND[rounding_mode.upper()](np.clip(x / scale + zero_point, np.float32(low), np.float32(high)))
        return (((codes - zero_point) * scale).astype(np.float32),)


class BipolarQuant(OpRun):
    op_domain = DOMAIN

    def _run(self, x, scale):
        return (np.where(x >= 0, scale, -scale).astype(np.float32),)


class MultiThreshold(OpRun):
    op_domain = DOMAIN

    def _run(self, x, thresholds, out_scale=1.0, out_bias=0.0, out_dtype="", data_layout=""):
        axis = (data_layout or {2: "NC", 3: "NWC", 4: "NCHW"}[x.ndim]).index("C")
        moved = np.moveaxis(x, axis, -1)[..., None] >= thresholds
        counts = np.moveaxis(moved.sum(axis=-1), -1, axis).astype(np.float32)
        return (np.float32(out_scale) * counts + np.float32(out_bias),)


class Trunc(OpRun):
    op_domain = DOMAIN

    def _run(self, x, scale, zero_point, in_bits, *rest, rounding_mode="FLOOR", signed=1, narrow=0):
        whole = np.rint(x / scale + zero_point)
        if len(rest) == 1:
            return (
                ((ROUND[rounding_mode](whole / 2.0 ** (in_bits - rest[0])) - zero_point) * scale).astype(np.float32),
            )
        out_scale, out_bits = rest
        step = 2.0 ** np.rint(np.log2(out_scale / scale))
        low, high = bounds(float(out_bits), signed, narrow)
        codes = ROUND[rounding_mode](np.clip(whole / step, low, high))
        return (((codes - zero_point / step) * out_scale).astype(np.float32),)


OPERATORS = [Quant, BipolarQuant, MultiThreshold, Trunc]


def reference(model, inputs):
    """Return the outputs of a model or file by name."""
    model = model if isinstance(model, onnx.ModelProto) else onnx.load(model)
    names = [value.name for value in model.graph.output]
    return dict(zip(names, ReferenceEvaluator(model, new_ops=OPERATORS).run(None, inputs), strict=True))


def build(nodes, inputs, constants=None, outputs=("y",), domain=DOMAIN):
    """Return a model; nodes as (op, inputs, outputs, attributes), those of QONNX in ``domain``."""
    ours = {"Quant", "IntQuant", "BipolarQuant", "FloatQuant", "Trunc", "MultiThreshold", "MaxPoolNHWC"}
    protos = [
        helper.make_node(
            op, given, made, name=f"{op}_{made[0]}", domain=domain if op in ours else "", **(more[0] if more else {})
        )
        for op, given, made, *more in nodes
    ]
    graph = helper.make_graph(
        protos,
        "small",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in (constants or {}).items()],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)
