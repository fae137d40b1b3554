import os
import subprocess
import sys

import pytest
from numba.core.registry import cpu_target

from hwsim.kernels import cpu
from hwsim.kernels.gemm.drive import DRIVERS
from hwsim.kernels.gemm.route import ROUTES

PROBE = """
from hwsim.kernels import cpu
from hwsim.kernels.gemm.route import candidates
print(",".join(sorted(cpu.features())) or "none", [route.name for route in candidates(None)])
"""


def probe(**environment):
    """Return the features and the automatic routes of a fresh process."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_", "HWSIM_GEMM"))}
    clean["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=clean | environment
    )
    features, routes = done.stdout.strip().split(" ", 1)
    return set(features.split(",")) - {"none"}, routes


def test_the_features_are_those_numba_compiles_for():
    _, _, text = cpu_target.target_context.codegen().magic_tuple()
    for name in cpu.features():
        assert f"+{name}" in text.split(",")


def test_a_target_stated_for_numba_decides():
    """The routes follow what numba would write, not what the processor could run."""
    assert probe(NUMBA_CPU_NAME="generic") == (set(), "[]")
    features, routes = probe(NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="+avx,+avx2,-avx512f")
    assert (features, routes) == ({"avx", "avx2"}, "['avx2_bytes', 'avx2']")


def test_a_cache_on_disk_keeps_targets_apart():
    """numba's key of a compiled function holds the processor and its features, beside the signature."""
    codegen = cpu_target.target_context.codegen()
    key = DRIVERS["avx2"]._cache._index_key(("signature",), codegen)
    assert codegen.magic_tuple() in key


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.is_runnable], ids=lambda route: route.name)
def test_code_that_this_processor_lacks_is_never_compiled(route):
    assert not DRIVERS[route.name].signatures
