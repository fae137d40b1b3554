"""ONNX files, float and quantized, read into a Graph whose nodes carry normalized attributes."""

from hwsim.interchange.onnx.reader import read_onnx

__all__ = ["read_onnx"]
