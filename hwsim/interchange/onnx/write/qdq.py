"""A quantized graph as an ONNX file with explicit grids: QuantizeLinear and DequantizeLinear around every operator (QDQ).

Codes are stored in ONNX's own element types, from int4 to int16. A format that they lack (int6, int3, narrow ranges) is
stored in a wider type, and a Clip keeps its range: of activations before QuantizeLinear, of weights of up to 7 bits on the
stored codes. Readers that look for it find the width. Weights are stored as codes, biases as int32. Scales per group of k are
blocks (from operator set 21); weights on tables are places in a constant that Gather reads; scales found at run time are plain
operators.
"""

from __future__ import annotations

import os

import onnx

from hwsim.graph import Graph
from hwsim.interchange.onnx.write.graph import GraphWriter, check_calibrated
from hwsim.interchange.onnx.write.qdq_style import QdqStyle
from hwsim.interchange.onnx.write.save import save

LEAST_BITS = 4
LEAST_OPSET = 13  # the first with a scale per channel


def write_qdq(
    graph: Graph, path: str | os.PathLike[str], *, least_bits: int = LEAST_BITS, opset: int = LEAST_OPSET
) -> tuple[str, ...]:
    """Write ``graph`` as an ONNX QDQ model that ONNX Runtime runs; the batch stays symbolic where the network allows it.

    Args:
        graph: quantized, with known scales (from ``hwsim.quantize`` with calibration, or read from a quantized file).
        path: the file to write.
        least_bits: of the integer element types to choose from, 2, 4 or 8. ONNX Runtime 1.31 fuses operators on 2-bit codes
            into ones that do not take them, and then refuses the model, unless its optimizations are switched off.

        opset: the version of ONNX's operator set, if the network needs no newer one.

    Returns:
        Notes: what the file says in other words than the graph, or cannot say.

    Raises:
        GraphError: a graph without scales; an operator, format or rounding that ONNX lacks.
    """
    check_calibrated(graph, "ONNX QDQ")
    writer = GraphWriter(graph, QdqStyle(least_bits), any_batch=True, opset=opset)
    model = onnx.shape_inference.infer_shapes(writer.write(), check_type=True, strict_mode=True)
    onnx.checker.check_model(model)
    save(model, path)
    return writer.sheet.notes
