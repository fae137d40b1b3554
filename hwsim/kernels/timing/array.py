"""The array's own cycles for one tile."""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel


@kernel
def ceil_div(a: int, b: int) -> int:
    """Return ``ceil(a / b)``."""
    return -(-a // b)


@kernel
def pick(dim: int, m: int, k: int, n: int) -> int:
    """Return the size along dimension 0, 1, 2 = m, k, n."""
    return m if dim == 0 else (k if dim == 1 else n)


@kernel
def kept(machine: Any, k: int) -> int:
    """Return the products along ``k`` that are computed: of sparse weights those that are kept."""
    return k // machine.block * machine.keep


@kernel
def stream_cycles(machine: Any, size: int) -> int:
    """Return the cycles in which ``size`` of the streamed dimension enters."""
    if machine.time_dim == 1:
        vectors = ceil_div(kept(machine, size), machine.k_lanes)
    else:
        vectors = ceil_div(size, machine.n_lanes) if machine.time_dim == 2 else size
    return vectors * machine.cycles_per_vector


@kernel
def last_cycles(machine: Any, stream: int) -> int:
    """Return ``fold_cycles`` of a fold that none follows."""
    held = ceil_div(stream, machine.stream_block) * machine.stream_block if machine.time_dim == 1 else stream
    return held if machine.overlap_drain else held + machine.down + machine.out


@kernel
def fold_cycles(machine: Any, stream: int) -> int:
    """Return the cycles from a fold's first streamed operand until the next fold may stream, loads not counted."""
    blocks = ceil_div(stream, machine.stream_block) * machine.stream_block
    return blocks if machine.overlap_drain else max(blocks, last_cycles(machine, stream))


@kernel
def exposed_cycles(machine: Any, before: int, stream: int) -> int:
    """Return the idle cycles in front of a fold of ``stream`` cycles that follows one of ``before`` cycles."""
    if machine.time_dim == 1:
        if not machine.overlap_drain:
            return 0
        if machine.in_one_piece:
            return 0 if stream >= machine.hidden_from else machine.down + machine.out
        return max(machine.drain - fold_cycles(machine, stream), 0)
    return max(machine.load - fold_cycles(machine, before), 0) if machine.overlap_load else machine.load
