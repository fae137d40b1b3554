"""Well-known topologies with drawn weights: real shapes and realistic statistics, but nothing was learned.

The topologies are the ``light_*`` files of the installed ``onnx`` package, which carry no weights. Their cycles,
traffic and energy are those of the real network; their accuracy means nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError
from hwsim.zoo.fill import fill
from hwsim.zoo.images import natural_images
from hwsim.zoo.index import entry
from hwsim.zoo.legacy import OPSET, Skeleton, skeleton

if TYPE_CHECKING:
    from onnx import ModelProto

IR_VERSION = 8
_IMAGES = 4


def build(name: str, seed: int = 0) -> ModelProto:
    """Return topology ``name`` with weights drawn from ``seed``: opset 17, float32, a free batch dimension.

    Equal arguments give equal models. The metadata field ``weights`` says that the network is not trained.

    Raises:
        HwsimError: the name is not in the zoo, or is a trained model, or the installed ``onnx`` lacks the file.
    """
    found = entry(name)
    if found.trained:
        raise HwsimError(f"zoo: {name} is a trained model, its weights are not drawn; use load_model({name!r})")
    if seed < 0:
        raise HwsimError(f"zoo: the seed of {name} must be a non-negative integer, not {seed}")
    graph = skeleton(_light_file(found.file))
    _, channels, height, width = graph.input_shape
    images = natural_images(_IMAGES, channels, height, width, seed=seed)
    weights, _ = fill(name, graph, images, seed)
    return _assemble(name, graph, weights, {"weights": found.warning, "seed": str(seed), "source": found.source})


def _light_file(file: str) -> Path:
    """Return the path of ``file`` among the test data of the installed ``onnx`` package."""
    import onnx

    path = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / file
    if not path.is_file():
        raise HwsimError(
            f"zoo: the installed onnx {onnx.__version__} has no {file} among its test data; "
            "install a wheel that has it, for example onnx 1.23.2"
        )
    return path


def _assemble(name: str, graph: Skeleton, weights: dict[str, np.ndarray], metadata: dict[str, str]) -> ModelProto:
    """Return the model with ``weights`` in place; they are moved out of the dictionary one by one to save memory."""
    from onnx import TensorProto, helper

    source = helper.make_tensor_value_info(graph.input_name, TensorProto.FLOAT, ["batch", *graph.input_shape[1:]])
    result = helper.make_tensor_value_info(graph.output_name, TensorProto.FLOAT, ["batch", *graph.output_shape[1:]])
    model = helper.make_model(
        helper.make_graph(list(graph.nodes), name, [source], [result]),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="hwsim",
    )
    helper.set_model_props(model, metadata)
    for constants, data_type, layout in (
        (dict(graph.integers), TensorProto.INT64, "<i8"),
        (weights, TensorProto.FLOAT, "<f4"),
    ):
        for tensor in list(constants):
            value = constants.pop(tensor)
            # filled in place: numpy_helper.from_array and make_graph would copy VGG-19's 575 MB four times
            stored = model.graph.initializer.add(name=tensor, data_type=data_type, dims=value.shape)
            stored.raw_data = value.astype(layout, copy=False).tobytes()
    return model
