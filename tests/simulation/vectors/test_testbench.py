"""The generated SystemVerilog test bench, run by Icarus Verilog: $readmemh reads every file and the layer comes out equal."""

import os
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.vectors.layers import conv, gemm, images, machine, matmul, written

needs_iverilog = pytest.mark.skipif(
    not (shutil.which("iverilog") or os.environ.get("HWSIM_REQUIRE_IVERILOG")),
    reason="Icarus Verilog (iverilog) is not installed; with HWSIM_REQUIRE_IVERILOG set this is a failure",
)
pytestmark = needs_iverilog

NARROW = {"psum": "int11:saturate", "accumulator": "int13:saturate"}
ROUNDINGS = ("half_up", "half_even", "half_away", "half_down", "half_to_zero", "floor", "ceil", "to_zero", "away")


def simulated(folder, entry):
    """Compile and run the bench in the layer's folder; return its exit code and output."""
    home = folder / entry["folder"]
    compiled = home / "bench.vvp"
    subprocess.run(["iverilog", "-g2012", "-o", compiled, "../testbench.sv"], cwd=home, check=True, timeout=60)
    done = subprocess.run(["vvp", "-n", compiled], cwd=home, capture_output=True, text=True, timeout=60, check=False)
    compiled.unlink()
    return done.returncode, done.stdout + done.stderr


def equal_words(found):
    """Run the bench, which must pass, and return how many words it compared."""
    code, output = simulated(found.folder, found.entry)
    match = re.search(r"PASS: (\d+) words equal", output)
    assert match, output
    assert code == 0
    return int(match[1])


@pytest.mark.parametrize("flow", ["weight_stationary", "output_stationary", "input_stationary"])
@pytest.mark.parametrize(
    ("make", "datapath"),
    [
        (lambda rng: conv(rng, groups=2, symmetric=False), {**NARROW, "bias": "start"}),
        (gemm, {"psum": "int10:wrap", "accumulator": "int14:wrap", "zero_point": "subtracted"}),
        (lambda rng: conv(rng, groups=2), {**NARROW, "tree": 3, "requantizer": "thresholds"}),
        (lambda rng: gemm(rng, weights="int4"), {**NARROW, "multiplier": "truncated:2"}),
        (matmul, {"psum": "exact", "accumulator": "exact", "requantizer": "fixed_point:9:half_even"}),
    ],
    ids=["conv", "gemm", "adder tree, thresholds", "approximate", "matmul"],
)
def test_the_bench_computes_the_layer(make, datapath, flow, tmp_path):
    rng = np.random.default_rng(29)
    graph = make(rng)
    found = written(graph, machine(flow, memory=400, **datapath), images(rng, graph, 2), tmp_path)
    arrays = found.arrays
    folds, outputs = arrays["psum"].shape[0], arrays["sum"].size
    assert equal_words(found) == 2 * folds * outputs + 2 * outputs


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_rounding(rounding, tmp_path):
    """Power-of-two scales of narrow codes make ties common."""
    rng = np.random.default_rng(31)
    graph = _power_of_two(gemm(rng, weights="int3", activations="int3", output="int8", scale=0.08))
    found = written(graph, machine(requantizer=f"fixed_point:2:{rounding}"), images(rng, graph, 6), tmp_path)
    assert equal_words(found) > 0
    arrays, stage = found.arrays, found.entry["output_stage"]
    assert (arrays["shift"] > 0).all()
    half = 1 << (arrays["shift"][:, None, :] - 1)
    inside = (arrays["result"] > stage["clamp_low"]) & (arrays["result"] < stage["clamp_high"])
    ties = inside & (arrays["sum"] * arrays["multiplier"][:, None, :] % (2 * half) == half)
    assert (ties & (arrays["sum"] < 0)).any(), "no negative tie, so the comparison does not tell the roundings apart"
    assert (ties & (arrays["sum"] > 0)).any(), "no positive tie"


def test_other_output_stages(tmp_path):
    rng = np.random.default_rng(37)
    graph = gemm(rng)
    float_, outputs = written(graph, machine(requantizer="float32"), images(rng, graph, 2), tmp_path / "f"), 42
    code, output = simulated(float_.folder, float_.entry)
    assert code == 0
    assert "checked up to the sum" in output
    assert f"PASS: {outputs * (2 * len(float_.entry['k_segments']) + 1)} words equal" in output


@pytest.mark.parametrize(
    "name",
    [
        "array_ifmap",
        "array_weight",
        "array_psum",
        "array_accumulator",
        "column_constant",
        "sum",
        "result",
        "multiplier",
        "passes",
    ],
)
def test_one_wrong_word_is_found(name, tmp_path):
    rng = np.random.default_rng(41)
    graph = gemm(rng, scale=20.0)
    found = written(graph, machine(), images(rng, graph, 2), tmp_path)
    path = found.folder / found.entry["folder"] / f"{name}.hex"
    *head, body = path.read_text("utf-8").split("\n", 3)
    words = re.split(r"(\s+)", body)
    place = (
        14 if name == "passes" else 2
    )  # of the first pass its fold, of the others the second word; blanks are between
    words[place] = format(int(words[place], 16) ^ 1, f"0{len(words[place])}x")
    if name == "multiplier":
        words[place] = "0" * len(words[place])
    path.write_text("\n".join([*head, "".join(words)]), "utf-8")
    code, output = simulated(found.folder, found.entry)
    assert "FAIL" in output
    assert code != 0


def _power_of_two(graph):
    tensors = []
    for tensor in graph.tensors.values():
        scales = tuple(float(2.0 ** np.round(np.log2(scale))) for scale in tensor.quant.scale)
        grid = replace(tensor.quant, scale=scales)
        data = None if tensor.data is None else grid.decode(tensor.encoded())
        tensors.append(replace(tensor, quant=grid, data=data))
    return graph.with_changes(tensors=tensors)
