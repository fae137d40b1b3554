"""Does the network on grids so fine that they hardly round equal the float one? If not, the fault is not the quantization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwsim.hardware.datapath import Datapath
from hwsim.hardware.precision import PrecisionPlan
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.numerics.accumulator import Accumulator
from hwsim.quantization.calibrate import observe
from hwsim.quantization.diagnose.bench import Bench, Score
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme
from hwsim.schedule import schedule

FINE_BITS = 24
"""As many as the significand of float32 has: finer grids would measure the rounding of the reference."""
LEAST_DB = 80.0
"""Of 24 bits about 130 dB are left, of 16 about 85."""


def fine_score(bench: Bench, images: Mapping[str, np.ndarray]) -> Score:
    """Return what the network of ``bench`` reaches on grids of ``FINE_BITS`` bits that cover every value of its ``images``.

    Weights per channel, a requantizer of 32 bits, exact registers: nothing is left that could be called quantization.
    """
    bare = [replace(tensor, quant=None, codes=None, sparsity=None) for tensor in bench.graph.tensors.values()]
    real = replace(bench.graph, code_inputs=(), tensors={tensor.name: tensor for tensor in bare})
    plan = PrecisionPlan.model_validate(
        {"default": {"weights": f"int{FINE_BITS}", "activations": f"uint{FINE_BITS}", "range": "minmax"}}
    )
    seen = observe(replace(real, file_layouts={}), images)
    fine = quantize(real, Scheme(plan=plan), None, seen=seen)
    datapath = Datapath(accumulator=Accumulator())
    machine = bench.machine.model_copy(update={"datapath": datapath, "layer": ()})
    on_array = {task.layer for task in lower(fine) if isinstance(task.work, Gemm)}  # also what had real operands before
    mappings = None if on_array <= bench.mappings.keys() else schedule(fine, machine).mappings
    return bench.measure_of(fine, machine, mappings=mappings)
