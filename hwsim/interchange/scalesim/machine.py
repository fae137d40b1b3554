"""A SCALE-Sim configuration as a machine of hwsim: the preset ``scale_sim_default_32x32`` with the configuration's numbers in it.

On-chip ports are as wide as the array takes, since SCALE-Sim's never stall. DRAM gives ``Bandwidth`` words a cycle in either
mode, shared by all operands; CALC mode of the tool ignores the key and never waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hwsim.hardware import Accelerator, PrecisionPlan
from hwsim.hardware.files import merge, read_machine
from hwsim.hardware.load import build_accelerator
from hwsim.interchange.scalesim.config import ScaleSimConfig, read_config
from hwsim.units import BITS_PER_BYTE

PRESET = "scale_sim_default_32x32"
DATAFLOWS = {"ws": "weight_stationary", "os": "output_stationary", "is": "input_stationary"}
PSUM_BITS = 64  # the width that a port of the ofmap SRAM takes per column and cycle: any partial sum
BYTES_PER_KB = 1024


def read_scalesim_machine(
    path: str | Path, *, overrides: Sequence[str] = (), precision: PrecisionPlan | None = None
) -> Accelerator:
    """Read a configuration as a machine; arguments and errors as of ``hwsim.hardware.load_accelerator``."""
    return machine_of(read_config(path), str(path), overrides=overrides, precision=precision)


def machine_of(
    config: ScaleSimConfig, where: str, *, overrides: Sequence[str] = (), precision: PrecisionPlan | None = None
) -> Accelerator:
    """Return the machine of a configuration; ``where`` names it in messages."""
    data = merge(read_machine(PRESET), machine_tables(config))
    return build_accelerator(data, where, overrides=overrides, precision=precision)


def machine_tables(config: ScaleSimConfig) -> dict[str, Any]:
    """Return what a configuration states, as tables of a machine file that extends the preset."""
    lanes = max(config.rows, config.columns) * BITS_PER_BYTE
    words = config.words_per_cycle
    channel = {} if words is None else {"dram": {"bits_per_cycle": words * BITS_PER_BYTE}}
    port = max(lanes, (words or 0) * BITS_PER_BYTE)
    ports = {"ifmap": port, "filter": port, "ofmap": config.columns * PSUM_BITS}
    sizes = {"ifmap": config.ifmap_sram_kb, "filter": config.filter_sram_kb, "ofmap": config.ofmap_sram_kb}
    return {
        "name": config.run_name,
        "description": f"SCALE-Sim configuration {config.run_name}: {config.rows}x{config.columns}, {config.dataflow}",
        "array": {"rows": config.rows, "columns": config.columns, "dataflow": DATAFLOWS[config.dataflow]},
        "vector": {"lanes": config.columns, "requantizer_lanes": config.columns},
        "memory": [
            {
                "name": name,
                "size_bytes": sizes[name] * BYTES_PER_KB,
                "read_bits_per_cycle": ports[name],
                "write_bits_per_cycle": ports[name],
            }
            for name in ports
        ],
        **channel,
    }
