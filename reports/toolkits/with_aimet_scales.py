"""Ours on AIMET's weight scales: what is left of a difference when the grids are the same is that of the arithmetic.

Needs AIMET. The accuracies belong beside those of ``with_aimet``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.graph import Graph
from hwsim.graph.fusion import bias_params
from toolkits import Case, with_aimet, with_hwsim

NAME = "hwsim on AIMET's scales"
WEIGHTS = ("int4", "int3")
METHODS = (("none", "minmax"), ("none", "mse"))
NOTES = {"always": "our integers with AIMET's weight scales, our activation ranges; 'ours' is with our own scales"}
release = with_aimet.release


def logits(case: Case, calibration: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the logits ``[images, classes]`` of the integers."""
    graph = with_hwsim.quantized(replace(case, ranges="minmax"), calibration)
    scales = with_aimet.scales(case, calibration)
    return with_hwsim.computed(on_scales(graph, scales), test)


def on_scales(graph: Graph, scales: dict[str, tuple[float, ...]]) -> Graph:
    """Return the quantized graph with other scales on its weights; biases follow."""
    changed = []
    for node in graph.nodes:
        if node.op in ("Conv", "Gemm"):
            ifmap, weight, bias = (graph.tensors[name] for name in node.inputs)
            grid = replace(weight.quant, scale=scales[f"{node.name}.weight"])
            changed.append(replace(weight, quant=grid, codes=None))
            changed.append(replace(bias, quant=bias_params(ifmap.quant, grid, bias), codes=None))
    return graph.with_changes(tensors=changed)
