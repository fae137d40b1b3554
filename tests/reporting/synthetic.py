"""A Result as a simulation gives it, with names and values chosen to break reports."""

import numpy as np

from hwsim.hardware import load_accelerator
from hwsim.simulation.result import Result
from hwsim.tables import Table

HOSTILE = ("[conv1]", "<script>alert(1)</script>", "层·卷积", 'a,"b"\n;c', "$x_1$ & \\$", "_hidden", "[/bold]\x1b[31m")
MEMORIES = {"ifmap": "ifmap", "weights": "weight", "ofmap": "ofmap", "accumulators": "psum"}


def _name(index, hostile):
    if hostile and index < len(HOSTILE):
        return HOSTILE[index]
    return f"/layer{index // 6}/layer{index // 6}.{index % 6}/conv{index % 3}/Conv"


def result_of(layers=12, *, hostile=True, numbers=True, batch=1, notes=("an illustrative <note> [red]",)):
    """Return a Result of ``layers`` layers; ``numbers=False`` is a cost-only run without numeric columns."""
    rng = np.random.default_rng(3)
    machine = load_accelerator("edge_16x16")
    rows, accesses, compute, energy = [], [], [], []
    for index in range(layers):
        name, on_array = _name(index, hostile), index % 5 != 4
        m, k, n = (int(2 ** rng.uniform(*bounds)) for bounds in ((6, 12), (5, 11), (4, 9)))
        macs = m * k * n if on_array else 0
        folds = -(-k // 16) * -(-n // 16)
        parts = (folds * m, 30 * folds, 31, int(rng.integers(0, folds * m // 4 + 2)), m * n // 16) if on_array else None
        parts = parts or (0, 0, 0, int(rng.integers(0, 99)), m * n // 16)
        dram = 0 if index == 3 else (m * k // 9 + k * n + m * n)
        priced = [("array", None, macs * 0.54), ("vector", None, m * n * 0.4), ("leakage", None, sum(parts) * 2.5)]
        priced += [(memory, operand, float(m * n) * 6.5) for memory, operand in MEMORIES.items()]
        priced += [("dram", operand, dram / 3 * 64.0) for operand in ("ifmap", "weight", "ofmap")]
        energy += [(name, *row) for row in priced]
        accesses += [(name, memory, operand, "read", m * n, 8) for memory, operand in MEMORIES.items()]
        accesses += [(name, "dram", operand, "read", dram // 3, 8) for operand in ("ifmap", "weight", "ofmap")]
        compute.append((name, "array", "mac", macs, 8, 8, 24))
        row = {"layer": name, "op": "Conv" if on_array else "Add", "m": m, "k": k if on_array else None, "n": n}
        row |= {"groups": 1 if on_array else None, "macs": macs, "weights": "int8" if on_array else None}
        row |= {"activations": "uint8", "psum": "int24:wrap", "accumulator": "int32:wrap", "requantizer": "fixed_point"}
        row |= {"cycles": sum(parts)}
        keys = ("compute", "fill", "drain", "stall", "vector")
        row |= {f"{key}_cycles": value for key, value in zip(keys, parts, strict=True)}
        stalls = {"ifmap": parts[3] - parts[3] // 3, "weight": parts[3] // 3, "ofmap": 0, "port": 0, "requantizer": 0}
        row |= {f"stall_{cause}_cycles": value for cause, value in stalls.items()}
        row |= {"on_chip": "reads <x>; writes y" if index == 1 else None}
        row |= {"utilization": macs / (sum(parts) * 256) if on_array else None, "dram_bytes": dram}
        row |= {"energy_pj": float(sum(price[2] for price in priced))}
        if numbers:
            sqnr = float("inf") if index == 2 else None if index == 4 else 42.0 - index * 20 / layers + rng.normal()
            row |= {"sqnr_db": sqnr, "max_abs_error": 0.01 * index, "overflow_events": 7 if index == 5 else 0}
            row |= {"overflow_outputs": 3 if index == 5 else 0, "clipped_fraction": 1 / 3}
        rows.append(row)
    table = Table.of_records(rows)
    energy.append((None, "clock", None, 1e6))
    energy_table = Table.of(("layer", "component", "operand", "energy_pj"), energy)
    return Result(
        layers=table,
        accesses=Table.of(("layer", "memory", "operand", "action", "count", "bits"), accesses),
        compute=Table.of(("layer", "unit", "action", "count", "a_bits", "b_bits", "sum_bits"), compute),
        energy=energy_table,
        area=Table.of(("component", "area_um2", "source"), [("array", 161024.0, "fit"), ("<weights>", 3e5, "cacti")]),
        summary=_summary(table, energy_table, machine, batch, numbers),
        outputs={},
        manifest={
            "command": "hwsim run <model> --set array.rows=16",
            "seed": 0,
            "accelerator": machine.model_dump(mode="json"),
            "energy_provenance": [
                {
                    "component": "mac_pj",
                    "formula": "multiply + add",
                    "source": "a <b>",
                    "status": "read",
                    "uncertainty": "2x",
                }
            ],
        },
        notes=notes,
    )


def _summary(layers, energy, machine, batch, numbers):
    cycles, macs, joules = layers.sum("cycles"), layers.sum("macs"), energy.sum("energy_pj") * 1e-12
    seconds = cycles / (machine.clock_mhz * 1e6)
    return {
        "batch": batch,
        "macs": macs,
        "cycles": cycles,
        "latency_s": seconds,
        "frames_per_s": batch / seconds,
        "energy_pj": joules * 1e12,
        "power_w": joules / seconds,
        "tops": 2 * macs / seconds / 1e12,
        "tops_per_w": 2 * macs / joules / 1e12,
        "dram_bytes": layers.sum("dram_bytes"),
        "utilization": macs / cycles / 256,
        "area_mm2": 0.461,
        "overflow_events": 7 if numbers else None,
        "sqnr_db": np.float64(27.31) if numbers else None,
        "images": 500 if numbers else 0,
        "metrics": {"accuracy": 0.9122, "float_accuracy": 0.9234, "top5": 0.9871} if numbers else {},
    }


def sweep_table(count=60):
    """Return the table of a sweep: some points failed, some accumulators are narrow."""
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(count):
        bits, narrow = int(rng.choice([2, 3, 4, 8])), str(rng.choice(["int16:saturate", "int20:wrap", "int32:wrap"]))
        accuracy = 0.98 - 0.5 * 2.0**-bits * rng.uniform(0.5, 1.5) - (0.1 if narrow.startswith("int16") else 0)
        cost = (bits + 2) * rng.uniform(0.8, 1.3)
        rows.append((accuracy, cost * 1e8, cost * 1e-4, f"int{bits}", "uint8", narrow))
    rows.append((None, 1e8, 1e-3, "int8", "uint8", "exact"))
    return Table.of(("accuracy", "energy_pj", "latency_s", "weights", "activations", "accumulator"), rows)
