"""Modes of the multiply-accumulate: the published laws, and what every file of the folder must keep."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.energy import load_table
from hwsim.errors import MappingError
from hwsim.hardware import modes
from hwsim.hardware.fields import read_mac
from hwsim.hardware.mac import ONE_PRODUCT, MacShape
from hwsim.hardware.modes import mode_of
from hwsim.numerics.formats import IntFormat, parse_format

TABLE = load_table("generic_45nm")
WIDTHS = range(1, 17)
TEXTS = (
    "fixed", "fixed:4", "fusion:4", "fusion:8", "fusion:16", "serial:weight:1", "serial:weight:16", "serial:activation:16",
    "serial:both:64", "serial:weight:8:2", "serial:both:4:4", "packed:8:k", "packed:16:n", "shared:27x18",
    "floating:fp16:fp32", "floating:bf16:fp32", "floating:fp8e4m3fn:fp16",
)  # fmt: skip


def taken(mode):
    return [(a, w) for a in WIDTHS for w in WIDTHS if mode.problem(a, w) is None]


def product_pj(mode, a, w, built=None):
    return mode.product_pj(TABLE, *mode.priced_bits((a, w), built or (a, w)))


class TestConformance:
    @pytest.mark.parametrize("name", modes.names())
    def test_a_file_reads_its_own_example(self, name):
        module = modes.definition(name)
        assert isinstance(mode_of(module.EXAMPLE), module.Mode)
        assert module.EXAMPLE.split(":")[0] == name
        assert module.__doc__

    def test_the_texts_here_are_of_every_file(self):
        assert {text.split(":")[0] for text in TEXTS} == set(modes.names())

    @pytest.mark.parametrize("text", TEXTS)
    def test_text_and_record_agree(self, text):
        mode = read_mac(text)
        assert read_mac(str(mode)) == mode == read_mac(mode)
        assert hash(mode) == hash(read_mac(text))

    @pytest.mark.parametrize("text", TEXTS)
    def test_fewer_bits_are_never_slower_nor_dearer(self, text):
        mode = mode_of(text)
        found = {bits: (mode.shape(*bits).macs_per_cycle, product_pj(mode, *bits)) for bits in taken(mode)}
        assert found
        for (a, w), (speed, energy) in found.items():
            for less in ((a - 1, w), (a, w - 1)):
                if less in found:
                    assert found[less][0] >= speed
                    assert found[less][1] <= energy * (1 + 1e-12)

    @pytest.mark.parametrize("text", TEXTS)
    def test_prices_and_areas_are_positive(self, text):
        mode = mode_of(text)
        for a, w in taken(mode):
            assert product_pj(mode, a, w) > 0
            assert mode.area_um2(TABLE, *mode.priced_bits((a, w), (a, w))) > 0
        assert mode.sum_pj(TABLE, 24) > 0
        assert mode.sum_area_um2(TABLE, 24) > 0

    @pytest.mark.parametrize("name", modes.names())
    @pytest.mark.parametrize("rest", [":", ":x", ":0", ":8:8:8:8", ":-1", ":9999999"])
    def test_what_no_mode_reads(self, name, rest):
        with pytest.raises(ValueError, match=r".{20}"):
            read_mac(name + rest)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("fsion:8", "'fsion' is unknown; did you mean 'fusion'?"),
        ("fusion:7", "needs a unit of 2, 4, 8, 16 or 32 bits, not 7"),
        ("fusion", "is fusion:bits as in fusion:8, not 'fusion'"),
        ("serial:weights", "names the operand 'weights'; did you mean 'weight'?"),
        ("serial:weight:0", "needs a number of lanes of 1 to 4096, not '0'"),
        ("packed:8:m", "packs along 'm'; known: k, n"),
        ("shared:27", "is shared:PxQ as in shared:27x18, not 'shared:27'"),
        (
            "floating:fp32:fp16",
            "has no arithmetic: sums in fp16 must have the exponent and mantissa bits of fp32 at least",
        ),
        ("floating:int8:fp32", "names the format 'int8': "),
        (
            "floating:fp16:fp24e9m14",
            "has no arithmetic: fp24e9m14 must be signed, with subnormal numbers, and every number one of fp32",
        ),
        (8, "must be a mode such as fixed, fusion:8 or serial:weight:16, not 8"),
        ("Fixed", "must be a mode such as fixed, fusion:8 or serial:weight:16, not 'Fixed'"),
    ],
)
def test_messages(value, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        read_mac(value)


@pytest.mark.parametrize("unit", [4, 8, 16])
@pytest.mark.parametrize("a", [2, 4, 8, 16])
@pytest.mark.parametrize("w", [2, 4, 8, 16])
def test_fusion_is_bit_fusions_formula(unit, a, w):
    """floor(pmax / a) floor(pmax / w) products a cycle; wider operands in ceil(a / pmax) ceil(w / pmax) passes."""
    mode = mode_of(f"fusion:{unit}")
    if max(a, w) > 2 * unit:
        assert "two passes" in mode.problem(a, w)
        return
    shape = mode.shape(a, w)
    assert shape.k_lanes == max(unit // a, 1) * max(unit // w, 1)
    assert shape.cycles_per_vector == -(-a // unit) * -(-w // unit)
    bricks = (a // 2) * (w // 2)  # of 2 bits, for one product
    assert shape.macs_per_cycle * bricks == Fraction(unit, 2) ** 2  # none is idle


@pytest.mark.parametrize(
    ("bits", "share"), [((8, 8), 1), ((16, 16), 4), ((16, 4), 1), ((2, 2), 1 / 16), ((3, 8), 1 / 2)]
)
def test_a_fused_product_takes_its_share_of_the_unit(bits, share):
    assert product_pj(mode_of("fusion:8"), *bits) == pytest.approx(share * TABLE.fusion_pj(8))


def test_fusion_rounds_widths_up_to_powers_of_two():
    mode = mode_of("fusion:8")
    assert [mode.shape(a, 8).k_lanes for a in (1, 2, 3, 4, 5, 7, 8)] == [4, 4, 2, 2, 1, 1, 1]


@given(st.integers(1, 16), st.integers(1, 16), st.integers(1, 4))
def test_bits_in_series_take_their_number_of_cycles(a, w, step):
    cycles = {
        operand: mode_of(f"serial:{operand}:16:{step}").shape(a, w).cycles_per_vector
        for operand in ("weight", "activation", "both")
    }
    assert cycles == {"weight": -(-w // step), "activation": -(-a // step), "both": -(-a // step) * -(-w // step)}


def test_a_parallel_operand_pays_the_width_that_is_built():
    mode = mode_of("serial:weight:16")
    assert product_pj(mode, 4, 8, built=(8, 8)) == product_pj(mode, 8, 8)
    assert product_pj(mode, 8, 4, built=(8, 8)) == pytest.approx(product_pj(mode, 8, 4))


@pytest.mark.parametrize(
    ("bits", "lanes"), [((8, 8), 1), ((5, 2), 1), ((4, 4), 2), ((4, 2), 2), ((3, 3), 2), ((2, 2), 4), ((1, 1), 8)]
)
def test_words_split_by_their_wider_operand(bits, lanes):
    along_k, along_n = (mode_of(f"packed:8:{dim}").shape(*bits) for dim in "kn")
    assert (along_k, along_n) == (MacShape(k_lanes=lanes), MacShape(n_lanes=lanes))


def test_a_word_splits_in_halves_only():
    lanes = {bits: mode_of("packed:16:k").shape(bits, bits).k_lanes for bits in (16, 9, 8, 6, 5, 4, 3, 2)}
    assert lanes == {16: 1, 9: 1, 8: 2, 6: 2, 5: 2, 4: 4, 3: 4, 2: 8}


@pytest.mark.parametrize(
    ("bits", "lanes"), [((8, 8), 2), ((4, 4), 3), ((9, 9), 2), ((10, 9), 1), ((18, 27), 1), ((8, 4), 2)]
)
def test_weights_that_share_an_activation(bits, lanes):
    """WP486: two 8-bit weights in 27 bits. The products must not overlap."""
    shape = mode_of("shared:27x18").shape(*bits)
    assert shape == MacShape(n_lanes=lanes)
    a, w = bits
    assert w + (lanes - 1) * (a + w) <= 27 < w + lanes * (a + w)


@given(st.lists(st.integers(-8, 7), min_size=3, max_size=3), st.integers(-8, 7))
def test_packed_weights_give_their_products_back(weights, activation):
    """The arithmetic of the DSP trick: split off fields of a + w bits and carry the borrow of those below."""
    field = 8
    total = sum(weight << (field * i) for i, weight in enumerate(weights)) * activation
    found = []
    for _ in weights:
        low = ((total + (1 << (field - 1))) % (1 << field)) - (1 << (field - 1))
        found.append(low)
        total = (total - low) >> field
    assert found == [weight * activation for weight in weights]


@pytest.mark.parametrize(
    ("unit", "number", "bits"),
    [
        ("fp16", "int8", 16), ("fp16", "int12", 16), ("fp16", "uint11", 16), ("bf16", "uint8", 16), ("fp16", "fp8e4m3fn", 16),
        ("fp8e4m3fn", "int5", 8), ("fp16", "uint12", None), ("bf16", "int10", None), ("fp8e4m3fn", "int8", None),
        ("fp16", "bf16", None), ("bf16", "fp16", None), ("fp8e4m3fn", "fp8e5m2", None), ("fp32", "bf16", 32),
        ("fp16", "ternary", 16), ("bf16", "power4:0.5", 16),
    ],
)  # fmt: skip
def test_floats_hold_every_value_of_what_enters(unit, number, bits):
    mode, entering = mode_of(f"floating:{unit}:fp32"), parse_format(number)
    if bits is None:
        with pytest.raises(ValueError, match=f"{unit} does not hold every value of {number}"):
            mode.operand_bits(entering, *entering.operand_range)
    else:
        assert mode.operand_bits(entering, *entering.operand_range) == bits


@given(st.integers(1, 14), st.booleans())
def test_integers_enter_floats_exactly(bits, signed):
    """Against the format itself: every integer must survive encoding."""
    if signed and bits < 2:
        return
    number, unit = IntFormat(bits=bits, signed=signed), parse_format("fp16")
    low, high = number.operand_range
    every = [float(value) for value in range(low, high + 1)]
    survive = unit.decode(unit.encode_real(np.array(every))).tolist() == every
    try:
        mode_of("floating:fp16:fp32").operand_bits(number, low, high)
        held = True
    except ValueError:
        held = False
    assert held == survive


class TestShape:
    def test_one_product_is_the_plain_element(self):
        assert (ONE_PRODUCT.held("m", 7), ONE_PRODUCT.held("k", 7), ONE_PRODUCT.held("n", 7)) == (7, 7, 7)
        assert [ONE_PRODUCT.stream_cycles(dim, 9) for dim in "mkn"] == [9, 9, 9]
        assert ONE_PRODUCT.macs_per_cycle == 1
        assert not ONE_PRODUCT.is_sparse
        assert ONE_PRODUCT.register_lanes == {"ifmap": 1, "weight": 1, "psum": 1}

    @given(
        st.builds(MacShape, k_lanes=st.integers(1, 9), n_lanes=st.integers(1, 5), cycles_per_vector=st.integers(1, 9)),
        st.integers(1, 99),
    )
    def test_streams_and_holdings_cover_what_they_are_given(self, shape, size):
        for dim, lanes in (("m", 1), ("k", shape.k_lanes), ("n", shape.n_lanes)):
            vectors = shape.vectors(dim, size)
            assert (vectors - 1) * lanes < size <= vectors * lanes
            assert shape.held(dim, size) == size * lanes
            assert shape.stream_cycles(dim, size) == vectors * shape.cycles_per_vector

    def test_sparse(self):
        shape = MacShape(keep=2, block=4)
        assert (shape.held("k", 16), shape.held("k", 5), shape.held("n", 16)) == (32, 8, 16)
        assert (shape.kept(64), shape.vectors("k", 64), shape.index_bits, shape.macs_per_cycle) == (32, 32, 2, 2)
        assert shape.register_lanes == {"ifmap": 2, "weight": 1, "psum": 1}

    @pytest.mark.parametrize(
        "wrong", [{"k_lanes": 0}, {"n_lanes": -1}, {"cycles_per_vector": 0}, {"keep": 5, "block": 4}]
    )
    def test_what_is_no_shape(self, wrong):
        with pytest.raises(MappingError, match="mac: lanes, cycles and keep <= block must be positive"):
            MacShape(**wrong)
