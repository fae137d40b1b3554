"""What all processing elements do in one cycle: flat loops over planes, one plane per register.

A plane is where it begins in ``memory``; beginnings and ``size`` are unsigned, so that the loops become vector code.
"""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel


@kernel
def move(memory: Any, size: Any, source: Any, target: Any) -> None:
    """Copy a plane."""
    for i in range(size):
        memory[target + i] = memory[source + i]


@kernel
def multiply(memory: Any, size: Any, left: Any, above: Any, product: Any) -> None:
    """Multiply operands that both move."""
    for i in range(size):
        memory[product + i] = memory[left + i] * memory[above + i]


@kernel
def multiply_held(memory: Any, size: Any, left: Any, held: Any, control: Any, product: Any) -> None:
    """Multiply by the stationary register in use (bit 0 of the control word)."""
    other = held + size
    for i in range(size):
        use = -(memory[control + i] & 1)
        factor = memory[held + i] ^ ((memory[held + i] ^ memory[other + i]) & use)
        memory[product + i] = memory[left + i] * factor


@kernel
def add(memory: Any, size: Any, above: Any, product: Any, low: Any, high: Any, mask: Any, below: Any) -> None:
    """Add products to the partial sums from above, and reduce."""
    for i in range(size):
        memory[below + i] = ((memory[above + i] + memory[product + i] - low) & mask) + low
        memory[below + i] = min(max(memory[below + i], low), high)


@kernel
def accumulate(
    memory: Any, size: Any, held: Any, control: Any, product: Any, low: Any, high: Any, mask: Any, total: Any
) -> None:
    """Add products to the register in use, or to zero where bit 3 says that a fold begins, and reduce."""
    other = held + size
    for i in range(size):
        word = memory[control + i]
        old = memory[held + i] ^ ((memory[held + i] ^ memory[other + i]) & -(word & 1))
        old = old & (((word >> 3) & 1) - 1)
        memory[total + i] = ((old + memory[product + i] - low) & mask) + low
        memory[total + i] = min(max(memory[total + i], low), high)


@kernel
def pass_on(memory: Any, size: Any, held: Any, control: Any, entering: Any, leaving: Any) -> None:
    """Hand on the chain's register (bit 1), and take what enters where bit 2 says shift."""
    other = held + size
    for i in range(size):
        word = memory[control + i]
        bank, shift = -((word >> 1) & 1), -((word >> 2) & 1)
        first, second, new = memory[held + i], memory[other + i], memory[entering + i]
        memory[leaving + i] = first ^ ((first ^ second) & bank)
        memory[held + i] = first ^ ((first ^ new) & (shift & ~bank))
        memory[other + i] = second ^ ((second ^ new) & (shift & bank))


@kernel
def pass_results_on(memory: Any, size: Any, held: Any, control: Any, total: Any, entering: Any, leaving: Any) -> None:
    """Do as ``pass_on`` while the register in use takes its new total; a shift wins where both are one."""
    other = held + size
    for i in range(size):
        word = memory[control + i]
        use, bank, shift = -(word & 1), -((word >> 1) & 1), -((word >> 2) & 1)
        first, second, new = memory[held + i], memory[other + i], memory[entering + i]
        memory[leaving + i] = first ^ ((first ^ second) & bank)
        first = first ^ ((first ^ memory[total + i]) & ~use)
        second = second ^ ((second ^ memory[total + i]) & use)
        memory[held + i] = first ^ ((first ^ new) & (shift & ~bank))
        memory[other + i] = second ^ ((second ^ new) & (shift & bank))
