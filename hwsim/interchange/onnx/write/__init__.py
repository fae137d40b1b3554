"""Quantized graphs written as ONNX: a walk over operators on real values, and a style that writes the grids between them."""

from hwsim.interchange.onnx.write.qdq import write_qdq

__all__ = ["write_qdq"]
