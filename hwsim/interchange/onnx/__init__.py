"""ONNX files: float and quantized ones read into a Graph whose nodes carry normalized attributes, quantized ones written."""

from hwsim.interchange.onnx.reader import read_onnx
from hwsim.interchange.onnx.write import write_qdq

__all__ = ["read_onnx", "write_qdq"]
