"""TensorFlow Lite models, read natively from the flatbuffer."""

from hwsim.interchange.tflite.layout import PlacedTensor
from hwsim.interchange.tflite.reader import placed_tensors, read_tflite

__all__ = ["PlacedTensor", "placed_tensors", "read_tflite"]
