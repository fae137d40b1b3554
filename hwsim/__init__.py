"""hwsim: a bit-accurate simulator of neural-network accelerators.

If I quantize my network this way and build this machine, what will it compute and what will it cost?

The seven verbs below are all that a script needs; each is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwsim.explore.sweep import sweep
    from hwsim.hardware.load import load_accelerator as accelerator
    from hwsim.interchange.load import load
    from hwsim.quantization.verb import quantize
    from hwsim.reporting.report import report
    from hwsim.simulation.simulate import simulate
    from hwsim.zoo import dataset

__version__ = "0.1.0"

_HOMES = {
    "load": ("hwsim.interchange.load", "load"),
    "dataset": ("hwsim.zoo", "dataset"),
    "accelerator": ("hwsim.hardware.load", "load_accelerator"),
    "quantize": ("hwsim.quantization.verb", "quantize"),
    "simulate": ("hwsim.simulation.simulate", "simulate"),
    "sweep": ("hwsim.explore.sweep", "sweep"),
    "report": ("hwsim.reporting.report", "report"),
}

__all__ = ["accelerator", "dataset", "load", "quantize", "report", "simulate", "sweep"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hwsim' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
