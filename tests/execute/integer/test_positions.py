"""MatMuls with scales per row, head and column in integers, against sums and multiplications one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.errors import ExecutionError
from hwsim.execute.integer import Layer, check_executable, run_integer
from hwsim.execute.integer.run import encode_constants
from hwsim.graph import Tensor, runs_on_array
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.schedule import schedule
from tests.execute.integer.positioned import (
    FORMS,
    HIGHEST,
    at,
    computed,
    drawn_codes,
    elements,
    matmul,
    network,
    plain,
    reference,
    tflite,
)
from tests.execute.integer.segmented import machine

seeds = st.integers(0, 2**32 - 1)


def columns_differ(graph):
    """Whether the weight's scales change along n, where TensorFlow Lite has another arithmetic."""
    grid, shape = graph.tensors["b"].quant.granularity, graph.tensors["b"].shape
    return len(shape) - 1 in (grid.axis, grid.by) and shape[-1] > 1


@settings(deadline=None, max_examples=150)
@given(
    seeds, st.sampled_from(sorted(FORMS)), st.sampled_from(["fixed_point", "fixed_point:9", "float32", "tflite"]),
    st.integers(1, 3), st.sampled_from(["folded", "subtracted"]),
    st.sampled_from(["weight_stationary", "output_stationary", "input_stationary"]),
)  # fmt: skip
def test_codes_are_those_of_every_sum_and_its_scales(seed, form, requantizer, images, zero_point, dataflow):
    rng = np.random.default_rng(seed)
    graph = network(rng, form)
    accelerator = machine(
        f"datapath.requantizer={requantizer}", f"datapath.zero_point={zero_point}", f"array.dataflow={dataflow}"
    )
    assert runs_on_array(graph, graph.nodes[0])
    check_executable(graph, accelerator)
    codes, real = drawn_codes(rng, graph, images)
    scheme, _, bits = requantizer.partition(":")
    unit = tflite(columns_differ(graph)) if scheme == "tflite" else plain(scheme, int(bits or 32))
    found, layer = computed(graph, accelerator, real)
    np.testing.assert_array_equal(found, reference(graph, codes, unit))
    assert layer.counters.requantized == found.size


@settings(deadline=None, max_examples=30)
@given(seeds, st.sampled_from(sorted(FORMS)))
def test_real_results_are_sums_times_the_unit_of_their_place(seed, form):
    rng = np.random.default_rng(seed)
    graph = network(rng, form, coded=False)
    codes, real = drawn_codes(rng, graph, 2)
    found, _ = computed(graph, machine(), real)
    for index, total, first, second in elements(graph, codes):
        assert found[index] == min(np.float32(total) * (first * second), np.float32(HIGHEST))


@settings(deadline=None, max_examples=30)
@given(seeds, st.sampled_from(sorted(FORMS)), st.sampled_from(["fixed_point", "float32", "tflite", "qnnpack_q31"]))
def test_equal_scales_give_the_integers_of_one(seed, form, requantizer):
    """One scale written many times, along rows or heads, is one scale."""
    rng = np.random.default_rng(seed)
    graph = network(rng, form)
    scales = {name: replace(graph.tensors[name].quant, scale=(0.03,), zero_point=(2,), granularity=PER_TENSOR) for name in "aby"}  # fmt: skip
    shapes = {name: graph.tensors[name].shape for name in "aby"}
    axes = {"a": len(shapes["a"]) - 2, "b": len(shapes["b"]) - 3, "y": 1}
    many = {
        name: replace(
            one, scale=one.scale * shapes[name][axes[name]], zero_point=one.zero_point * shapes[name][axes[name]],
            granularity=Granularity(axis=axes[name]),
        )
        for name, one in scales.items()
        if axes[name] >= 0 and (name != "b" or len(shapes["b"]) != len(shapes["a"]) or axes[name] > 0)
    }  # fmt: skip
    _, real = drawn_codes(rng, with_grids(graph, scales), 2)
    accelerator = machine(f"datapath.requantizer={requantizer}")
    one, many = (computed(with_grids(graph, grids), accelerator, real)[0] for grids in (scales, scales | many))
    np.testing.assert_array_equal(one, many)


def with_grids(graph, grids):
    tensors = []
    for name, quant in grids.items():
        tensor = graph.tensors[name]
        tensors.append(
            Tensor.of_codes(name, tensor.encoded(), quant) if tensor.is_constant else replace(tensor, quant=quant)
        )  # fmt: skip
    return graph.with_changes(tensors=tensors)


@settings(deadline=None, max_examples=30)
@given(seeds, st.sampled_from(sorted(FORMS)))
def test_a_floating_mac_decodes_rows_and_heads(seed, form):
    rng = np.random.default_rng(seed)
    graph = network(rng, form)
    accelerator = machine("datapath.mac=floating:fp32:fp32", "datapath.psum=exact", "datapath.accumulator=exact")
    codes, real = drawn_codes(rng, graph, 2)
    found, _ = computed(graph, accelerator, real)
    quant = graph.tensors["y"].quant
    for index, total, first, second in elements(graph, codes):
        scale, zero = at(quant, index)
        exact = min(total * float(first) * float(second), HIGHEST) / float(scale) + zero
        assert abs(found[index] - min(max(exact, -128), 127)) <= 0.51


