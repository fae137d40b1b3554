"""The closed form of the array's cycles equals what the registers show, part by part."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.array_cycles import ArrayCycles, gemm_cycles, sequence_cycles
from hwsim.cost.steps import steps_of
from hwsim.errors import ExecutionError
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator
from hwsim.stepped import Fold, run_folds, run_mapping
from hwsim.stepped.gemm import fold_spans
from tests.cost.machines import FLOWS, gemm, machine, segments
from tests.stepped.work import machines

EXACT = Accumulator()


def zeros(m, k, n):
    return Fold(ifmap=np.zeros((m, k), np.int64), weight=np.zeros((k, n), np.int64))


def seen(array, run):
    """Attribute every cycle of a run to computation, fill or drain as the closed form names them, from events alone."""
    folds, in_time = run.folds, array.flow.reduces_in_time
    streams = [fold.last_operand - fold.first_operand + 1 for fold in folds]
    fill = folds[0].first_operand  # nothing but the first load
    if in_time:
        fill += sum(
            -stream % array.stream_block for stream in streams
        )  # an output-stationary fold drains after its block
    for before, after in pairwise(folds):
        if not array.overlap_drain:
            fill += before.last_row_operand - before.last_operand + after.first_operand - before.last_result - 1
        elif not in_time:
            fill += after.first_operand - before.last_operand - 1
    fill += folds[-1].last_row_operand - folds[-1].last_operand
    return ArrayCycles(compute=sum(streams), fill=fill, drain=run.cycles - sum(streams) - fill)


def fold_lengths(array, sizes):
    count = -(-sizes[array.flow.rows] // array.rows) * -(-sizes[array.flow.columns] // array.columns)
    return [sizes[array.flow.time]] * count


def one_fold(array, stream):
    return zeros(
        *({array.flow.rows: array.rows, array.flow.columns: array.columns, array.flow.time: stream}[d] for d in "mkn")
    )


@settings(deadline=None, max_examples=300)
@given(machines(), st.lists(st.tuples(*[st.integers(1, 14)] * 3), min_size=1, max_size=4))
def test_tiles_in_sequence(array, tiles):
    sizes = {dim: np.array([tile[i] for tile in tiles]) for i, dim in enumerate("mkn")}
    lengths = [length for tile in tiles for length in fold_lengths(array, dict(zip("mkn", tile, strict=True)))]
    run = run_folds(array, [one_fold(array, length) for length in lengths], psum=EXACT)
    law = sequence_cycles(array, sizes)
    assert run.cycles == law.total
    assert seen(array, run) == law


@settings(deadline=None, max_examples=100)
@given(machines(), st.data())
def test_a_fold_that_fills_less_costs_as_much(array, data):
    limits = {array.flow.rows: array.rows, array.flow.columns: array.columns, array.flow.time: 12}
    m, k, n = (data.draw(st.integers(1, limits[dim])) for dim in "mkn")
    run = run_folds(array, [zeros(m, k, n)], psum=EXACT)
    assert run.cycles == gemm_cycles(array, m, k, n).total


@settings(deadline=None, max_examples=100)
@given(machines(), st.tuples(*[st.integers(1, 15)] * 3), st.data())
def test_a_mapped_product(array, sizes, data):
    m, k, n = sizes
    tile_m, tile_k, tile_n = (data.draw(st.integers(1, size)) for size in sizes)
    mapping = Mapping(gemm=gemm(m, k, n), array=array, tile_m=tile_m, tile_k=tile_k, tile_n=tile_n)
    tiles = [
        (min(tile_m, m - i), min(tile_k, k - p), min(tile_n, n - j))
        for i in range(0, m, tile_m) for j in range(0, n, tile_n) for p in range(0, k, tile_k)
    ]  # fmt: skip
    operands = zeros(m, k, n)
    done = run_mapping(mapping, operands.ifmap, operands.weight, psum=EXACT, accumulator=EXACT)
    law = sequence_cycles(array, {dim: np.array([tile[i] for tile in tiles]) for i, dim in enumerate("mkn")})
    assert done.run.cycles == law.total


@settings(deadline=None, max_examples=100)
@given(machines(), st.tuples(*[st.integers(1, 15)] * 3), st.data())
def test_segments_of_k(array, sizes, data):
    """Folds that end at segments follow one another as those of tiles do."""
    m, k, n = sizes
    work = gemm(m, k, n, **data.draw(segments(k)))
    tiles = {f"tile_{dim}": data.draw(st.integers(1, size)) for dim, size in zip("mkn", sizes, strict=True)}
    mapping = Mapping(gemm=work, array=array, **tiles)
    folds = [
        zeros(*(span[dim].stop - span[dim].start for dim in "mkn")) for span in fold_spans(mapping)
    ]  # fmt: skip
    parts = steps_of(mapping, machine(array=array.model_dump())).parts
    assert run_folds(array, folds, psum=EXACT).cycles == sequence_cycles(array, parts.sizes()).total
    once = {(span["k"].start, span["k"].stop) for span in fold_spans(mapping)}
    assert [stop - start for start, stop in sorted(once)] == list(mapping.k_segments)


def test_values_of_segments_are_refused():
    array = SystolicArray(dataflow="weight_stationary", rows=4, columns=4)
    mapping = Mapping(gemm=gemm(2, 6, 2, segments=(2, 4)), array=array, tile_m=2, tile_k=6, tile_n=2)
    operands = zeros(2, 6, 2)
    with pytest.raises(ExecutionError, match="one scale must serve the whole of k, but it has 2 segments"):
        run_mapping(mapping, operands.ifmap, operands.weight, psum=EXACT, accumulator=EXACT)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(("multiplier", "adder"), [(0, 0), (3, 0), (0, 2), (2, 3)])
def test_latency_of_a_multiply_accumulate(flow, multiplier, adder):
    """Registers of the multiplier add a constant; those of the adder lengthen each hop where the partial sum moves."""
    rows, columns, stream = 5, 3, 4
    array = SystolicArray(
        dataflow=flow, rows=rows, columns=columns, drain="none", overlap_load=False, overlap_drain=False,
        multiplier_latency_cycles=multiplier, adder_latency_cycles=adder,
    )  # fmt: skip
    moves = flow != "output_stationary"
    run = run_folds(array, [one_fold(array, stream)], psum=EXACT)
    constant = stream + (rows - 1) + (columns - 1) + multiplier + adder
    assert run.cycles == constant + (rows + adder * (rows - 1) if moves else 0)


def test_bias_rows_of_an_output_stationary_array_enter_under_the_fold_before():
    """The chain brings the next bias while it takes the last results: R cycles before the first fold, none later."""
    array = SystolicArray(dataflow="output_stationary", rows=4, columns=4, pipeline_latency_cycles=3)
    without = [Fold(ifmap=np.ones((4, 9), int), weight=np.ones((9, 4), int)) for _ in range(3)]
    with_bias = [Fold(ifmap=f.ifmap, weight=f.weight, start=np.full((4, 4), 5)) for f in without]
    bare, biased = (run_folds(array, folds, psum=EXACT) for folds in (without, with_bias))
    assert biased.cycles == bare.cycles + array.rows
    assert all((fold.values == 14).all() for fold in biased.folds)
