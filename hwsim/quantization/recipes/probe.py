"""What a recipe asks of the datapath, read off the grids that it gives a small network.

The network has what tells granularities and formats apart: a convolution, a depthwise one, a residual sum, a classifier. Steps
that only choose codes are left out: they cannot change what the hardware needs.
"""

from __future__ import annotations

import numpy as np

from hwsim.graph import Graph, Node, Tensor
from hwsim.hardware.load import load_accelerator
from hwsim.mapping.demands import demands_of
from hwsim.quantization.prepare import prepare
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State

SEED, CHANNELS, SIZE, CLASSES, IMAGES = 7, 32, 6, 10, 8
MACHINE = "edge_16x16"


def probed(name: str) -> tuple[str, ...]:
    """Return the demands of recipe ``name`` with its default options, in words."""
    recipe = recipe_of(name)
    graph = prepare(probe_network())
    images = {
        "image": np.random.default_rng(SEED).random((IMAGES, *graph.tensors["image"].shape[1:]), dtype=np.float32)
    }
    state = State(
        reference=graph, graph=graph, calibration=images, scheme=Scheme(), machine=load_accelerator(MACHINE), seed=SEED
    )
    for step in recipe.steps(recipe.chosen(name, None)):
        if not getattr(step, "only_chooses_codes", False):
            state = step(state)
    return demands_of(state.graph).sentences()


def probe_network() -> Graph:
    """Return the network: stem, depthwise, pointwise, residual sum, pool, classifier; batch normalization behind each convolution."""
    random = np.random.default_rng(SEED)
    nodes: list[Node] = []
    tensors = [Tensor(name="image", shape=(1, 3, SIZE, SIZE))]

    def constant(name: str, data: np.ndarray) -> str:
        tensors.append(Tensor(name=name, shape=data.shape, data=data.astype(np.float32)))
        return name

    def add(name: str, op: str, inputs: tuple[str, ...], shape: tuple[int, ...], **attributes: object) -> str:
        nodes.append(Node(name=name, op=op, inputs=inputs, outputs=(name,), attributes=attributes))
        tensors.append(Tensor(name=name, shape=shape))
        return name

    def convolution(name: str, x: str, channels: int, kernel: int, groups: int = 1) -> str:
        inside = channels if groups == 1 else 1
        fan = inside * kernel * kernel
        weight = random.normal(size=(CHANNELS, inside, kernel, kernel)) * np.sqrt(2 / fan)
        shape = (1, CHANNELS, SIZE, SIZE)
        window = {"kernel": (kernel, kernel), "strides": (1, 1), "dilations": (1, 1), "pads": (kernel // 2,) * 4}
        y = add(f"{name}.conv", "Conv", (x, constant(f"{name}.weight", weight)), shape, groups=groups, **window)
        gamma, beta = random.uniform(0.5, 1.5, CHANNELS), random.normal(size=CHANNELS) * 0.5
        mean, variance = random.normal(size=CHANNELS) * 0.1, random.uniform(0.5, 1.5, CHANNELS)
        constants = (
            constant(f"{name}.{part}", data)
            for part, data in (("gamma", gamma), ("beta", beta), ("mean", mean), ("variance", variance))
        )
        y = add(f"{name}.bn", "BatchNormalization", (y, *constants), shape, epsilon=1e-5)
        return add(f"{name}.relu", "Relu", (y,), shape)

    stem = convolution("stem", "image", 3, 3)
    deep = convolution("pointwise", convolution("depthwise", stem, CHANNELS, 3, CHANNELS), CHANNELS, 1)
    total = add("sum", "Add", (stem, deep), (1, CHANNELS, SIZE, SIZE))
    pooled = add("pool", "GlobalAveragePool", (total,), (1, CHANNELS, 1, 1))
    flat = add("flatten", "Flatten", (pooled,), (1, CHANNELS), axis=1)
    weight = constant("fc.weight", random.normal(size=(CHANNELS, CLASSES)) / np.sqrt(CHANNELS))
    add("logits", "Gemm", (flat, weight, constant("fc.bias", random.normal(size=CLASSES) * 0.1)), (1, CLASSES))
    return Graph(
        name="probe",
        nodes=tuple(nodes),
        tensors={tensor.name: tensor for tensor in tensors},
        inputs=("image",),
        outputs=("logits",),
    )
