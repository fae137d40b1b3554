"""AIMET for ONNX (``aimet-onnx``): ranges, cross-layer equalization and AdaRound by the authors of the white paper.

Results that are added keep grids of their own, and ReLU6 is a clamp before the grid of the result, as ours.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx

from toolkits import Case, batches

NAME = "AIMET"
WEIGHTS = ("int8", "int6", "int4", "int3")
METHODS = tuple((algorithm, ranges) for algorithm in ("none", "cle", "adaround") for ranges in ("minmax", "mse"))
NOTES = {
    "always": "biases are float32; the smallest scale that clips nothing uses the code -2^(b-1) too, ours max|w| / (2^(b-1) - 1) does not",
    "mse": "tf_enhanced: clipping errors count three times, of weights too",
    "cle": "convolutions only, one round, ReLU6 between them becomes ReLU; without folding of high biases",
    "adaround": "Adam's rate 1e-3 (ours 1e-2), penalty 0.01 of the sum over weights; inputs with real activations",
}
SCHEMES = {"minmax": "min_max", "mse": "tf_enhanced"}
CONFIGS = {
    "tensor": "default_config.json",
    "channel": "default_config_per_channel.json",
}


def release() -> str:
    """Return the version; ImportError where it is not installed."""
    import aimet_onnx  # noqa: F401

    return version("aimet-onnx")


def logits(case: Case, calibration: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the logits ``[images, classes]`` of the simulated quantized network."""
    sim = simulation(case, calibration)
    name = sim.session.get_inputs()[0].name
    return np.concatenate([sim.session.run(None, {name: batch})[0] for batch in batches(test, 540)])


def simulation(case: Case, calibration: np.ndarray):
    """Return AIMET's calibrated simulation of the quantized network."""
    import torch
    from aimet_onnx import QuantizationSimModel, apply_adaround, qtype
    from aimet_onnx.batch_norm_fold import fold_all_batch_norms_to_weight
    from aimet_onnx.common import quantsim_config
    from aimet_onnx.cross_layer_equalization import CrossLayerScaling
    from onnxruntime.quantization.onnx_model import ONNXModel

    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    torch.manual_seed(case.seed)
    model = ONNXModel(onnx.load(case.path))
    fold_all_batch_norms_to_weight(model)
    if case.algorithm == "cle":
        open_clips(model.model.graph)
        CrossLayerScaling(model).scale_model()
    sim = QuantizationSimModel(
        model,
        param_type=qtype.int(case.bits),
        activation_type=qtype.int(8),
        quant_scheme=SCHEMES[case.ranges],
        config_file=str(Path(quantsim_config.__file__).parent / CONFIGS[case.granularity]),
        session_options_kwargs={"intra_op_num_threads": 1},
    )
    name = model.graph().input[0].name
    inputs = [{name: batch} for batch in batches(calibration)]
    if case.algorithm == "adaround":
        apply_adaround(sim, inputs, num_iterations=case.iterations)
    sim.compute_encodings(inputs)
    return sim


def scales(case: Case, calibration: np.ndarray) -> dict[str, tuple[float, ...]]:
    """Return the scales of the weights, per tensor or channel, by the name of the parameter."""
    sim = simulation(case, calibration)
    grids = {name: sim.qc_quantize_op_dict[name].encodings for name in sim.param_names if name.endswith(".weight")}
    return {name: tuple(float(each.delta) for each in found) for name, found in grids.items()}


def open_clips(graph: onnx.GraphProto) -> None:
    """Make every ReLU6 between two convolutions a ReLU; AIMET's own function overlooks those whose limits are initializers."""
    for node in graph.node:
        readers = [reader.op_type for reader in graph.node if node.output[0] in reader.input]
        if node.op_type == "Clip" and readers == ["Conv"]:
            node.op_type = "Relu"
            del node.input[1:]
