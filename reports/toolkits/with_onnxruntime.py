"""onnxruntime.quantization: static quantization to QDQ, run by onnxruntime.

Graph optimizations are off, so that products are summed in float32: the integer kernels of processors without VNNI
saturate sums of two products at 16 bits.
"""

from __future__ import annotations

import io
import logging
import tempfile
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx

from toolkits import Case, batches

NAME = "onnxruntime"
WEIGHTS = ("int8", "int4")
METHODS = tuple(("none", ranges) for ranges in ("minmax", "percentile", "entropy"))
NOTES = {
    "always": "int32 biases; the estimator is for activations, weights keep their extremes; 4-bit scales are max|w| / 7.5, ours / 7",
    "percentile": "0.01 % of the values at each end, as ours",
    "entropy": "Kullback-Leibler divergence of histograms, which ours does not have",
}
CALIBRATION = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}


def release() -> str:
    """Return the version; ImportError where it is not installed."""
    import onnxruntime.quantization  # noqa: F401

    return version("onnxruntime")


def logits(case: Case, calibration: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the logits ``[images, classes]`` of the quantized network."""
    import onnxruntime as ort
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name = onnx.load(case.path).graph.input[0].name

    class Images(CalibrationDataReader):
        def __init__(self) -> None:
            self.rest = iter([{name: batch} for batch in batches(calibration)])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.rest, None)

    logging.disable(logging.WARNING)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        ready, written = Path(folder) / "ready.onnx", Path(folder) / "quantized.onnx"
        quant_pre_process(case.path, ready)
        quantize_static(
            ready,
            written,
            Images(),
            quant_format=QuantFormat.QDQ,
            per_channel=case.granularity == "channel",
            activation_type=QuantType.QUInt8,
            weight_type={8: QuantType.QInt8, 4: QuantType.QInt4}[case.bits],
            calibrate_method=getattr(CalibrationMethod, CALIBRATION[case.ranges]),
            extra_options={"CalibPercentile": 99.98} if case.ranges == "percentile" else {},
        )
        session = ort.InferenceSession(written, options, providers=["CPUExecutionProvider"])
    return session.run(None, {name: test})[0]
