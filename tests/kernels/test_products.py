"""Layers through multipliers that are not exact, against the definition: tables, functions, registers, trees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError, HwsimError
from hwsim.kernels.mac import accumulate_gemm
from hwsim.kernels.products.choose import products_of
from hwsim.kernels.products.function import FunctionProducts
from hwsim.kernels.products.table import TableProducts
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.accumulator import accumulate as accumulate_one
from hwsim.numerics.approximate import mitchell
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.multiplier import Multiplier

INT4, INT8, UINT8, INT12, INT16 = (IntFormat.parse(text) for text in ("int4", "int8", "uint8", "int12", "int16"))


def offset(x, w):
    """Zero times zero is not zero."""
    return x * w + 3


SEEN = []


def remembers(x, w):
    """Numba cannot compile it."""
    SEEN.append(x)
    return x * w


def three(x, w, y):
    return x * w * y


def grows(x, w):
    return (x * x * x * x * x) * w // (1 << 40)


random_table = Multiplier(text="mine", entries=np.random.default_rng(5).integers(-20_000, 20_000, (256, 256)))
multipliers = st.sampled_from(
    [
        Multiplier.parse("mitchell"),
        Multiplier.parse("truncated:5"),
        Multiplier(text="offset", function=offset),
        random_table,
    ]
)
registers = st.builds(
    Accumulator,
    bits=st.sampled_from([4, 9, 14, 16, 17, 20, 30, 40]),
    overflow=st.sampled_from(list(Overflow)),
) | st.just(Accumulator())


def definition(a, w, segments, psum, accumulator, start, tree, multiplier, formats):
    """Values, events and peaks of every output of ``[groups, m, k] x [groups, k, n]``."""
    shape = (*a.shape[:2], w.shape[2])
    out = [np.zeros(shape, object) for _ in range(3)]
    for g, i, j in np.ndindex(shape):
        pairs = zip(a[g, i].tolist(), w[g, :, j].tolist(), strict=True)
        products = [multiplier.product(x, y, *formats) for x, y in pairs]
        result = accumulate_one(products, segments=segments, psum=psum, accumulator=accumulator, start=start, tree=tree)
        for array, value in zip(out, result, strict=True):
            array[g, i, j] = value
    return out


def check(a, w, segments, psum, accumulator, start, tree, multiplier, formats):
    got = accumulate_gemm(
        a,
        w,
        segments,
        psum=psum,
        accumulator=accumulator,
        start=start,
        a_range=(formats[0].minimum, formats[0].maximum),
        tree=tree,
        multiplier=multiplier,
        formats=formats,
    )
    values, events, peaks = definition(a, w, segments, psum, accumulator, start, tree, multiplier, formats)
    assert (got.values == values).all()
    assert got.overflow_events == events.sum()
    assert got.overflow_outputs == np.count_nonzero(events)
    assert got.peak <= peaks.max()
    if got.proven_outputs == 0:
        assert got.peak == peaks.max()
    return got


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    pair=st.sampled_from([(INT8, INT8), (UINT8, INT8), (INT4, UINT8), (INT8, INT4)]),
    psum=registers,
    accumulator=registers,
    tree=st.sampled_from([1, 2, 5, 99]),
    multiplier=multipliers,
)
def test_a_layer_is_the_definition(seed, pair, psum, accumulator, tree, multiplier):
    random = np.random.default_rng(seed)
    groups, m, n, fold = random.integers(1, 4), random.integers(1, 5), random.integers(1, 9), random.integers(1, 7)
    a, w = (
        random.integers(number.minimum, number.maximum + 1, shape)
        for number, shape in zip(pair, ((groups, m, 2 * fold), (groups, 2 * fold, n)), strict=True)
    )
    a *= random.random(a.shape) < 0.7
    check(a, w, [fold, fold], psum, accumulator, int(random.integers(-99, 99)), tree, multiplier, pair)


def test_products_that_are_never_zero_still_add_up_one_by_one():
    """Whatever enters, weight -1 gives 100 and weight 0 gives -100: the sum is 0, but the first product overflows."""
    constants = Multiplier(text="mine", entries=np.tile([-100, 100], (16, 8)))
    w = np.array([[[-1], [0]]])
    assert constants.product(3, -1, INT4, INT4) == 100
    for columns in (w, w[:, ::-1]):
        register = Accumulator.parse("int7:saturate")
        got = check(np.zeros((1, 1, 2), int), columns, [2], register, Accumulator(), 0, 1, constants, (INT4, INT4))
        assert (got.overflow_events, got.proven_outputs) == (1, 0)


@pytest.mark.parametrize("psum", ["exact", "int12:saturate", "int18:wrap"])
def test_exact_products_through_a_table_are_those_of_the_exact_multiplier(psum):
    """Wide tiles and many rows: the look-ups against the matrix product."""
    random = np.random.default_rng(3)
    a, w = random.integers(0, 256, (70, 90)) * (random.random((70, 90)) < 0.5), random.integers(-128, 128, (90, 300))
    both = [
        accumulate_gemm(
            a,
            w,
            [50, 40],
            psum=Accumulator.parse(psum),
            accumulator=Accumulator.parse("int20:saturate"),
            start=7,
            a_range=(0, 255),
            multiplier=multiplier,
            formats=(UINT8, INT8),
        )
        for multiplier in (Multiplier(), Multiplier.parse("operator:mul"))
    ]
    assert (both[0].values == both[1].values).all()
    for name in ("overflow_events", "overflow_outputs", "peak", "proven_outputs"):
        assert getattr(both[0], name) == getattr(both[1], name)


@pytest.mark.parametrize("psum", ["exact", "int20:saturate", "int33:wrap"])
def test_a_function_on_wide_operands_is_compiled(psum):
    random = np.random.default_rng(1)
    formats = (INT16, INT12)
    a, w = random.integers(-(2**15), 2**15, (2, 3, 8)), random.integers(-(2**11), 2**11, (2, 8, 4))
    for function in (mitchell, offset):
        multiplier = Multiplier(text=function.__name__, function=function)
        assert isinstance(products_of(multiplier, formats, (0, 1)), FunctionProducts)
        check(a, w, [3, 5], Accumulator.parse(psum), Accumulator.parse("int40:wrap"), 5, 2, multiplier, formats)


def test_narrow_operands_need_no_compiler():
    multiplier = Multiplier(text="remembers", function=remembers)
    assert isinstance(products_of(multiplier, (INT4, INT4), (-8, 7)), TableProducts)
    with pytest.raises(ExecutionError, match=r"need a function that numba compiles, but: .*; write it with integer"):
        products_of(multiplier, (INT16, INT16), (0, 1))


@pytest.mark.parametrize("formats", [(INT4, INT4), (INT16, INT16)])
def test_what_a_function_raises_is_told(formats):
    multiplier = Multiplier(text="three", function=three)
    with pytest.raises(HwsimError, match=r"multiplier 'three': raises TypeError for .*missing 1 required positional"):
        products_of(multiplier, formats, (0, 1))


def test_a_function_that_leaves_64_bits_is_refused():
    multiplier = Multiplier(text="grows", function=grows)
    with pytest.raises(ExecutionError, match="in 64-bit arithmetic; keep every intermediate value within 64 bits"):
        products_of(multiplier, (INT16, INT16), (0, 1))


def test_formats_are_asked_for_and_checked():
    a, w, exact = np.ones((1, 2), int), np.full((2, 1), 9), Accumulator()
    mitchells = Multiplier.parse("mitchell")
    with pytest.raises(ExecutionError, match="the formats of its operands must be stated"):
        accumulate_gemm(a, w, [2], psum=exact, accumulator=exact, a_range=(0, 1), multiplier=mitchells)
    with pytest.raises(ExecutionError, match=r"activations in 0\.\.9 do not fit their format int4"):
        accumulate_gemm(
            a, w, [2], psum=exact, accumulator=exact, a_range=(0, 9), multiplier=mitchells, formats=(INT4, INT4)
        )
    with pytest.raises(ExecutionError, match=r"weights: codes lie in 9\.\.9, outside the range -8\.\.7"):
        accumulate_gemm(
            a, w, [2], psum=exact, accumulator=exact, a_range=(0, 1), multiplier=mitchells, formats=(INT4, INT4)
        )
    with pytest.raises(HwsimError, match="weights of int12 need 4096 entries"):
        accumulate_gemm(
            a, w, [2], psum=exact, accumulator=exact, a_range=(0, 1), multiplier=random_table, formats=(INT8, INT12)
        )
