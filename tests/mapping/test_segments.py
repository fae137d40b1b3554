"""Scales that change along k: segments of a product, their folds and order, and the registers behind them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import MappingError
from hwsim.hardware.mac import MacShape
from hwsim.mapping.candidates import candidates
from hwsim.mapping.gemm import Window
from hwsim.mapping.legal import memory_bytes
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import k_parts
from hwsim.mapping.widths import accumulator_bits, mac_shape, on_datapath, psum_bits, scale_bits, scaled_bits
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.sparsity import Sparsity
from tests.cost.machines import FLOWS, conv, gemm, gemms, machine
from tests.mapping.graphs import CONV, INT8, UINT8, one

WINDOW = Window(
    batch=1, channels=4, in_height=4, in_width=4, out_height=4, out_width=4,
    kernel=(1, 2), strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 1),
)  # fmt: skip


def mapping(work, mac=None, tile_k=None, **array):
    keys = {"mac": mac} if mac else {}
    built = machine(array=array).array
    return Mapping(gemm=work, array=built, tile_m=work.m, tile_k=tile_k or work.k, tile_n=work.n, **keys)


def work_of(graph):
    (task,) = lower(graph)
    return task.work


def grouped(format_of, granularity):
    return QuantParams(format=format_of.format, granularity=granularity)


@pytest.mark.parametrize(
    ("flow", "tile_k", "folds"),
    [
        ("weight_stationary", 20, (4, 2, 3, 4, 4, 3)),  # four rows; segments of 6, 3 and 11
        ("input_stationary", 20, (4, 2, 3, 4, 4, 3)),
        ("output_stationary", 20, (6, 3, 11)),
        ("output_stationary", 10, (6, 3, 10, 1)),  # tiles of 9, 10 and 1
        ("weight_stationary", 10, (4, 2, 3, 4, 4, 2, 1)),
    ],
)
def test_no_fold_crosses_a_segment(flow, tile_k, folds):
    assert mapping(gemm(5, 20, 3, segments=(6, 3, 11)), tile_k=tile_k, dataflow=flow).k_segments == folds


@pytest.mark.parametrize("flow", FLOWS)
@given(data=st.data())
def test_folds_and_order_of_any_segments(flow, data):
    work = data.draw(gemms())
    taps = work.window.taps if work.window else 1
    tile_k = data.draw(st.integers(1, work.k // taps)) * taps
    k_order = data.draw(st.sampled_from(["kernel_channel", "channel_kernel"]))
    found = mapping(work, tile_k=tile_k, dataflow=flow, k_order=k_order)
    ends = set(np.cumsum(found.k_segments).tolist())
    assert set(np.cumsum(work.scale_runs).tolist()) <= ends
    order = np.arange(work.k) if found.k_permutation is None else found.k_permutation
    assert sorted(order.tolist()) == list(range(work.k))
    channels = work.channel_order or range(work.k // taps)
    start = 0
    for size in work.scale_runs:  # each segment holds its own channels, whatever the order inside is
        inside = set((order[start : start + size] // taps).tolist())
        assert inside == set(channels[start // taps : (start + size) // taps])
        start += size


def test_channels_of_a_part_are_innermost():
    work = conv(WINDOW, segments=(2, 6), channel_order=(3, 0, 1, 2))
    assert mapping(work).k_permutation.tolist() == [6, 7, 0, 2, 4, 1, 3, 5]
    assert mapping(work, tile_k=4).k_permutation.tolist() == [6, 7, 0, 2, 1, 3, 4, 5]  # tiles of 1, 2 and 1 channels
    assert mapping(work, k_order="channel_kernel").k_permutation.tolist() == [6, 7, 0, 1, 2, 3, 4, 5]


def test_one_segment_is_none():
    plain, one_segment = (mapping(gemm(5, 20, 3, segments=sizes), tile_k=7) for sizes in ((), (20,)))
    assert plain.k_segments == one_segment.k_segments
    assert not one_segment.gemm.has_scales
    assert mapping(gemm(5, 20, 3, segments=(20,), channel_order=tuple(range(19, -1, -1)))).k_permutation[0] == 19


def test_decoded_operands_leave_no_segment():
    work = gemm(5, 20, 3, segments=(6, 3, 11))
    integers, floats = (
        machine(datapath=keys).datapath
        for keys in ({}, {"mac": "floating:fp16:fp32", "accumulator": "exact"})
    )  # fmt: skip
    decoded = on_datapath(work, floats)
    assert on_datapath(work, integers) is work
    assert on_datapath(decoded, integers) == work
    assert mapping(decoded).k_segments == mapping(gemm(5, 20, 3)).k_segments
    assert [(part.size, part.scales) for part in k_parts(decoded, 10)] == [(9, 2), (10, 1), (1, 1)]


def test_balanced_runs_of_segments_are_candidates():
    sizes = candidates(gemm(4, 30, 4, segments=(5,) * 6), machine().array).k
    assert {5, 10, 15, 30} <= set(sizes)
    assert set(candidates(gemm(4, 30, 4), machine().array).k) <= set(sizes)


def test_sparse_blocks_that_segments_cut_are_dense():
    datapath = machine(datapath={"sparsity": "2:4"}).datapath
    keys = {"sparsity": Sparsity.parse("2:4")}
    assert mac_shape(gemm(2, 16, 2, segments=(8, 8), **keys), datapath).is_sparse
    for cut in ({"segments": (6, 10)}, {"segments": (8, 8), "channel_order": tuple(range(15, -1, -1))}):
        work = gemm(2, 16, 2, **cut, **keys)
        assert not mac_shape(work, datapath).is_sparse
        with pytest.raises(MappingError, match="segments must hold whole blocks of 4, in order, with sparsity 2:4"):
            mapping(work, MacShape(keep=2, block=4))


def registers(work, **keys):
    datapath = machine(datapath={"psum": "exact", "accumulator": "exact"} | keys).datapath
    found = mapping(work)
    return psum_bits(found, datapath), scaled_bits(found, datapath), accumulator_bits(work, datapath)


def test_open_registers_hold_a_fold_and_the_fraction():
    plain, cut = gemm(1, 16, 1), gemm(1, 16, 1, segments=(2, 14))
    assert registers(plain)[2] == 20  # 16 * 255 * -128 > -2^19
    assert registers(cut) == (18, 18, 28)  # folds of four; 8 fraction bits
    assert registers(cut, segment_scaling="fixed_point:16:0")[2] == 20
    assert registers(cut, segment_scaling="shift:3")[2] == 23
    assert registers(cut, segment_scaling="float32", accumulator="int20:wrap")[2] == 32
    assert registers(cut, accumulator="int24:wrap")[2] == 24


def test_a_column_sum_joins_before_the_scaler():
    cut = gemm(1, 16, 1, segments=(2, 14), weight_asymmetric=True)
    assert registers(cut) == (18, 19, 21 + 8)  # centred weights reach +-255
    assert registers(cut, psum="int12:wrap")[1] == 19
    assert registers(cut, zero_point="subtracted")[1:] == (19, 21 + 8)


def test_scales_take_room_beside_their_weights():
    accelerator = machine(buffered=False)
    work = gemm(4, 40, 10, segments=(10,) * 4)
    needed = {
        tile_k: memory_bytes(mapping(work, tile_k=tile_k), accelerator, accelerator.datapath)["weights"]
        for tile_k in (40, 25, 10, 5)
    }
    assert needed == {40: 400 + 4 * 20, 25: 250 + 2 * 20, 10: 100 + 20, 5: 50 + 20}
    one_for_all = replace(work, shares_scales=True)
    assert memory_bytes(mapping(one_for_all), accelerator, accelerator.datapath)["weights"] == 400 + 4 * 2
    shifting = machine(buffered=False, datapath={"segment_scaling": "shift"})
    assert memory_bytes(mapping(work), shifting, shifting.datapath)["weights"] == 400 + 4 * 10


def test_bits_of_a_scale():
    work = gemm(4, 40, 10, segments=(10, 30))
    for text, bits in (("fixed_point:12", 12), ("shift:4", 8), ("float32", 32)):
        assert scale_bits(work, machine(datapath={"segment_scaling": text}).datapath) == bits
    assert scale_bits(gemm(4, 40, 10, segments=(40,)), machine().datapath) == 0


def matmul(weight, ifmap=UINT8):
    return work_of(one("MatMul", [(3, 12), (12, 5)], [(3, 5)], constants=("x1",), grids={"x0": ifmap, "x1": weight}))


def test_groups_of_weights_are_segments():
    runs = Granularity.of_runs(0, 12, 5)
    found = matmul(grouped(INT8, replace(runs, by=1)))
    assert (found.segments, found.channel_order, found.shares_scales) == ((5, 5, 2), (), False)
    assert matmul(grouped(INT8, runs)).shares_scales
    assert matmul(grouped(INT8, Granularity(axis=0, block=4))).segments == (4, 4, 4)
    for whole in (Granularity.of_runs(0, 12, 12, by=1), Granularity(axis=1)):
        assert matmul(grouped(INT8, whole)) == replace(matmul(INT8), scales_columns=True)
    assert matmul(grouped(INT8, Granularity())) == matmul(INT8)


def test_groups_of_activations_are_segments_in_an_order_of_their_own():
    scattered = Granularity(axis=1, groups=(0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 2))
    found = matmul(INT8, grouped(UINT8, scattered))
    assert (found.segments, found.shares_scales) == ((3, 8, 1), True)
    assert found.channel_order == (0, 2, 6, 1, 3, 4, 5, 7, 8, 9, 10, 11)
    both = matmul(grouped(INT8, Granularity.of_runs(0, 12, 6, by=1)), grouped(UINT8, scattered))
    assert (both.segments, both.shares_scales) == ((2, 1, 4, 4, 1), False)


def test_segments_of_a_convolution_count_its_taps():
    weight = grouped(INT8, Granularity.of_runs(1, 6, 2, by=0))
    attributes = CONV | {"kernel": (3, 3), "pads": (1, 1, 1, 1)}
    graph = one(
        "Conv", [(1, 6, 4, 4), (5, 6, 3, 3)], [(1, 5, 4, 4)], constants=("x1",), grids={"x1": weight}, **attributes
    )
    assert work_of(graph).segments == (18, 18, 18)
