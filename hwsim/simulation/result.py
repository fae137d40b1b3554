"""What a simulation returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.mapping.plan import Plan
from hwsim.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """The answer to "what will it compute and what will it cost?".

    Args:
        layers: one row per operator in order of execution: ``layer op m k n groups macs weights activations psum
            accumulator requantizer cycles compute_cycles fill_cycles drain_cycles stall_cycles vector_cycles
            utilization dram_bytes on_chip energy_pj sqnr_db max_abs_error overflow_events overflow_outputs clipped_fraction``
            (numbers that do not apply are None; numeric columns need inputs).
        accesses: the ledger's memory rows ``layer memory operand action count bits``.
        compute: the ledger's arithmetic rows ``layer unit action count a_bits b_bits sum_bits``.
        energy: priced rows ``layer component operand energy_pj``.
        area: rows ``component area_um2 source``.
        summary: totals of one inference batch: ``batch macs cycles latency_s frames_per_s energy_pj power_w tops
            tops_per_w dram_bytes utilization area_mm2 overflow_events sqnr_db`` and the metrics under ``metrics``.
        outputs: the network's outputs, dequantized float32, by name, in the layout of the file (empty without inputs).
        manifest: versions, hashes, the resolved configuration, seed and command.
        notes: warnings a reader must see.
        plan: how the network was mapped; ``hwsim.mapping.stated_file`` writes it as a file.
    """

    layers: Table
    accesses: Table
    compute: Table
    energy: Table
    area: Table
    summary: Mapping[str, Any]
    outputs: Mapping[str, np.ndarray]
    manifest: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    plan: Plan | None = None
