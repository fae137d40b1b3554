"""Every path of the ordered kernel against an array loop: each lane type, pieces, recounts, early ends, trees, layouts."""

import numpy as np
import pytest

import hwsim.kernels.accumulate as module
from hwsim.kernels.accumulate import accumulate
from hwsim.kernels.ordered.lanes import Lanes
from hwsim.numerics.accumulator import Accumulator, Overflow

WIDE = Accumulator.parse("int32:wrap")


def array_loop(a, w, segments, psum, accumulator, start=0, tree=1):
    """The definition on int64 arrays: all outputs side by side, products one after the other."""
    shape = (a.shape[0], w.shape[1])
    total = np.broadcast_to(np.int64(start), shape)
    events = np.zeros(shape, np.int64)
    peaks = np.abs(total)

    def put(register, value):
        nonlocal events, peaks
        peaks = np.maximum(peaks, np.abs(value))
        over = (value < register.minimum) | (value > register.maximum)
        events = events + over
        if register.overflow is Overflow.SATURATE:
            return np.clip(value, register.minimum, register.maximum)
        if register.overflow is Overflow.WRAP:
            return (value - register.minimum) % (1 << register.bits) + register.minimum
        return value

    total = put(accumulator, total)
    position = 0
    for length in segments:
        partial = np.zeros(shape, np.int64)
        for first in range(position, position + length, tree):
            last = min(first + tree, position + length)
            partial = put(psum, partial + a[:, first:last].astype(np.int64) @ w[first:last].astype(np.int64))
        position += length
        total = put(accumulator, total + partial)
    return total, events, peaks


