"""Which vector instructions kernels may name: those of the machine code that numba writes on this computer.

numba compiles for the host unless ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` say otherwise, and an instruction outside
that target ends the process. So the features are read from numba's own code generator, which also puts them into the key of
every compiled kernel on disk: a cache folder shared by different computers serves each its own code.
"""

from __future__ import annotations

from functools import cache


def features_of(text: str) -> frozenset[str]:
    """Return the features that an LLVM feature string switches on.

    >>> sorted(features_of("+avx2,-avx512f,+fma"))
    ['avx2', 'fma']
    """
    return frozenset(word[1:] for word in text.split(",") if word.startswith("+"))


@cache
def features() -> frozenset[str]:
    """Return the features of numba's target by LLVM's names (``avx2``, ``avx512vnni``)."""
    from numba.core.registry import cpu_target

    _, _, text = cpu_target.target_context.codegen().magic_tuple()
    return features_of(text)
