"""Saturation after every product, in order, with all counters: rates with their goals and a plain loop as peer.

Run ``python reports/benchmarks/ordered.py``; writes ``ordered.csv`` beside this file. Rates are in 1e9 products per second
of processor time, the best of several runs. The goals are those of a machine with AVX-512, or half of them without. "proven": bounds
prove that nothing can overflow, so that an exact matrix product does. "none": nothing overflows, but no bound says so.
"1 %" and "all": as many outputs overflow, and are followed addition by addition.
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
from hwsim.kernels.mac import accumulate_gemm
from hwsim.numerics.accumulator import Accumulator, Overflow

M, K, N = 256, 1024, 512
RUNS = 15
WIDE = Accumulator.parse("int32:wrap")
GOALS = {14: 100.0, 16: 180.0, 20: 50.0}  # AVX-512
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


def operands(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return int8 operands without zeros, which would be skipped; a larger ``scale`` makes larger weights."""
    random = np.random.default_rng(0)
    a = np.clip(np.rint(random.normal(0, 40, (M, K))), -127, 127)
    w = np.clip(np.rint(random.normal(0, 40, (K, N)) * min(scale, 1)), -127, 127) + max(scale - 1, 0)
    a[a == 0] = 1
    return np.abs(a) if scale > 1 else a, np.clip(w, -127, 127)


def with_share(register: Accumulator, low: float, high: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return operands of which such a share of the outputs overflows, and the share, or as near as int8 comes to it."""
    below, above = 0.0, 130.0
    found = 0.0
    for _ in range(40):
        scale = (below + above) / 2
        a, w = (x.astype(np.int64) for x in operands(scale))
        done = accumulate(a[:64], w, [K], register, WIDE)
        found = np.count_nonzero(done.events) / done.events.size
        if low <= found <= high:
            break
        below, above = (scale, above) if found < low else (below, scale)
    return a, w, found


def rows(bits: int) -> list[tuple[str, float, float, float]]:
    """Return (what, our rate, goal, the peer's rate) for one register."""
    register = Accumulator(bits=bits, overflow=Overflow.SATURATE)
    has_avx512 = llvm.get_host_cpu_features().get("avx512bw", False)
    goal = GOALS[bits] if has_avx512 else GOALS[bits] / 2
    found = []
    for name, (low, high) in SHARES.items():
        a, w, share = with_share(register, low, high)
        narrow = a.astype(np.int16), w.astype(np.int16)
        peer_operands = a.astype(np.int32), w.astype(np.int32)

        def peer(x: np.ndarray = peer_operands[0], y: np.ndarray = peer_operands[1]) -> tuple[np.ndarray, ...]:
            out = tuple(np.zeros((M, N), np.int32) for _ in range(3))
            plain(x, y, np.int32(register.minimum), np.int32(register.maximum), *out)
            return out

        ours = accumulate(*narrow, [K], register, WIDE)
        for mine, theirs in zip((ours.values, ours.events, ours.peaks), peer(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        if name == "none":
            wide = Accumulator(bits=31, overflow=Overflow.SATURATE)
            proven = rate(
                lambda x=narrow[0], y=narrow[1], r=wide: accumulate_gemm(
                    x, y, [K], psum=r, accumulator=WIDE, a_range=(-127, 127)
                )
            )
            found.append((f"int{bits}, proven", proven, goal, rate(peer)))
        what = f"int{bits}, {name} overflow ({share:.1%})"
        found.append(
            (what, rate(lambda x=narrow[0], y=narrow[1]: accumulate(x, y, [K], register, WIDE)), goal, rate(peer))
        )
    return found


def main() -> None:
    with (Path(__file__).parent / "ordered.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ("what", "gmac_per_s", "goal_gmac_per_s", "ratio_to_goal", "plain_loop_gmac_per_s", "ratio_to_peer")
        )
        for bits in GOALS:
            for what, ours, goal, peer in rows(bits):
                writer.writerow((what, f"{ours:.1f}", goal, f"{ours / goal:.2f}", f"{peer:.2f}", f"{ours / peer:.1f}"))
                print(f"{what:34} {ours:6.1f} GMAC/s   goal {goal:g}   plain loop {peer:.2f}   {ours / peer:.1f}x")


if __name__ == "__main__":
    main()
