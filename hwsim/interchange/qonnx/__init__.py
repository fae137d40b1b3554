"""QONNX: arbitrary-precision quantization as operators on float tensors (Pappalardo et al. 2022, arXiv 2206.07527)."""

from hwsim.interchange.qonnx.write import write_qonnx

__all__ = ["write_qonnx"]
