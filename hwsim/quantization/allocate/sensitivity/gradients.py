"""The float network as a differentiable function of the weights that are allocated (PyTorch, the ``train`` extra).

The loss is the divergence KL(float || network) of the output distributions from those of the float network itself. At the
float weights its gradient is zero and its Hessian is the Gauss-Newton, or Fisher, matrix: half of ``d H d`` is what ``kl``
becomes for a small change ``d`` of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import Images
from hwsim.quantization.allocate.sensitivity.outputs import chunks
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable
from hwsim.quantization.reconstruct.operators import run_node
from hwsim.quantization.reconstruct.session import need_torch

if TYPE_CHECKING:
    import torch

SMALLEST = 1e-38
UNIT = "nats, to second order"
DRAWS = 64
Curvature = Callable[[Variants, Choices, Images, int], Mapping[Knob, np.ndarray]]


def second_order(
    variants: Variants, choices: Choices, images: Images, seed: int, *, name: str, curvature: Curvature
) -> WidthTable:
    """Return ``sum_i c_i (Q_b(W) - W)_i^2 / 2`` of every knob at every width; a curvature below 0, which is noise, counts as 0.

    Args:
        variants: the network at any widths.
        choices: knobs, of weights alone, and widths.
        images: of calibration.
        seed: of what is drawn.
        name: of the sensitivity, for errors.
        curvature: ``c`` by knob, in the shape of its weight, or one number for all of it.

    Raises:
        HwsimError: PyTorch is not installed, no images, or results are allocated.
    """
    check(choices, images, name)
    found = curvature(variants, choices, images, seed)

    def value(knob: Knob, b: int) -> float:
        return float((np.maximum(found[knob], 0.0) * rounding(variants, knob, b) ** 2).sum()) / 2

    return WidthTable.of(choices, value, UNIT)


def check(choices: Choices, images: Images, name: str) -> None:
    """Raise HwsimError, in the name of the sensitivity, where something that gradients need is missing."""
    need_torch(name)
    if not images:
        raise HwsimError(f"{name}: needs calibration images; give --calibration, or choose round_off")
    if any(knob.key != "weights" for knob in choices.knobs):
        raise HwsimError(f"{name}: measures weights alone; allocate results by kl, sqnr or round_off")


def weights_of(variants: Variants, choices: Choices) -> dict[Knob, torch.Tensor]:
    """Return the float weight of every knob as a leaf that gradients reach."""
    import torch

    return {
        knob: torch.from_numpy(np.array(variants.tensor(knob, widths[0]).data, np.float32)).requires_grad_()
        for knob, widths in zip(choices.knobs, choices.bits, strict=True)
    }


def rounding(variants: Variants, knob: Knob, bits: int) -> np.ndarray:
    """Return ``Q_b(W) - W``, float64 in the weight's shape."""
    tensor = variants.tensor(knob, bits)
    assert tensor.quant is not None
    return tensor.quant.decode(tensor.encoded()).astype(np.float64) - np.asarray(tensor.data, np.float64)


def distributions(
    variants: Variants, weights: Mapping[Knob, torch.Tensor], images: Images
) -> Iterator[list[torch.Tensor]]:
    """Yield the log probabilities ``[rows, classes]`` of every output, chunk of images by chunk."""
    import torch

    graph = variants.graph
    named = {graph.node_of[knob.layer].inputs[1]: weight for knob, weight in weights.items()}
    for name, tensor in graph.tensors.items():
        if tensor.is_constant and name not in named:
            named[name] = torch.from_numpy(np.array(tensor.data))
    for chunk in chunks(graph, images):
        values = {**named, **{name: torch.from_numpy(np.array(array)) for name, array in chunk.items()}}
        for node in graph.nodes:
            operands = [values[name] for name in node.inputs if name]
            values.update(zip(node.outputs, run_node(node, operands), strict=True))
        yield [_log_probabilities(graph, name, values[name]) for name in graph.outputs]


def _log_probabilities(graph: Graph, name: str, values: torch.Tensor) -> torch.Tensor:
    """As ``hwsim.quantization.allocate.sensitivity.kl.log_probabilities``, differentiable."""
    classes = next((size for size in reversed(values.shape[1:]) if size > 1), 1)
    rows = values.reshape(-1, classes)
    producer = graph.producer_of.get(name)
    if producer is not None and producer.op == "Softmax":
        return rows.clamp(min=SMALLEST).log()
    return rows.log_softmax(dim=1)
