"""Least safe widths where sums are rescaled: no input overflows them, and some input needs them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.explore.check import overflow_table
from hwsim.schedule import schedule
from tests.execute.integer.segmented import computed, machine, network


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["Conv1", "Conv3", "Gemm"]),
    st.sampled_from(["fixed_point:16:8", "fixed_point:6:2", "shift:6"]), st.sampled_from(["folded", "subtracted"]),
    st.sampled_from(["start", "end"]),
)  # fmt: skip
def test_registers_of_these_widths_never_overflow(seed, op, scaling, zero_point, bias):
    rng = np.random.default_rng(seed)
    graph = network(rng, op, power_of_two=scaling.startswith("shift"))
    keys = [f"datapath.segment_scaling={scaling}", f"datapath.zero_point={zero_point}", f"datapath.bias={bias}"]
    first = machine(*keys)
    (row,) = overflow_table(graph, first, schedule(graph, first).mappings).rows()
    assert row["psum_bits"] <= row["psum_type_bits"]
    if bias == "end":
        assert row["accumulator_bits"] <= row["accumulator_type_bits"]
    widths = [max(row[f"{name}_bits"], 2) for name in ("psum", "accumulator")]
    tight = machine(*keys, f"datapath.psum=int{widths[0]}:wrap", f"datapath.accumulator=int{widths[1]}:wrap")
    (row,) = overflow_table(graph, tight, schedule(graph, tight).mappings).rows()
    assert row["is_safe"]
    shape = graph.tensors["x"].shape
    for codes in (
        rng.integers(0, 256, shape),
        np.zeros(shape, int),
        np.full(shape, 255),
        255 * rng.integers(0, 2, shape),
    ):
        assert computed(graph, tight, codes)[1].counters.overflow_events == 0


@pytest.mark.parametrize("scaling", ["fixed_point:16:4", "shift:4"])
def test_the_bound_is_reached(scaling):
    """One channel a group, positive weights, the bias at the end: the largest input needs every bit."""
    graph = network(np.random.default_rng(1), "MatMul", symmetric=True, power_of_two=True)
    weight = graph.tensors["w"]
    graph = graph.with_changes(tensors=[replace(weight, codes=np.full(weight.shape, 7, weight.codes.dtype))])
    keys = [f"datapath.segment_scaling={scaling}"]
    (row,) = overflow_table(graph, machine(*keys), schedule(graph, machine(*keys)).mappings).rows()
    codes = np.full(graph.tensors["x"].shape, 255)
    events = [
        computed(graph, machine(*keys, f"datapath.accumulator=int{bits}:wrap"), codes)[1].counters.overflow_events
        for bits in (row["accumulator_bits"], row["accumulator_bits"] - 1)
    ]
    assert events[0] == 0 < events[1]


def test_float_accumulators_have_no_width():
    graph = network(np.random.default_rng(1), "Gemm")
    real = machine("datapath.segment_scaling=float32")
    (row,) = overflow_table(graph, real, schedule(graph, real).mappings).rows()
    assert (row["accumulator"], row["accumulator_bits"], row["is_safe"]) == ("float32", None, True)


def test_activations_that_are_not_calibrated_do_not_matter():
    """The one scale of the ifmap cancels in the ratios."""
    graph = network(np.random.default_rng(2), "Gemm", symmetric=True)
    x = graph.tensors["x"]
    known = replace(x.quant, scale=(0.25,), zero_point=(0,), granularity=hwsim.numerics.granularity.PER_TENSOR)
    tables = [
        overflow_table(one, machine(), schedule(one, machine()).mappings)
        for one in (
            graph.with_changes(tensors=[replace(x, quant=known)]),
            graph.with_changes(tensors=[replace(x, quant=replace(known, scale=None))]),
        )
    ]
    assert list(tables[0].rows()) == list(tables[1].rows())