def operands(m, k, n, a_bits, w_bits, seed, spread=1.0, zeros=0.0):
    random = np.random.default_rng(seed)
    a, w = (
        np.clip(np.rint(random.normal(0, spread * 2 ** (bits - 2), size)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        for bits, size in ((a_bits, (m, k)), (w_bits, (k, n)))
    )
    return (a * (random.random(a.shape) >= zeros)).astype(np.int64), w.astype(np.int64)


def check(a, w, segments, psum, accumulator, start=0, tree=1):
    got = accumulate(a, w, segments, psum, accumulator, start, tree=tree)
    values, events, peaks = array_loop(a, w, segments, psum, accumulator, start, tree)
    np.testing.assert_array_equal(got.values, values)
    np.testing.assert_array_equal(got.events, events)
    np.testing.assert_array_equal(got.peaks, peaks)
    return events


@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("bits", [6, 12, 15, 16, 17, 20, 31, 32, 40])
@pytest.mark.parametrize("a_bits", [4, 8, 15])
def test_every_width_and_rule(bits, overflow, a_bits):
    a, w = operands(37, 600, 70, a_bits, 8, seed=bits, spread=1.5, zeros=0.3)
    psum = Accumulator(bits=bits, overflow=overflow)
    over = check(a, w, [600], psum, WIDE)
    if 2 ** (bits + 5) < 2**a_bits * 2**8:
        assert over.any()


@pytest.mark.parametrize("tree", [2, 3, 16, 130, 10**6])
@pytest.mark.parametrize("text", ["int12:saturate", "int16:saturate", "int18:wrap", "int16:exact", "int24:saturate"])
def test_trees(tree, text):
    for seed, (a_bits, segments) in enumerate([(3, [300]), (8, [300]), (8, [16] * 18 + [12]), (8, [1] * 300)]):
        a, w = operands(5, 300, 70, a_bits, 8, seed=seed, zeros=0.5)
        check(a, w, segments, Accumulator.parse(text), Accumulator.parse("int20:saturate"), start=seed * 999, tree=tree)


@pytest.mark.parametrize("text", ["int9:saturate", "int16:saturate", "int22:wrap", "exact"])
@pytest.mark.parametrize("accumulator", ["int16:saturate", "int20:wrap", "int20:exact", "int60:saturate"])
@pytest.mark.parametrize("fold", [1, 20, 200])
def test_two_registers(text, accumulator, fold):
    a, w = operands(9, 200, 40, 8, 8, seed=fold)
    start = np.random.default_rng(0).integers(-(2**19), 2**19, 40)
    check(a, w, [fold] * (200 // fold), Accumulator.parse(text), Accumulator.parse(accumulator), start)


@pytest.mark.parametrize("k", [255, 256, 257, 1500])
@pytest.mark.parametrize("text", ["int8:saturate", "int16:saturate", "int19:saturate"])
@pytest.mark.parametrize("share", [0.0, 0.01, 1.0])
def test_from_no_overflow_to_all(k, text, share):
    """None, some, all of the columns overflow; where all do, the optimistic pass ends early."""
    register = Accumulator.parse(text)
    a, w = operands(33, k, 130, 8, 8, seed=k)
    w[:, np.random.default_rng(k).random(130) >= share] //= 64
    if share == 1:
        a, w = np.abs(a), np.abs(w)
    over = check(a, w, [k], register, WIDE)
    assert over.all() or share < 1
    assert not over.any() or share > 0 or register.bits < 19


@pytest.mark.parametrize("end", [32767, -32768])
@pytest.mark.parametrize("excess", [0, 1])
def test_a_16_bit_register_exactly_at_its_end(end, excess):
    """Reaching the end is no event, one more is; the lanes see the same 16 bits for both."""
    a = np.array([[1, 1, 1, 0, 1, -1]])
    w = np.repeat([[end - end // 2], [end // 2], [np.sign(end) * excess], [5], [-np.sign(end) * 7], [1]], 3, axis=1)
    over = check(a, w, [6], Accumulator.parse("int16:saturate"), WIDE)
    assert (over == excess).all()


@pytest.mark.parametrize("shape", [(1, 9, 200), (200, 9, 1), (3, 9, 65), (64, 9, 3), (0, 9, 5), (5, 9, 0), (33, 1, 33)])
def test_shapes(shape):
    a, w = operands(*shape, 8, 8, seed=1)
    check(a, w, [shape[1]], Accumulator.parse("int12:saturate"), WIDE, start=np.arange(shape[2]))


def test_a_16_bit_register_that_touches_both_ends_in_every_lane():
    """No event, yet every lane is in doubt early on; the larger magnitude comes long after."""
    w = np.zeros((600, 64), np.int64)
    w[0], w[400], w[401], w[402], w[403] = 32767, -32767, -32767, -1, 5
    over = check(np.ones((1, 600), np.int64), w, [600], Accumulator.parse("int16:saturate"), WIDE)
    assert not over.any()


@pytest.mark.parametrize("overflow", [Overflow.SATURATE, Overflow.WRAP])
@pytest.mark.parametrize(("bits", "x", "w"), [(31, 40_000, 50_000), (15, 200, 160), (16, 200, 160), (12, 181, 181)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_full_register_and_one_more_product_do_not_leave_the_lane(overflow, bits, x, w, sign):
    """The register at its end plus the widest product: beyond 32 bits, or beyond 16."""
    a, columns = np.full((1, 5), x), np.full((5, 2), sign * w)
    over = check(a, columns, [5], Accumulator(bits=bits, overflow=overflow), Accumulator())
    assert over.any()


def test_more_products_than_a_16_bit_counter_holds():
    a, w = np.full((1, 40_000), 7), np.ones((40_000, 2), np.int64)
    over = check(a, w, [40_000], Accumulator.parse("int4:saturate"), WIDE)
    assert (over == 39_999).all()


@pytest.mark.parametrize("text", ["int12:saturate", "int12:wrap", "int12:exact"])
def test_all_lanes_agree(monkeypatch, text):
    """Each lane type, forced where it is not the narrowest that is exact."""
    a, w = operands(20, 300, 70, 6, 6, seed=4)
    want = accumulate(a, w, [100, 200], Accumulator.parse(text), WIDE, 5)
    choices = [
        Lanes(sums=np.int16, totals=np.int32, recount=np.int32),
        Lanes(sums=np.int16, totals=np.int64, recount=np.int32),
        Lanes(sums=np.int32, totals=np.int32, recount=np.int32),
        Lanes(sums=np.int64, totals=np.int64, recount=np.int64),
    ]
    if text.endswith("saturate"):
        choices.append(Lanes(sums=np.int16, totals=np.int32, recount=np.int16))
    for lanes in choices:
        monkeypatch.setattr(module, "choose_lanes", lambda *_, lanes=lanes: lanes)
        got = accumulate(a, w, [100, 200], Accumulator.parse(text), WIDE, 5)
        for name in ("values", "events", "peaks"):
            np.testing.assert_array_equal(getattr(got, name), getattr(want, name))
