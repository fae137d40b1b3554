"""A quantized graph as QONNX: float operators, with a Quant, BipolarQuant or FloatQuant on every tensor that has a grid.

QONNX holds any integer width, narrow ranges, minifloats, bipolar numbers and eight roundings, and every array in it is
float32: weights are stored as the reals that their codes stand for. Codes of more than 24 bits (large biases) therefore
lose their low bits. QONNX adds the zero point before it rounds, so ties differ where a grid rounds first and its zero point
is odd.
"""

from __future__ import annotations

import os

import onnx

from hwsim.graph import Graph
from hwsim.interchange.onnx.write.graph import GraphWriter, check_calibrated
from hwsim.interchange.onnx.write.save import save
from hwsim.interchange.qonnx.write_style import OPSET, QonnxStyle


def write_qonnx(graph: Graph, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write ``graph`` as a QONNX model that ``qonnx`` executes; every shape is fixed, the batch is the graph's.

    Args:
        graph: quantized, with known scales (from ``hwsim.quantize`` with calibration, or read from a quantized file).
        path: the file to write.

    Returns:
        Notes: what the file says in other words than the graph, or cannot say.

    Raises:
        GraphError: a graph without scales; an operator or format that QONNX lacks.
        HwsimError: a rounding that QONNX lacks.
    """
    check_calibrated(graph, "QONNX")
    writer = GraphWriter(graph, QonnxStyle(), any_batch=False, opset=OPSET)
    model = writer.write()
    onnx.checker.check_model(model)
    save(model, path)
    return writer.sheet.notes
