"""The loss of the whole network at an allocation, in the machine's own integers: what the sum over layers only predicts."""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph.layouts import in_file_layout
from hwsim.hardware.accelerator import Accelerator
from hwsim.quantization.allocate.knobs import Assignment
from hwsim.quantization.allocate.sensitivity import Images, kl, sqnr
from hwsim.quantization.allocate.sensitivity.outputs import chunks
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices
from hwsim.simulation.simulate import simulate

LOSSES = {"kl": kl.loss, "sqnr": sqnr.loss}


class Measured:
    """The loss of allocations, each executed bit-exactly on calibration images.

    Args:
        variants: the network at any widths.
        choices: knobs and widths.
        machine: whose integers are computed.
        images: of calibration.
        name: ``kl`` or ``sqnr``.

    Raises:
        HwsimError: another sensitivity, which has no value for a whole network, or no images.
    """

    def __init__(self, variants: Variants, choices: Choices, machine: Accelerator, images: Images, name: str):
        if name not in LOSSES:
            raise HwsimError(f"allocate: the loss of a whole network is one of {', '.join(LOSSES)}, not {name!r}")
        if not images:
            raise HwsimError("allocate: the loss of a whole network needs calibration images; give --calibration")
        self.variants = variants
        self.choices = choices
        self.machine = machine
        self.images = images
        self.loss = LOSSES[name]
        parts = [run_float(variants.graph, chunk) for chunk in chunks(variants.graph, images)]
        self.exact = {name: np.concatenate([part[name] for part in parts]) for name in variants.graph.outputs}

    def __call__(self, bits: Assignment) -> float:
        """Return the loss against the float network."""
        graph = self.variants.quantized(self.choices.knobs, bits)
        outputs = simulate(graph, self.machine, self.images, compare=False).outputs
        return self.loss(graph, in_file_layout(graph, self.exact), dict(outputs))
