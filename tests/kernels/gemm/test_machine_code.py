"""The machine code of the tiles, for processors that may not be this one."""

import re

import pytest
from llvmlite import binding, ir

from hwsim.kernels.gemm.route import AVX2, AVX2_BYTES, AVX512, AVX_VNNI, ROUTES, VNNI
from hwsim.kernels.gemm.tile import tile_function

TRIPLE = "x86_64-unknown-linux-gnu"
CASES = [
    (VNNI, "icelake-server", "vpdpbusd", "zmm"),
    (VNNI, "znver4", "vpdpbusd", "zmm"),
    (AVX_VNNI, "alderlake", "vpdpbusd", "ymm"),
    (AVX512, "skylake-avx512", "vpmaddwd", "zmm"),
    (AVX512, "icelake-server", "vpdpwssd", "zmm"),
    (AVX2, "haswell", "vpmaddwd", "ymm"),
    (AVX2, "znver3", "vpmaddwd", "ymm"),
    (AVX2_BYTES, "haswell", "vpmaddubsw", "ymm"),
    (AVX2_BYTES, "znver3", "vpmaddubsw", "ymm"),
]


def assembly(route, processor):
    """Return the optimized assembly of one tile function, compiled as numba does."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = ir.Module("tile")
    module.triple = TRIPLE
    tile_function(module, route).linkage = "external"
    parsed = binding.parse_assembly(str(module))
    machine = binding.Target.from_triple(TRIPLE).create_target_machine(cpu=processor, opt=3)
    options = binding.create_pipeline_tuning_options(speed_level=3)
    builder = binding.create_pass_builder(machine, options)
    builder.getModulePassManager().run(parsed, builder)
    return machine.emit_assembly(parsed)


@pytest.mark.parametrize(("index", "processor", "instruction", "register"), CASES)
def test_the_loop_is_dot_products_on_registers(index, processor, instruction, register):
    """One instruction per vector of sums, in a loop that touches memory for its operands only."""
    route = ROUTES[index]
    text = assembly(route, processor)
    vectors = route.rows * route.vectors
    loop = next(part for part in re.split(r"^\.LBB.*:", text, flags=re.MULTILINE) if instruction in part)
    loop = loop[: re.search(r"\tj[a-z]+\t", loop).start()]
    assert len(re.findall(rf"{instruction}\t.*%{register}", text)) == vectors
    assert len(re.findall(rf"{instruction}\t.*%{register}", loop)) == vectors
    stored = re.findall(r"\tvmov\w+\t%[xyz]mm\d+, .*\(", loop)
    on_stack = re.findall(r"%[xyz]mm\d+.*\(%rsp\)|\(%rsp\).*%[xyz]mm", loop)
    loads = [line for line in loop.splitlines() if "(%r" in line and "%rsp" not in line and register in line]
    assert len(loads) == route.rows + route.vectors
    # The ones that vpmaddubsw needs are a register too many: one sum goes to the stack and back.
    spills = 1 if index == AVX2_BYTES else 0
    assert (len(stored), len(on_stack)) == (spills, 2 * spills)
