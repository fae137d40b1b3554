"""Folds along k in the order in which they accumulate, and what a mapping refuses."""

import numpy as np
import pytest

from hwsim.errors import MappingError
from hwsim.mapping.gemm import Gemm, Window
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import multiplier_bits, register_bits
from hwsim.numerics.accumulator import Accumulator
from tests.cost.machines import conv, gemm, machine

WINDOW = Window(
    batch=2, channels=3, in_height=4, in_width=4, out_height=4, out_width=4,
    kernel=(1, 2), strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 1),
)  # fmt: skip


def mapping(work=None, flow="weight_stationary", order="mnk", **tiles):
    sizes = {"tile_m": 16, "tile_k": 4, "tile_n": 3} | tiles
    return Mapping(gemm=work or conv(WINDOW), array=machine(array={"dataflow": flow}).array, order=order, **sizes)


@pytest.mark.parametrize(
    ("flow", "segments"),
    [("weight_stationary", (4, 2, 4, 1)), ("input_stationary", (4, 2, 4, 1)), ("output_stationary", (6, 5))],
)
def test_k_segments(flow, segments):
    assert mapping(gemm(5, 11, 3), flow, tile_m=5, tile_k=6).k_segments == segments


def test_k_permutation_puts_the_channels_of_a_tile_innermost():
    assert mapping().k_permutation.tolist() == [0, 2, 1, 3, 4, 5]  # channels 0, 1 for each tap; then channel 2
    assert np.array_equal(np.sort(mapping(tile_k=6).k_permutation), np.arange(6))
    assert mapping(gemm(16, 6, 3)).k_permutation is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order": "kmn"}, "order must be 'mnk' or 'nmk', not 'kmn'"),
        ({"tile_n": 4}, "tile_n must be 1..3, not 4"),
        ({"tile_k": 3}, "tile_k=3 must be a multiple of the 2 kernel taps"),
        ({"tile_m": 6}, "tile_m=6 must be whole output rows of 4 pixels within one image of 16, or whole images"),
        ({"tile_m": 20}, "tile_m=20 must be whole output rows"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(MappingError, match=message):
        mapping(**changes)


def test_a_gemm_must_fit_its_window():
    keys = {name: gemm(1, 1, 1).ifmap for name in ("ifmap", "weight", "ofmap")}
    with pytest.raises(MappingError, match="k=5 must be channels x taps = 6"):
        Gemm(m=32, k=5, n=1, window=WINDOW, **keys)
    with pytest.raises(MappingError, match="m=16 must be all output pixels = 32"):
        Gemm(m=16, k=6, n=1, window=WINDOW, **keys)
    with pytest.raises(MappingError, match="must be positive, not 0, 5, 1, 1"):
        Gemm(m=0, k=5, n=1, **keys)


def test_open_registers_are_as_wide_as_the_data_types_ask():
    work = gemm(1, 16, 1, ifmap_asymmetric=True)
    assert register_bits(Accumulator(), work, 16) == 20  # 16 * 255 * -128 > -2^19
    assert register_bits(Accumulator(), work, 16, centred=True) == 20
    signed = gemm(1, 16, 1, weight_asymmetric=True)
    assert register_bits(Accumulator(), signed, 16, centred=True) == 21  # weights reach +-255
    assert register_bits(Accumulator.parse("int24:wrap"), work, 10**9) == 24


def test_operands_wider_than_the_multiplier_are_refused():
    datapath = machine(datapath={"multiplier_weight_bits": 4}).datapath
    assert multiplier_bits("fc", gemm(1, 1, 1, bits=(8, 4, 8)), datapath) == (8, 4)
    with pytest.raises(MappingError, match=r"layer 'fc': operands of 8 x 8 bits do not fit the machine's 8 x 4-bit"):
        multiplier_bits("fc", gemm(1, 1, 1), datapath)
