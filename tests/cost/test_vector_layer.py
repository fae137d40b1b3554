"""The vector unit streams: the slowest of lanes, requantizers, channel and ports, and the first access."""

from dataclasses import replace

import pytest

from hwsim.cost.vector_layer import vector_layer
from hwsim.mapping.tasks import Stream, VectorWork
from tests.cost.machines import machine


def cost(operations=(), outputs=0, elements=100, **keys):
    work = VectorWork(
        operations=operations, bits=8, outputs=outputs,
        reads=(Stream(operand="ifmap", elements=elements, bits=8), Stream(operand="weight", elements=10, bits=4)),
        writes=(Stream(operand="ofmap", elements=elements, bits=8),),
    )  # fmt: skip
    accelerator = machine(**({"vector": {"lanes": 4, "requantizer_lanes": 2}} | keys))
    return vector_layer(work, accelerator, accelerator.datapath)


@pytest.mark.parametrize(
    ("keys", "vector", "total"),
    [
        ({"operations": (("multiply", 201), ("add", 100))}, 51 + 25, 76),  # lanes
        ({"outputs": 200}, 100, 100),  # requantizers, two a cycle
        ({"dram": {"bits_per_cycle": 2, "latency_cycles": 7}}, 0, 820 + 7),  # (100 + 100) * 8 + 10 * 4 bits
        ({"port": 1}, 0, 800 + 10),  # the ifmap's or the ofmap's port
    ],
)
def test_cycles(keys, vector, total):
    cycles = cost(**keys).cycles
    assert (cycles.vector, cycles.total) == (vector, total)


def test_every_operand_passes_its_memory_once():
    ledger = {(a.memory, a.operand, a.action): a.count * a.bits for a in cost().accesses}
    assert ledger == {
        ("dram", "ifmap", "read"): 800, ("ifmaps", "ifmap", "write"): 800, ("ifmaps", "ifmap", "read"): 800,
        ("dram", "weight", "read"): 40, ("weights", "weight", "write"): 40, ("weights", "weight", "read"): 40,
        ("ofmaps", "ofmap", "write"): 800, ("ofmaps", "ofmap", "read"): 800, ("dram", "ofmap", "write"): 800,
    }  # fmt: skip


def test_arithmetic():
    compute = cost(operations=(("compare", 0), ("add", 7)), outputs=3).compute
    assert [(c.unit, c.action, c.count, c.a_bits) for c in compute] == [
        ("vector", "add", 7, 8),
        ("requantizer", "fixed_point", 3, 32),
    ]


def test_scales_of_channels_are_read_as_the_requantizer_is_told_them():
    accelerator = machine(datapath={"requantizer": "fixed_point:16:half_up"})
    stream = Stream(operand="ifmap", elements=80, bits=8)
    work = VectorWork(operations=(("multiply", 80),), bits=8, outputs=80, reads=(stream,), writes=(stream,))
    one, many = (vector_layer(replace(work, scales=count), accelerator, accelerator.datapath) for count in (0, 5))
    added = [access for access in many.accesses if access not in one.accesses]
    assert {(access.operand, access.action, access.count, access.bits) for access in added} == {
        ("weight", "read", 5, 16 + 8), ("weight", "write", 5, 16 + 8)
    }  # fmt: skip
