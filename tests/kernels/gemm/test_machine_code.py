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
    """One instruction per vector of sums and word, in a loop that touches memory for its operands only."""
    route = ROUTES[index]
    text = assembly(route, processor)
    vectors, loads = route.rows * route.vectors, (route.rows + route.vectors) * route.depth
    bodies = [part for part in re.split(r"^\.LBB.*:", text, flags=re.MULTILINE) if instruction in part]
    # Pairs of words go a short and a long way, for which one sum more than there are registers waits on the stack.
    assert len(bodies) == route.depth
    spills = route.depth - 1
    for body in bodies:
        end = body.find("\tj", body.rindex(instruction))
        body = body[: end if end >= 0 else len(body)]
        assert len(re.findall(rf"{instruction}\t.*%{register}", body)) == vectors * route.depth
        read = [line for line in body.splitlines() if "(%r" in line and "%rsp" not in line and register in line]
        stored = re.findall(r"\tvmov\w+\t%[xyz]mm\d+, .*\(", body)
        on_stack = re.findall(r"%[xyz]mm\d+.*\(%rsp\)|\(%rsp\).*%[xyz]mm", body)
        assert (
            route.rows * route.depth <= len(read) <= loads + spills
        )  # the ones, too; weights may have been read for both ways
        assert (len(stored), len(on_stack)) == (spills, 2 * spills)


@pytest.mark.parametrize("processor", ["haswell", "znver3"])
def test_the_short_way_saves_products_with_ones(processor):
    route = ROUTES[AVX2_BYTES]
    bodies = [
        part for part in re.split(r"^\.LBB.*:", assembly(route, processor), flags=re.MULTILINE) if "vpmaddubsw" in part
    ]
    vectors = route.rows * route.vectors
    assert sorted(part.count("vpmaddwd") for part in bodies) == [vectors, 2 * vectors]
