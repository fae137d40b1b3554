"""Saturation after every product, in order, with all counters: rates with their goals and a plain loop as peer.

Run ``python reports/benchmarks/ordered.py``; writes ``ordered.csv`` beside this file. Rates are in 1e9 products per second
of processor time, the best of several runs. The goals are those of a machine with AVX-512, or half of them without. No, 1 % or
all of the outputs overflow; where operands cannot do that to a register the row is missing. "Behind the proof" is the whole
front, which first looks for bounds that make the ordered sums unnecessary.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np

from hwsim.kernels.accumulate import accumulate
from hwsim.kernels.mac import Accumulation, accumulate_gemm
from hwsim.numerics.accumulator import Accumulator, Overflow

M, K, N = 256, 1024, 512
RUNS = 15
WIDE = Accumulator.parse("int32:wrap")
GOALS = {12: 100.0, 15: 100.0, 16: 180.0, 20: 50.0, 24: 50.0, 31: 50.0}  # AVX-512
OPERAND_BITS = (8, 4)
SHARES = {"none": (0.0, 0.0), "1 %": (0.005, 0.02), "all": (0.97, 1.0)}


@numba.njit
def plain(a: Any, w: Any, low: Any, high: Any, values: Any, events: Any, peaks: Any) -> None:
    """The peer: three loops, the innermost over outputs, as LLVM vectorizes them."""
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            x = a[i, p]
            for j in range(w.shape[1]):
                total = np.int32(values[i, j] + np.int32(x * w[p, j]))
                kept = min(max(total, low), high)
                events[i, j] += np.int32(kept != total)
                peaks[i, j] = max(peaks[i, j], np.int32(abs(total)))
                values[i, j] = kept


def rate(action: Callable[[], object]) -> float:
    """Return 1e9 products per second of processor time, of the fastest run."""
    action()
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return M * K * N / best / 1e9


def operands(bits: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return operands of so many bits, activations without zeros, which would be skipped; ``scale`` makes larger weights."""
    random = np.random.default_rng(0)
    most, spread = (1 << (bits - 1)) - 1, 40 / 128 * (1 << (bits - 1))
    a = np.clip(np.rint(random.normal(0, spread, (M, K))), -most, most)
    w = np.clip(np.rint(random.normal(0, spread, (K, N)) * min(scale, 1)), -most, most) + max(scale - 1, 0)
    a[a == 0] = 1
    return np.abs(a) if scale > 1 else a, np.clip(np.rint(w), -most, most)


def with_share(bits: int, register: Accumulator, low: float, high: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return operands of which such a share of the outputs overflows, and the share; or as near as they come to it."""
    below, above = 0.0, 1 + float(1 << (bits - 1))
    found = 0.0
    for _ in range(40):
        scale = (below + above) / 2
        a, w = (x.astype(np.int16) for x in operands(bits, scale))
        done = accumulate(a[:64], w, [K], register, WIDE)
        found = np.count_nonzero(done.events) / done.events.size
        if low <= found <= high:
            break
        below, above = (scale, above) if found < low else (below, scale)
    return a, w, found


def measure(a: np.ndarray, w: np.ndarray, register: Accumulator) -> tuple[float, float, float]:
    """Return the rates of the ordered accumulation, of the proving front before it, and of the peer, whose results agree."""
    peer_operands = a.astype(np.int32), w.astype(np.int32)

    def peer() -> tuple[np.ndarray, ...]:
        out = tuple(np.zeros((M, N), np.int32) for _ in range(3))
        plain(*peer_operands, np.int32(register.minimum), np.int32(register.maximum), *out)
        return out

    def front() -> Accumulation:
        return accumulate_gemm(a, w, [K], psum=register, accumulator=WIDE, a_range=(int(a.min()), int(a.max())))

    values, events, peaks = peer()
    ours = accumulate(a, w, [K], register, WIDE)
    np.testing.assert_array_equal(ours.values, values)
    np.testing.assert_array_equal(ours.events, events)
    np.testing.assert_array_equal(front().values, values)
    assert ours.peak == peaks.max()
    return rate(lambda: accumulate(a, w, [K], register, WIDE)), rate(front), rate(peer)


def rows(bits: int, width: int) -> list[tuple[str, float, float, float, float]]:
    """Return (what, our rate, goal, the front's rate, the peer's rate) for operands and a register of so many bits."""
    register = Accumulator(bits=width, overflow=Overflow.SATURATE)
    has_avx512 = llvm.get_host_cpu_features().get("avx512bw", False)
    goal = GOALS[width] if has_avx512 else GOALS[width] / 2
    found = []
    for name, (low, high) in SHARES.items():
        a, w, share = with_share(bits, register, low, high)
        if low <= share <= high:
            ours, front, peer = measure(a, w, register)
            found.append(
                (f"int{bits} x int{bits} in int{width}, {name} overflow ({share:.1%})", ours, goal, front, peer)
            )
    return found


def main() -> None:
    with (Path(__file__).parent / "ordered.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            (
                "what",
                "gmac_per_s",
                "goal_gmac_per_s",
                "ratio_to_goal",
                "behind_the_proof_gmac_per_s",
                "plain_loop_gmac_per_s",
                "ratio_to_peer",
            )
        )
        for bits in OPERAND_BITS:
            for width in GOALS:
                for what, ours, goal, front, peer in rows(bits, width):
                    numbers = (
                        f"{ours:.1f}",
                        goal,
                        f"{ours / goal:.2f}",
                        f"{front:.1f}",
                        f"{peer:.2f}",
                        f"{ours / peer:.1f}",
                    )
                    writer.writerow((what, *numbers))
                    print(f"{what:46}", *(f"{number:>6}" for number in numbers))


if __name__ == "__main__":
    main()
