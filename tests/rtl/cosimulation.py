"""Write a stepped run as stimuli for the RTL array, and run a simulator on them."""

import re
import subprocess
from pathlib import Path

import numpy as np

from hwsim.kernels.stepped.records import BOTTOM, PARALLEL, RIGHT
from hwsim.numerics.accumulator import Overflow
from hwsim.stepped.fold import carrier
from hwsim.stepped.plan import way_out

HERE = Path(__file__).parent
SOURCES = [HERE / "systolic_array.sv", HERE / "bench.sv"]


def parameters(array, psum, formats):
    """The RTL's parameters for an array, a register with a width, and the operands' formats by name."""
    flow = array.flow
    left = formats[carrier(flow, flow.time, flow.rows)]
    factor = formats[carrier(flow, flow.time, flow.columns) if flow.reduces_in_time else flow.stationary]
    return {
        "ROWS": array.rows,
        "COLUMNS": array.columns,
        "ACCUMULATES": int(flow.reduces_in_time),
        "OUT": {BOTTOM: 0, RIGHT: 1, PARALLEL: 2}[way_out(array)],
        "LEFT_BITS": left.bits,
        "LEFT_SIGNED": int(left.signed),
        "FACTOR_BITS": factor.bits,
        "FACTOR_SIGNED": int(factor.signed),
        "SUM_BITS": psum.bits,
        "SATURATE": int(psum.overflow is Overflow.SATURATE),
        "HOP": 1 if flow.reduces_in_time else array.vertical_hop_registers,
        "MULTIPLIER": array.multiplier_latency_cycles,
        "ADDER": array.adder_latency_cycles,
        "LATENCY": array.pipeline_latency_cycles,
    }


def lines(trace, made):
    """The trace as hexadecimal words, one a cycle; index 0 of a port is its least significant part."""
    above = made["FACTOR_BITS"] if made["ACCUMULATES"] else made["SUM_BITS"]
    held = made["SUM_BITS"] if made["ACCUMULATES"] else made["FACTOR_BITS"]
    parts = [
        (trace.left, made["LEFT_BITS"]), (trace.control, 5), (trace.top, above), (trace.chain, held),
        (trace.output, made["SUM_BITS"]), (trace.valid, 1),
    ]  # fmt: skip
    digits = -(-sum(values.shape[1] * bits for values, bits in parts) // 4)
    for cycle in range(trace.cycles):
        word = 0
        for values, bits in parts:
            for value in values[cycle, ::-1].tolist():
                word = word << bits | int(value) & (1 << bits) - 1
        yield f"{word:0{digits}x}"


def icarus(folder, trace, made):
    """Run the RTL in Icarus Verilog and compare every output at every cycle; return how many, or raise."""
    values = _prepared(folder, trace, made)
    overrides = [f"-Pbench.{name}={value}" for name, value in values.items()]
    program = ["iverilog", "-g2012", "-s", "bench", *overrides, "-o", "bench.vvp", *SOURCES]
    subprocess.run(program, cwd=folder, check=True, capture_output=True, timeout=60)
    return _equal_outputs(_output(["vvp", "-n", "bench.vvp"], folder))


def verilator(folder, trace, made, passes=1, flags="-O1"):
    """Do the same in Verilator, ``passes`` times from reset; return how many outputs are equal, and the processor's seconds."""
    values = _prepared(folder, trace, {**made, "PASSES": passes})
    program = ["verilator", "--cc", "--exe", "--build", "-Wno-lint", "-Wno-fatal", "--top-module", "bench"]
    program += ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "--output-split-cfuncs", "500"]
    program += ["-MAKEFLAGS", f"OPT_FAST='{flags}' OPT_SLOW=-O0"]  # what is slow runs once
    program += [*(f"-G{name}={value}" for name, value in values.items()), *SOURCES, HERE / "clock.cpp"]
    subprocess.run(program, cwd=folder, check=True, capture_output=True, timeout=600)
    shown = _output(["obj_dir/Vbench"], folder)
    return _equal_outputs(shown), float(re.search(r"SECONDS: ([0-9.]+)", shown)[1])


def _prepared(folder, trace, made):
    (folder / "trace.hex").write_text("\n".join(lines(trace, made)) + "\n", "utf-8")
    return {**made, "CYCLES": trace.cycles}


def _output(program, folder):
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def _equal_outputs(shown):
    match = re.search(r"PASS: (\d+) outputs equal", shown)
    if not match:
        raise AssertionError(shown)
    return int(match[1])


def formats_of(random, parse):
    """Draw the widths and signs of both operands."""
    texts = [f"{sign}int{random.integers(2, 10)}" for sign in random.choice(["", "u"], 2)]
    return dict(zip(("ifmap", "weight"), map(parse, texts), strict=True))


def drawn(kind, shape, random):
    """Integers over the whole range of a format."""
    return random.integers(kind.minimum, kind.maximum, shape, endpoint=True).astype(np.int64)
