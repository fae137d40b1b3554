"""Every path of ordered accumulation against an array loop: lanes, chunks, pieces, doubts, early ends, trees, layouts."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim.kernels.accumulate as module
from hwsim.kernels.accumulate import accumulate
from hwsim.kernels.ordered import follow
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
    assert got.peak == peaks.max(initial=0)
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


@pytest.mark.parametrize(
    "text", ["int9:saturate", "int12:saturate", "int12:wrap", "int12:exact", "int16:saturate", "int18:saturate"]
)
@pytest.mark.parametrize("way", ["checkpoints", "tiles", "narrow tiles", "wide tiles", "outputs", "narrow outputs"])
def test_all_ways_agree(monkeypatch, text, way):
    """Proven or followed, in tiles or one by one, in wide lanes: forced where another way would be taken."""
    a, w = operands(40, 300, 70, 6, 6, seed=4)
    if way == "tiles":
        monkeypatch.setattr(module, "FEWEST_ROWS", 10**6)
    if way == "wide tiles":
        monkeypatch.setattr(follow, "choose_lane", lambda *_: np.int64)
    if way == "narrow tiles":
        monkeypatch.setattr(module, "_accumulate", lambda product, todo: product.follow_tiles(todo, may_be_narrow=True))
    if way.endswith("outputs"):
        every, is_narrow = np.arange(40 * 70), way == "narrow outputs"
        monkeypatch.setattr(
            module,
            "_accumulate",
            lambda product, _: reshaped(product.follow_outputs(every, may_be_narrow=is_narrow), product),
        )
    check(a, w, [100, 200], Accumulator.parse(text), WIDE, 5)
    check(a, w, [300], Accumulator.parse(text), WIDE, 5, tree=3)


def reshaped(outcome, product):
    shape = product.start.shape
    return replace(outcome, values=outcome.values.reshape(shape), events=outcome.events.reshape(shape))


@pytest.mark.parametrize("bits", [14, 16, 18, 20])
@pytest.mark.parametrize("position", [0, 31, 32, 40, 62, 63, 64, 1000])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_peak_inside_a_chunk(bits, position, sign):
    """One output rises to the register's end and falls again between two checkpoints, where its sums are small."""
    random = np.random.default_rng(position)
    a, w = random.integers(-3, 4, (50, 1024)), random.integers(-3, 4, (1024, 40))
    rise = (1 << (bits - 1)) - 2000
    a[7, position : position + 2] = sign * 1024
    w[position : position + 2, 9] = rise // 1024, -(rise // 1024)
    check(a, w, [1024], Accumulator(bits=bits, overflow=Overflow.SATURATE), WIDE)


@pytest.mark.parametrize("text", ["int12:saturate", "int16:saturate", "int18:wrap", "int20:saturate"])
def test_only_what_is_asked_for_counts(text):
    """The peak is that of the outputs asked for, on every way; a larger one beside them is not seen."""
    random = np.random.default_rng(3)
    for share in (0.01, 0.5):
        a, w = operands(60, 500, 90, 8, 8, seed=5)
        a[11] *= 2
        todo = random.random((60, 90)) < share
        todo[11] = False
        register = Accumulator.parse(text)
        got = accumulate(a, w, [500], register, WIDE, todo=todo)
        values, events, peaks = array_loop(a, w, [500], register, WIDE)
        assert (got.values[todo] == values[todo]).all()
        assert (got.events[todo] == events[todo]).all()
        assert got.peak == peaks[todo].max()
        assert got.peak < peaks.max() or events.all()


@pytest.mark.parametrize("fold", [16, 64, 100])
@pytest.mark.parametrize("psum", ["exact", "int15:saturate", "int17:saturate", "int24:wrap"])
def test_short_folds(fold, psum):
    """Folds shorter than a chunk: psum proven by norms, or followed fold by fold."""
    a, w = operands(30, 800, 40, 8, 8, seed=fold)
    check(
        a,
        w,
        [fold] * (800 // fold) + [800 % fold] * (800 % fold > 0),
        Accumulator.parse(psum),
        Accumulator.parse("int18:saturate"),
        start=-777,
    )


@pytest.mark.parametrize("bits", [12, 15, 16, 20])
def test_rows_that_suddenly_overflow(bits):
    """Half of the rows are proven before the others give up, in several products."""
    a, w = operands(400, 256, 33, 8, 8, seed=bits)
    a[:150] //= 32
    a[150:], w = 100 + a[150:] // 8, np.abs(w)
    a, w = a.reshape(2, 200, 256), np.stack([w, w // 2])
    register = Accumulator(bits=bits, overflow=Overflow.SATURATE)
    got = accumulate(a, w, [256], register, WIDE)
    for g in range(2):
        values, events, peaks = array_loop(a[g], w[g], [256], register, WIDE)
        assert (got.values[g] == values).all()
        assert (got.events[g] == events).all()
        assert got.peak >= peaks.max()
    assert got.peak == max(array_loop(a[g], w[g], [256], register, WIDE)[2].max() for g in range(2))
