"""Golden vectors of floating-point MACs: codes of their formats, computed again by the definition on exact fractions."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.numerics.float_mac import fused
from hwsim.numerics.formats import parse_format
from hwsim.numerics.quant_params import QuantParams
from tests.integers import every_tensor
from tests.simulation.vectors.layers import FLOWS, conv, gemm, written
from tests.simulation.vectors.replay import Files, f32

EXACT = ("datapath.psum=exact", "datapath.accumulator=exact", "array.rows=4", "array.columns=3")


def drawn(make, mode, flow, folder, *changes, result=None):
    """A layer of int4 weights beside fp16 or fp8 activations, and its vectors."""
    rng = np.random.default_rng([len(mode), FLOWS.index(flow)])
    graph = make(rng, weights="int4")
    operand = mode.split(":")[1]
    x = replace(graph.tensors["in0"], quant=QuantParams(format=parse_format(operand), scale=(1.0,), saturate=False))
    y = replace(graph.tensors["out0"], quant=result(graph.tensors["out0"].quant) if result else None)
    graph = graph.with_changes(tensors=[x, y])
    keys = [f"datapath.mac={mode}", f"array.dataflow={flow}", *EXACT, *changes]
    accelerator = hwsim.accelerator("edge_16x16", overrides=keys)
    inputs = {"in0": rng.standard_normal(x.shape).astype(np.float32)}
    return graph, accelerator, inputs, written(graph, accelerator, inputs, folder)


def replay(folder):
    """Check every register after every fold; return the sums by (group, m, n), as Python floats."""
    files = Files(folder)
    at, entry = files.at, files.entry
    operand, total = (parse_format(entry["number_formats"][key]) for key in ("operands", "sums"))

    def real(name, *place, number=total):
        return float(number.decode(np.array([at[name](*place)]))[0])

    groups, rows, columns = files.shape["sum"]
    found = {}
    for g, i, j in np.ndindex(groups, rows, columns):
        at_start = entry["datapath"]["bias"] == "start"
        held, position = real("column_constant", g, j) if at_start else 0.0, 0
        for fold, length in enumerate(entry["k_segments"]):
            psum = 0.0
            for k in range(position, position + length):
                a, w = (real("ifmap_matrix", g, i, k, number=operand), real("weight_matrix", g, k, j, number=operand))
                psum = fused(total, a, w, psum)
            position += length
            held = fused(total, psum, 1.0, held)
            for name, value in (("psum", psum), ("accumulator_after_fold", held)):
                assert at[name](fold, g, i, j) == int(total.encode_real(np.array([value]), saturate=False)[0])
        assert held == real("accumulator", g, i, j)
        held = held if at_start else fused(total, real("column_constant", g, j), 1.0, held)
        assert held == real("sum", g, i, j)
        found[g, i, j] = held
    return found


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("mode", ["floating:fp16:fp32", "floating:fp16:fp16", "floating:fp8e4m3fn:fp16"])
@pytest.mark.parametrize("bias", ["start", "end"])
def test_the_files_alone_give_the_sums(mode, flow, bias, tmp_path):
    graph, accelerator, inputs, found = drawn(conv, mode, flow, tmp_path, f"datapath.bias={bias}")
    sums = replay(tmp_path)
    output = every_tensor(graph, accelerator, inputs)["out0"]
    rows = output.transpose(0, 2, 3, 1).reshape(-1, output.shape[1])
    assert [[sums[0, i, j] for j in range(rows.shape[1])] for i in range(len(rows))] == rows.tolist()
    about = found.entry["vectors"]
    operand, total = (parse_format(text) for text in mode.split(":")[1:])
    assert (about["array_ifmap"]["bits"], about["array_psum"]["bits"]) == (operand.bits, total.bits)
    assert not (tmp_path / found.entry["folder"] / "layer.svh").exists()


def test_without_a_bias_the_constant_adds_nothing(tmp_path):
    _, _, _, found = drawn(gemm, "floating:fp16:fp16", FLOWS[0], tmp_path, "datapath.bias=end")
    replay(tmp_path)
    assert set(found.arrays["column_constant"].flat) == {1 << 15}  # -0


def test_results_on_a_grid_are_stated(tmp_path):
    *_, found = drawn(gemm, "floating:fp16:fp32", FLOWS[0], tmp_path, result=lambda grid: grid)
    stage, sums = found.entry["output_stage"], replay(tmp_path)
    assert stage["rule"] == "quantize"
    for place, value in sums.items():
        code = round(f32(value / f32(stage["scale"]))) + stage["zero_point"]
        assert found.arrays["result"][place] == min(max(code, stage["clamp_low"]), stage["clamp_high"])


def test_results_in_a_floating_point_format_are_stated(tmp_path):
    number = QuantParams(format=parse_format("fp16"), scale=(1.0,), saturate=False)
    *_, found = drawn(gemm, "floating:fp16:fp32", FLOWS[0], tmp_path, result=lambda _: number)
    stage = found.entry["output_stage"]
    assert (stage["rule"], stage["format"], stage["saturate"]) == ("cast", str(number.format), False)
    for place, value in replay(tmp_path).items():
        assert found.arrays["result"][place] == int(np.float16(value).view(np.uint16))
