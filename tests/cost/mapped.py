"""Drawn machines with any memories, and mappings with blocks, groups, lanes and residency on them."""

from dataclasses import replace

from hypothesis import strategies as st

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.mac import MacShape
from hwsim.mapping.check import keeps_blocks, most_groups_in_array
from hwsim.mapping.mapping import Block, Mapping
from hwsim.numerics.formats import parse_format
from tests.cost.machines import arrays, gemms

PORTS = (8, 24, 64, 1024)
TABLE = parse_format("power4:0.7@8")
HOMES = (
    (("ifmap",), ("weight",), ("ofmap",), ("psum",)),
    (("ifmap", "weight"), ("ofmap", "psum")),
    (("ifmap", "weight", "ofmap", "psum"),),
    (("ifmap", "ofmap"), ("weight",), ("psum",)),
)
BEHIND = (("ifmap",), ("weight",), ("ofmap",), ("ifmap", "weight"), ("ifmap", "weight", "ofmap"))


@st.composite
def memories(draw, levels=3, size=1 << 20):
    """One to three levels of memories with any ports."""
    held = [(1, holds) for holds in draw(st.sampled_from(HOMES))]
    held += [(level, draw(st.sampled_from(BEHIND))) for level in range(2, draw(st.integers(1, levels)) + 1)]
    return [
        {
            "name": f"m{i}", "holds": holds, "level": level, "size_bytes": size,
            "read_bits_per_cycle": draw(st.sampled_from(PORTS)), "write_bits_per_cycle": draw(st.sampled_from(PORTS)),
            "double_buffered": draw(st.booleans()), "ports": draw(st.sampled_from(["1rw", "1r1w"])),
            "banks": draw(st.integers(1, 2)),
        }
        for i, (level, holds) in enumerate(held)
    ]  # fmt: skip


@st.composite
def machines(draw, levels=3, size=1 << 20):
    """Machines of every microarchitecture with any memories."""
    array = draw(arrays) | {
        "drain_start": draw(st.sampled_from(["as_ready", "when_complete"])),
        "stream_block": draw(st.sampled_from([1, 1, 3])),
        "multiplier_latency_cycles": draw(st.integers(0, 2)),
        "adder_latency_cycles": draw(st.integers(0, 2)),
    }
    return Accelerator(
        name="drawn",
        clock_mhz=100.0,
        array=array,
        memory=draw(memories(levels, size)),
        vector={"requantizer_lanes": draw(st.sampled_from([1, 4, 4096]))},
        datapath={
            "bias": draw(st.sampled_from(["start", "end"])),
            "segment_scaling": draw(st.sampled_from(["fixed_point:16:8", "fixed_point:5:2", "shift:4", "float32"])),
            "requantizer": draw(st.sampled_from(["fixed_point", "fixed_point:12", "float32", "power_of_two"])),
        },
        dram={
            "bits_per_cycle": draw(st.sampled_from([8, 40, 64, 512])),
            "latency_cycles": draw(st.sampled_from([0, 10, 77])),
            "burst_bits": draw(st.sampled_from([1, 1, 64, 256])),
            "separate_writes": draw(st.booleans()),
        },
    )


@st.composite
def mac_shapes(draw, work, array):
    """Lanes, serial bits, and sparse weights where whole blocks of k allow them."""
    cycles = draw(st.integers(1, 3)) if array.stream_block == 1 else 1
    lanes = {"k_lanes": draw(st.integers(1, 3)), "n_lanes": draw(st.integers(1, 3)), "cycles_per_vector": cycles}
    along = work.window.channels if work.window else work.k
    sparse = along % 2 == 0 and keeps_blocks(work, 2) and draw(st.booleans())
    return MacShape(**lanes, **({"keep": 1, "block": 2} if sparse else {}))


@st.composite
def mapped(draw, machine):
    """Mappings of drawn work on ``machine``."""
    work = draw(gemms())
    if work.has_scales:
        work = replace(work, is_decoded=draw(st.booleans()))
    if draw(st.integers(0, 3)) == 0:
        work = replace(work, weight=TABLE, weight_asymmetric=False)
    mac = draw(mac_shapes(work, machine.array))
    window, levels = work.window, max(memory.level for memory in machine.memory)
    unit = (window.taps if window else 1) * mac.block
    keys = {
        "gemm": work, "array": machine.array, "mac": mac, "order": draw(st.sampled_from(["mnk", "nmk"])),
        "ifmap_on_chip": draw(st.booleans()), "ofmap_on_chip": draw(st.booleans()),
    }  # fmt: skip
    if draw(st.booleans()):
        whole = Mapping(**keys, tile_m=work.m, tile_k=work.k, tile_n=work.n)
        together = draw(st.integers(1, work.groups))
        shared = draw(st.integers(1, min(together, most_groups_in_array(whole))))
        return Mapping(
            **keys, tile_m=work.m, tile_k=work.k, tile_n=work.n, groups_together=together, groups_in_array=shared
        )
    tile_m, tile_n = draw(_m_sizes(work, 1, work.m)), draw(st.integers(1, work.n))
    blocks, m, n = [], work.m, work.n
    for level in range(levels, 1, -1):
        if draw(st.booleans()):
            m, n = draw(_m_sizes(work, tile_m, m)), draw(st.integers(tile_n, n))
            blocks.append(Block(level=level, m=m, n=n, order=draw(st.sampled_from(["mnk", "nmk"]))))
    tile_k = draw(st.integers(1, work.k // unit)) * unit
    return Mapping(**keys, tile_m=tile_m, tile_k=tile_k, tile_n=tile_n, blocks=tuple(blocks))


def _m_sizes(work, least, most):
    window = work.window
    if window is None:
        return st.integers(least, most)
    rows = range(window.out_width, window.image, window.out_width)
    images = range(window.image, work.m + 1, window.image)
    return st.sampled_from([size for size in (*rows, *images) if least <= size <= most])