def int8(axis=None, count=1, zero_point=(0,), scale=0.02):
    granularity = PER_TENSOR if axis is None else Granularity(axis=axis)
    return QuantParams(
        format=IntFormat(bits=8), scale=tuple(scale * (1 + i) for i in range(count)),
        zero_point=zero_point * (count // len(zero_point)), granularity=granularity,
    )  # fmt: skip


A, B, Y = (2, 3, 4, 6), (2, 3, 6, 5), (2, 3, 4, 5)


@pytest.mark.parametrize(
    ("a", "b", "y"),
    [
        (int8(0, 2), int8(), int8()),  # an image each
        (int8(), int8(0, 2), int8()),
        (int8(), int8(), int8(0, 2)),
        (int8(2, 4, zero_point=(0, 1)), int8(), int8()),  # a row's zero point meets every column of the other operand
        (int8(1, 3, zero_point=(0, 1, 2)), int8(), int8()),
        (int8(), int8(2, 6), int8()),  # along k
        (int8(3, 6), int8(1, 3), int8()),  # segments whose ratios would be each head's own
        (int8(3, 6), int8(3, 5), int8()),
    ],
)
def test_what_stays_real(a, b, y):
    graph = matmul((A, a), (B, b), (Y, y))
    assert not runs_on_array(graph, graph.nodes[0])


@pytest.mark.parametrize("scaling", ["fixed_point", "float32"])
def test_segments_of_k_beside_results_with_scales_per_row(scaling):
    """The rows of a result differ by what their sums are rescaled by at the end only: each is that of a network of its own."""
    rng = np.random.default_rng(3)
    graph = matmul((A, int8(3, 6)), (B, int8()), (Y, int8(2, 4, zero_point=(1, -7))))
    assert runs_on_array(graph, graph.nodes[0])
    accelerator = machine(f"datapath.segment_scaling={scaling}")
    _, real = drawn_codes(rng, graph, 3)
    found, _ = computed(graph, accelerator, real)
    grid = graph.tensors["y"].quant
    for row in range(4):
        own = replace(grid, scale=grid.scale[row : row + 1], zero_point=grid.zero_point[row : row + 1], granularity=PER_TENSOR)  # fmt: skip
        alone, _ = computed(with_grids(graph, {"y": own}), accelerator, real)
        np.testing.assert_array_equal(found[:, :, row], alone[:, :, row])


def test_sums_on_their_own_grid_leave_as_they_are():
    wide = replace(int8(), format=IntFormat(bits=32))
    a, b = int8(2, 4), int8()
    unit = np.asarray(a.scale, np.float32) * np.float32(b.scale[0])
    y = replace(wide, scale=tuple(map(float, unit)), zero_point=(0,) * 4, granularity=Granularity(axis=2))
    graph = matmul((A, a), (B, b), (Y, y)).with_changes(
        nodes=[replace(matmul((A, a), (B, b), (Y, y)).nodes[0], attributes={})]
    )
    codes, real = drawn_codes(np.random.default_rng(1), graph, 2)
    found, layer = computed(graph, machine(), real)
    for index, total, *_ in elements(graph, codes):
        assert found[index] == total
    assert layer.counters.requantized == 0


def test_a_shifting_requantizer_refuses_the_scale_of_one_row():
    power = int8(2, 4)
    power = replace(power, scale=(0.5, 0.25, 0.125, 0.3))
    half = int8(scale=0.5)
    accelerator = machine("datapath.requantizer=power_of_two")
    good = replace(power, scale=(0.5, 0.25, 0.125, 0.5))
    check_executable(matmul((A, good), (B, half), (Y, half)), accelerator)
    with pytest.raises(ExecutionError, match=r"powers of two, but channel 3 has 0\.3"):
        check_executable(matmul((A, power), (B, half), (Y, half)), accelerator)


def test_a_bound_program_computes_the_same():
    """The second call on inputs of a shape runs what the first one left behind."""
    rng = np.random.default_rng(5)
    graph, accelerator = network(rng, "heads"), machine()
    layers = {"mm": Layer.of(graph, graph.nodes[0], accelerator, schedule(graph, accelerator).mappings["mm"])}
    constants = encode_constants(graph)
    for _ in range(3):
        codes, real = drawn_codes(rng, graph, 4)
        found = run_integer(graph, layers, real, constants=constants)["y"]
        np.testing.assert_array_equal(found, reference(graph, codes, plain("fixed_point")))


def test_a_simulation_returns_the_real_values_of_the_codes():
    rng = np.random.default_rng(6)
    graph = network(rng, "heads")
    codes, real = drawn_codes(rng, graph, 7)
    expected = graph.tensors["y"].quant.decode(reference(graph, codes, plain("fixed_point")))
    np.testing.assert_array_equal(hwsim.simulate(graph, machine(), real).outputs["y"], expected)
