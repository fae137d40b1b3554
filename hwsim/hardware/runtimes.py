"""The arithmetic of inference runtimes as keys of a datapath: requantizer of the array, arithmetic of the vector unit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RUNTIMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "onnxruntime": {"requantizer": "float32", "arithmetic": "onnxruntime"},
        "tflite": {"requantizer": "tflite", "arithmetic": "tflite"},
        "cmsis_nn": {"requantizer": "cmsis_nn", "arithmetic": "tflite"},
    }
)
