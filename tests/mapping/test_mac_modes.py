"""Lanes and sparse weights in a mapping: folds along k, trees, widths, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import MappingError
from hwsim.hardware.mac import ONE_PRODUCT, MacShape
from hwsim.mapping.gemm import Window
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import (
    accumulator_bits,
    mac_shape,
    multiplier_bits,
    operand_bits,
    psum_bits,
    stored_weight_bits,
)
from hwsim.numerics.formats import parse_format
from hwsim.numerics.sparsity import Sparsity
from tests.cost.machines import FLOWS, conv, gemm, machine

TWO_OF_FOUR = Sparsity.parse("2:4")
WINDOW = Window(
    batch=1, channels=8, in_height=4, in_width=4, out_height=4, out_width=4,
    kernel=(1, 2), strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 1),
)  # fmt: skip


def mapping(work, mac, tile_k=None, **array):
    built = machine(array=array).array
    return Mapping(gemm=work, array=built, tile_m=work.m, tile_k=tile_k or work.k, tile_n=work.n, mac=mac)


@pytest.mark.parametrize(
    ("mac", "flow", "segments"),
    [
        (MacShape(k_lanes=3), "weight_stationary", (12, 8, 12, 8)),
        (MacShape(k_lanes=3), "input_stationary", (12, 8, 12, 8)),
        (MacShape(k_lanes=3), "output_stationary", (20, 20)),
        (MacShape(n_lanes=3, cycles_per_vector=8), "weight_stationary", (4,) * 10),
        (MacShape(keep=2, block=4), "weight_stationary", (8, 8, 4, 8, 8, 4)),
        (MacShape(keep=1, block=4), "weight_stationary", (16, 4, 16, 4)),
        (MacShape(k_lanes=4, keep=2, block=4), "weight_stationary", (20, 20)),
        (MacShape(keep=3, block=4), "weight_stationary", (4,) * 10),  # four rows hold one block of three
    ],
)
def test_a_fold_along_k_is_what_the_rows_hold(mac, flow, segments):
    assert mapping(gemm(5, 40, 3), mac, tile_k=20, dataflow=flow).k_segments == segments


@pytest.mark.parametrize(
    ("tree", "mac", "found"),
    [
        (1, ONE_PRODUCT, 1), (4, ONE_PRODUCT, 4), (1, MacShape(k_lanes=4), 4), (2, MacShape(k_lanes=4), 8),
        (1, MacShape(keep=2, block=4), 1), (1, MacShape(k_lanes=4, keep=2, block=4), 8), (2, MacShape(keep=2, block=4), 4),
        (1, MacShape(n_lanes=4), 1),
    ],
)  # fmt: skip
def test_a_tree_spans_the_pruned_weights_too(tree, mac, found):
    assert mapping(gemm(2, 8, 2), mac, adder_tree=tree).tree == found


@pytest.mark.parametrize(
    ("mac", "keys", "message"),
    [
        (MacShape(keep=2, block=4), {"tile_k": 6}, "tile_k=6 must be whole blocks of 4 with sparsity 2:4"),
        (MacShape(keep=2, block=4), {"rows": 1}, "1 rows hold no block of 2 products with sparsity 2:4"),
        (MacShape(k_lanes=3, keep=2, block=4), {}, "a tree of 3 products must sum whole blocks of 2 with sparsity 2:4"),
        (MacShape(cycles_per_vector=8), {"stream_block": 4}, "array.stream_block counts vectors of one cycle"),
    ],
)
def test_refusals(mac, keys, message):
    with pytest.raises(MappingError, match=message):
        mapping(gemm(2, 8, 2), mac, **keys)


def test_a_convolution_is_cut_into_blocks_of_channels():
    work, mac = conv(WINDOW, sparsity=TWO_OF_FOUR), MacShape(keep=2, block=4)
    assert mapping(work, mac, tile_k=8).k_permutation.tolist() == [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15]
    with pytest.raises(MappingError, match="tile_k=4 must be whole blocks of 4"):
        mapping(work, mac, tile_k=4)
    with pytest.raises(MappingError, match=r"sparsity 2:4 runs along channels; set array.k_order to kernel_channel"):
        mapping(work, mac, k_order="channel_kernel")


def test_a_gemm_is_whole_blocks():
    with pytest.raises(MappingError, match="sparsity 2:4 needs whole blocks, but k = 6"):
        gemm(2, 6, 2, sparsity=TWO_OF_FOUR)
    assert conv(WINDOW, sparsity=Sparsity.parse("2:8")).sparsity.block == 8
    with pytest.raises(MappingError, match="needs whole blocks, but input channels of a group = 8"):
        conv(WINDOW, sparsity=Sparsity.parse("1:16"))  # k = 16, but along the kernel


def test_stored_weights_carry_their_place():
    assert stored_weight_bits(mapping(gemm(2, 8, 2), ONE_PRODUCT)) == 8
    assert stored_weight_bits(mapping(gemm(2, 8, 2, bits=(8, 4, 8)), MacShape(keep=2, block=8))) == 4 + 3


@given(st.integers(1, 8), st.integers(1, 8), st.booleans())
def test_the_mode_sees_what_enters_the_multiplier(a, w, centred):
    work = gemm(2, 8, 2, bits=(a, w, 8), ifmap_asymmetric=True)
    datapath = machine(datapath={"mac": "serial:both:1", "zero_point": "subtracted" if centred else "folded"}).datapath
    assert mac_shape(work, datapath).cycles_per_vector == (a + centred) * w


@pytest.mark.parametrize(
    ("mode", "bits", "message"),
    [
        (
            "fusion:4",
            (16, 4),
            "datapath.mac = fusion:4: a fusion unit of 4 bits takes operands of up to 8 bits in two passes",
        ),
        ("packed:8:k", (9, 4), "datapath.mac = packed:8:k: a packed multiplier takes operands of up to 8 bits"),
        ("shared:27x18", (19, 8), "ports take activations of up to 18 and weights of up to 27 bits"),
        ("floating:fp8e4m3fn:fp16", (8, 4), "fp8e4m3fn does not hold every value of uint8; widen it"),
    ],
)
def test_operands_that_a_mode_does_not_take(mode, bits, message):
    registers = {"psum": "exact", "accumulator": "exact"}
    datapath = machine(datapath={"mac": mode, **registers}).datapath
    with pytest.raises(MappingError, match=f"^layer 'fc': .*{message}"):
        multiplier_bits("fc", gemm(2, 8, 2, bits=(*bits, 8)), datapath)


def test_floats_have_widths_of_their_own():
    datapath = machine(datapath={"mac": "floating:fp16:fp32", "accumulator": "exact"}).datapath
    work = gemm(2, 8, 2)
    fp8 = parse_format("fp8e4m3fn")
    for each in (work, type(work)(m=2, k=8, n=2, ifmap=fp8, weight=fp8, ofmap=fp8)):
        found = mapping(each, mac_shape(each, datapath))
        assert operand_bits(each, datapath) == multiplier_bits("fc", each, datapath) == (16, 16)
        assert (psum_bits(found, datapath), accumulator_bits(each, datapath)) == (32, 32)


@pytest.mark.parametrize("registers", [{"psum": "int24:wrap", "accumulator": "exact"}, {"psum": "exact"}])
def test_sums_of_floats_have_no_width_of_their_own(registers):
    datapath = machine(datapath={"mac": "floating:fp16:fp32", **registers}).datapath
    with pytest.raises(
        MappingError, match=r"layer 'fc': psum and accumulator must be 'exact' with datapath.mac = floating:fp16:fp32"
    ):
        multiplier_bits("fc", gemm(2, 8, 2), datapath)


@pytest.mark.parametrize("flow", FLOWS)
@given(data=st.data())
def test_folds_sum_to_k_and_trees_never_cross_a_fold(flow, data):
    mac = data.draw(
        st.builds(MacShape, k_lanes=st.integers(1, 6))
        | st.builds(MacShape, k_lanes=st.sampled_from([2, 4]), keep=st.just(2), block=st.just(4))
    )
    k = data.draw(st.integers(1, 9)) * mac.block
    tile = data.draw(st.integers(1, k // mac.block)) * mac.block
    rows = data.draw(st.integers(1, 5))
    found = mapping(gemm(2, k, 2), mac, tile_k=tile, dataflow=flow, rows=rows)
    assert sum(found.k_segments) == k
    assert all(segment % mac.block == 0 for segment in found.k_segments)
    if flow != "output_stationary":
        assert max(found.k_segments) <= rows * mac.k_lanes * mac.block // mac.keep
