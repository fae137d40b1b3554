"""Totals of one inference: latency, throughput, power and efficiency."""

from __future__ import annotations

from typing import Any

from hwsim.cost import CostReport
from hwsim.graph import Graph
from hwsim.hardware import Accelerator
from hwsim.tables import Table
from hwsim.units import BITS_PER_BYTE, MEGA, PICO

OPERATIONS_PER_MAC = 2
TERA = 1e12
UM2_PER_MM2 = 1e6


def summarize(graph: Graph, accelerator: Accelerator, report: CostReport, layers: Table) -> dict[str, Any]:
    """Return the totals of one inference of ``graph.batch`` images; see ``Result.summary`` for the keys.

    An operation is half a multiply-accumulate; TOPS/W is operations per joule, leakage included.
    """
    macs, cycles = layers.sum("macs"), layers.sum("cycles")
    latency_s = cycles / (accelerator.clock_mhz * MEGA)
    energy_pj = report.energy.sum("energy_pj")
    operations = OPERATIONS_PER_MAC * macs
    lanes = accelerator.array.rows * accelerator.array.columns
    possible = sum(
        row["macs"] / row["utilization"] if row["utilization"] else row["cycles"] * lanes for row in layers.rows()
    )
    dram_bits = sum(row["count"] * row["bits"] for row in report.accesses.where(memory="dram").rows())
    overflows = layers.sum("overflow_events") if "overflow_events" in layers.columns else None
    return {
        "batch": graph.batch,
        "macs": macs,
        "cycles": cycles,
        "latency_s": latency_s,
        "frames_per_s": graph.batch / latency_s if latency_s else None,
        "energy_pj": energy_pj,
        "power_w": energy_pj * PICO / latency_s if latency_s else None,
        "tops": operations / latency_s / TERA if latency_s else None,
        "tops_per_w": operations / (energy_pj * PICO) / TERA if energy_pj else None,
        "dram_bytes": dram_bits / BITS_PER_BYTE,
        "utilization": macs / possible if possible else None,
        "area_mm2": report.area.sum("area_um2") / UM2_PER_MM2,
        "overflow_events": overflows,
    }
