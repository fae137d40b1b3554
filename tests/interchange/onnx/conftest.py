"""A short way to write small models."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


def _info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def _build(nodes, inputs, outputs=("y",), constants=None, opset=17, kinds=None, ir_version=8):
    """Return a model: inputs {name: shape}, constants {name: array}; nodes as (op, inputs, outputs, attributes).

    Operators with a dot in their name belong to the domain before it.
    """
    protos = [
        node
        if isinstance(node, onnx.NodeProto)
        else helper.make_node(
            node[0].split(".")[-1],
            node[1],
            node[2],
            domain=node[0].rpartition(".")[0],
            **(node[3] if len(node) > 3 else {}),
        )
        for node in nodes
    ]
    graph = helper.make_graph(
        protos,
        "small",
        [_info(name, shape, (kinds or {}).get(name, TensorProto.FLOAT)) for name, shape in inputs.items()],
        [_info(name, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    imports = [helper.make_opsetid("", opset)]
    imports += [helper.make_opsetid(domain, 1) for domain in sorted({node.domain for node in protos} - {""})]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir_version)


@pytest.fixture
def build():
    return _build


@pytest.fixture
def weights():
    def make(*shape):
        return np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    return make
