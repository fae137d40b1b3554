"""The machine as a noun: array, datapath, memories, and its files."""

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.dump import dump_toml
from hwsim.hardware.files import preset_names
from hwsim.hardware.load import load_accelerator, load_precision
from hwsim.hardware.precision import LayerPrecision, PrecisionPlan, with_precision
from hwsim.hardware.show import describe

__all__ = [
    "Accelerator",
    "LayerPrecision",
    "PrecisionPlan",
    "describe",
    "dump_toml",
    "load_accelerator",
    "load_precision",
    "preset_names",
    "with_precision",
]
