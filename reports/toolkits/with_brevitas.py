"""Brevitas: ranges, graph equalization and bias correction, by its own example of post-training quantization of image classifiers."""

from __future__ import annotations

import sys
from importlib.metadata import version

import numpy as np
import onnx

from toolkits import MODELS, Case, batches

NAME = "Brevitas"
WEIGHTS = ("int8n", "int6n", "int4n", "int3n")
METHODS = tuple((algorithm, ranges) for algorithm in ("none", "cle", "bias_correction") for ranges in ("minmax", "mse"))
NOTES = {
    "always": "int32 biases; narrow weights; operands of a sum share one grid (ours are rescaled); every ReLU6 becomes ReLU",
    "minmax": "activations leave out 0.001 % of the values at each end",
    "cle": "20 rounds, biases count as weights",
    "bias_correction": "each layer against itself before quantization on the same float input (ours against the float network)",
}
ESTIMATORS = {"minmax": "stats", "mse": "mse"}
EQUALIZE_ITERATIONS = 20


def release() -> str:
    """Return the version; ImportError where it is not installed."""
    import brevitas_examples.imagenet_classification.ptq.ptq_common  # noqa: F401

    return version("brevitas")


def logits(case: Case, calibration: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the logits ``[images, classes]`` of the simulated quantized network."""
    import torch
    from brevitas.graph.quantize import preprocess_for_quantize
    from brevitas_examples.imagenet_classification.ptq import ptq_common

    torch.set_num_threads(1)
    torch.manual_seed(case.seed)
    rounds = EQUALIZE_ITERATIONS if case.algorithm == "cle" else 0
    model = preprocess_for_quantize(pooled(network(case)), trace_model=False, equalize_iters=rounds)
    model = ptq_common.quantize_model(
        model,
        backend="fx",
        weight_bit_width=case.bits,
        act_bit_width=8,
        bias_bit_width=32,
        weight_quant_granularity=f"per_{case.granularity}",
        act_quant_percentile=99.999,
        act_quant_type="asym",
        scale_factor_type="float_scale",
        quant_format="int",
        weight_narrow_range=True,
        weight_param_method=ESTIMATORS[case.ranges],
        act_param_method=ESTIMATORS[case.ranges],
    )
    loader = [(torch.from_numpy(batch), None) for batch in batches(calibration, len(calibration))]
    ptq_common.calibrate(loader, model)
    if case.algorithm == "bias_correction":
        ptq_common.apply_bias_correction(loader, model)
    with torch.no_grad():
        return np.asarray(model.eval()(torch.from_numpy(test)))


def network(case: Case):
    """Return the network as the torch module that it was trained as."""
    import torch

    sys.path.insert(0, str(MODELS))
    from digits_networks import NETWORKS
    from train_digits import Network

    found = Network(NETWORKS[case.network]())
    state = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(case.path).graph.initializer}
    with torch.no_grad():
        for name, value in found.weights().items():
            value[...] = state[name]  # the arrays share the memory of the parameters
    return found.eval()


def pooled(network):
    """Return the traced network with its mean over positions as a module: of a mean Brevitas knows no quantized form."""
    import torch
    from brevitas.fx import symbolic_trace

    model = symbolic_trace(network)
    model.add_module("pool", torch.nn.AdaptiveAvgPool2d(1))
    for node in model.graph.nodes:
        if node.target == "mean":
            node.op, node.target, node.args, node.kwargs = (
                "call_module",
                "pool",
                node.args[:1],
                {},
            )
    model.recompile()
    return model
