"""Write a trained digit classifier as a float ONNX model with its BatchNormalization nodes kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from digits_networks import INPUT, Row
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
OUTPUT = "logits"
NODE_TYPE = {
    "conv": "Conv", "bn": "BatchNormalization", "relu": "Relu", "relu6": "Clip",
    "add": "Add", "pool": "GlobalAveragePool", "flatten": "Flatten", "fc": "Gemm",
}  # fmt: skip
PARAMETERS = {
    "conv": ("weight",), "bn": ("scale", "bias", "mean", "variance"), "fc": ("weight", "bias"),
}  # fmt: skip


def to_onnx(
    name: str, rows: Iterable[Row], weights: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> onnx.ModelProto:
    """Return the checked model: input ``image`` [batch, 1, 8, 8], output ``logits`` [batch, 10], both float32.

    ``weights`` holds one float32 array per ``<row>.<parameter>``, for example ``stem.conv.weight``.
    """
    rows = tuple(rows)
    last = rows[-1].name
    initializers, nodes = [], []
    if any(row.op == "relu6" for row in rows):
        initializers += [_initializer("relu6.min", np.float32(0)), _initializer("relu6.max", np.float32(6))]
    for row in rows:
        inputs = list(row.inputs)
        for parameter in PARAMETERS.get(row.op, ()):
            inputs.append(f"{row.name}.{parameter}")
            initializers.append(_initializer(inputs[-1], weights[inputs[-1]]))
        if row.op == "relu6":
            inputs += ["relu6.min", "relu6.max"]
        output = OUTPUT if row.name == last else row.name
        nodes.append(helper.make_node(NODE_TYPE[row.op], inputs, [output], name=row.name, **_attributes(row)))
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", rows[-1].channels])],
        initializers,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="hwsim"
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model


def _initializer(name: str, value: np.ndarray | np.float32) -> TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(value, dtype=np.float32).reshape(np.shape(value)), name)


def _attributes(row: Row) -> dict[str, object]:
    if row.op == "conv":
        k, s, p = row.kernel, row.stride, row.kernel // 2
        return {"kernel_shape": [k, k], "strides": [s, s], "pads": [p] * 4, "group": row.groups}
    return {"bn": {"epsilon": 1e-5}, "flatten": {"axis": 1}, "fc": {"transB": 1}}.get(row.op, {})
