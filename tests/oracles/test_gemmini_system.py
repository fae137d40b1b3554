"""A whole Gemmini, DMA included, recorded in RTL: its integers, every byte it moves, and how long it takes.

Integers and bus traffic are equal. Cycles, from the first command until the machine is idle, are within 10 %, and within 3 %
from 2^21 multiply-accumulates on.
"""

import json

import numpy as np
import pytest

from hwsim.cost.decoupled import Work, timeline
from hwsim.cost.decoupled.run import program_of
from hwsim.cost.decoupled.work import Stores, cuts
from hwsim.hardware import load_accelerator
from hwsim.kernels.mac import accumulate_gemm
from hwsim.kernels.requantize import requantize
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.requantizers import definition
from tests.oracles.reference_data import each_file

pytestmark = pytest.mark.oracle

DESIGN = "gen-collateral/Gemmini.sv"
PRESETS = {"WS": "gemmini_16x16", "OS": "gemmini_16x16_os"}
BIAS = {"none": "none", "full": "full", "row-repeated": "row"}
LARGE_MACS, TOLERANCE, LARGE_TOLERANCE = 2**21, 0.10, 0.03
FENCE, CONFIGURATIONS = 1, 5


def machine_of(record):
    """The preset with the record's memory; a record of another design, or of a memory that is not modelled, is an error."""
    if DESIGN not in record["file"] or record["dataflow"] not in PRESETS:
        raise LookupError(f"no whole accelerator of these is {record['file']!r} with {record['dataflow']!r}")
    memory = record["memory"]
    assert memory["one_beat_per_cycle"], memory
    assert memory["a_ready"] == "always", memory
    overrides = [
        f"dram.latency_cycles={memory['latency_cycles']}",
        f"dram.bits_per_cycle={memory['data_beat_bytes'] * 8}",
    ]
    overrides += [f"array.rows={record['rows']}", f"array.columns={record['cols']}"]
    return load_accelerator(PRESETS[record["dataflow"]], overrides=overrides)


def work_of(record):
    m, k, n = (record[letter] for letter in "MKN")
    return Work(m=m, k=k, n=n, bias=BIAS[record["bias_kind"]], wide_result=record["full_C_int32_out"])


def runs(path):
    """Every record of a file with its machine and its work."""
    found = [(i, record, machine_of(record), work_of(record)) for i, record in enumerate(json.loads(path.read_text()))]
    assert found, f"{path.name} holds no record"
    return found


def tiles_of(machine, work):
    """The product's (m, n, k) tiles: half of the memories for each of two loops, all of them without loops."""
    return cuts(work, Stores.of(machine, work), halves=1 if machine.array.flow.reduces_in_time else 2)


def computed(record, machine, work):
    """What the product computes: registers in the mapped order, then the scaling unit with its ReLU in front."""
    k = tiles_of(machine, work)[2]
    ifmap, weight = IntFormat(bits=record["bits_a"]), IntFormat(bits=record["bits_w"])
    gemm = Gemm(m=work.m, k=work.k, n=work.n, ifmap=ifmap, weight=weight, ofmap=IntFormat(bits=record["bits_acc"]))
    tile_k = min(k.tile * k.block, work.k)
    mapping = Mapping(gemm=gemm, array=machine.array, tile_m=work.m, tile_k=tile_k, tile_n=work.n)
    bias = record["BIAS"]
    sums = accumulate_gemm(
        np.array(record["A"], dtype=np.int32),
        np.array(record["W"], dtype=np.int32),
        mapping.k_segments,
        psum=machine.datapath.psum,
        accumulator=machine.datapath.accumulator,
        start=0 if bias is None else np.array(bias, dtype=np.int64),
        a_range=ifmap.operand_range,
    ).values
    if record["full_C_int32_out"]:
        return sums
    unit = machine.datapath.requantizer.unit
    constants = definition(unit.scheme).constants(np.array([record["acc_scale"]]), unit)
    kept = np.maximum(sums, 0) if record["activation"] == "relu" else sums
    done = requantize(kept.reshape(-1, 1), constants, unit, 0, ifmap.minimum, ifmap.maximum)
    return done.codes.reshape(sums.shape)


@each_file("rtl/system_*.json")
def test_integers(path):
    wrong = [
        i for i, record, machine, work in runs(path)
        if not np.array_equal(computed(record, machine, work), np.array(record["OUT"]))
    ]  # fmt: skip
    assert not wrong


@each_file("rtl/system_*.json")
def test_commands_and_tiles(path):
    for i, record, machine, work in runs(path):
        place, program = f"{path.name} record {i}", program_of(work, machine)
        if program.loops:
            m, n, k = tiles_of(machine, work)
            blocks = [
                {"I": m.of_tile(a), "J": n.of_tile(b), "K": k.of_tile(c)}
                for a in range(m.tiles) for b in range(n.tiles) for c in range(k.tiles)
            ]  # fmt: skip
            assert blocks == [{name: loop[name] for name in "IJK"} for loop in record["loop_ws_tiles"]], place
            commands = CONFIGURATIONS + machine.decoupled.loop_commands * program.loops
        else:
            assert not record["loop_ws_tiles"], place
            commands = len(program.streams[0])
        assert record["rocc_commands"] == commands + FENCE, place


@each_file("rtl/system_*.json")
def test_traffic(path):
    wrong = []
    for i, record, machine, work in runs(path):
        run = timeline(work, machine)
        found = {
            "get": run.read_requests,
            "put": run.write_requests,
            "get_beats": run.read_beats,
            "put_beats": run.write_beats,
            "get_bytes": run.read_bytes,
            "put_bytes": run.write_bytes,
        }
        if found != record["traffic"]:
            wrong.append((i, found, record["traffic"]))
    assert not wrong


@each_file("rtl/system_*.json")
def test_cycles(path):
    wrong = []
    for i, record, machine, work in runs(path):
        measured = record["cycles_by_event"]["total_first_cmd_to_busy_fall"]
        error = timeline(work, machine).cycles / measured - 1
        allowed = LARGE_TOLERANCE if work.m * work.k * work.n >= LARGE_MACS else TOLERANCE
        if abs(error) > allowed:
            wrong.append((i, f"{error:+.1%}"))
    assert not wrong


def test_an_unknown_design_is_an_error():
    with pytest.raises(LookupError, match=r"other\.sv"):
        machine_of({"file": "other.sv", "dataflow": "WS"})
