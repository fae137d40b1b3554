"""Every picojoule is a row of the ledger times a price."""

import pytest

from hwsim.cost.energy import access_pj, component_of, compute_pj, energy_table
from hwsim.cost.ledger import Access, Compute, Cycles, LayerCost
from hwsim.energy import load_table
from tests.cost.machines import machine

TABLE = load_table("generic_45nm")


@pytest.mark.parametrize(("size", "port", "width"), [(1 << 16, 128, 128), (1 << 16, 2048, 2048), (8, 128, 64)])
@pytest.mark.parametrize("action", ["read", "write"])
def test_memory_energy_is_bits_over_port_times_price(size, port, width, action):
    accelerator = machine(size=size, port=port)
    row = Access(memory="ifmaps", operand="ifmap", action=action, count=1000, bits=5)
    price = TABLE.sram_read_pj if action == "read" else TABLE.sram_write_pj
    assert access_pj(row, accelerator, TABLE) == pytest.approx(5000 / width * price(size, width))


def test_dram_is_priced_by_the_bit():
    row = Access(memory="dram", operand="bias", action="read", count=10, bits=32)
    assert access_pj(row, machine(), TABLE) == pytest.approx(320 * TABLE.dram_pj_per_bit("lpddr4"))


@pytest.mark.parametrize(
    ("row", "price"),
    [
        (
            Compute(unit="array", action="multiply_add", count=3, a_bits=8, b_bits=4, sum_bits=20),
            TABLE.mac_pj(8, 4, 20),
        ),
        (Compute(unit="array_register", action="psum", count=3, a_bits=20), TABLE.register_write_pj(20)),
        (Compute(unit="accumulator", action="add", count=3, a_bits=32), TABLE.add_pj(32)),
        (Compute(unit="column_sum", action="add", count=3, a_bits=32), TABLE.add_pj(32)),
        (Compute(unit="column_sum", action="multiply", count=3, a_bits=32, b_bits=8), TABLE.multiply_pj(32, 8)),
        (
            Compute(unit="requantizer", action="fixed_point", count=3, a_bits=32, b_bits=16),
            TABLE.requantize_pj("fixed_point", 32, 16),
        ),
        (Compute(unit="vector", action="exp", count=3, a_bits=32), TABLE.vector_op_pj("exp", 32)),
    ],
)
def test_arithmetic(row, price):
    assert compute_pj(row, TABLE) == pytest.approx(3 * price)
    assert component_of(row)[0] in (
        "mac", "array_registers", "accumulator_adders", "column_sums", "requantizer", "vector",
    )  # fmt: skip


def test_clock_takes_its_share_of_what_is_on_chip_and_leakage_of_time():
    accelerator = machine()
    accesses = (
        Access(memory="dram", operand="ifmap", action="read", count=100, bits=8),
        Access(memory="ifmaps", operand="ifmap", action="read", count=100, bits=8),
    )
    cost = LayerCost(accesses=accesses, cycles=Cycles(compute=500, stall_ifmap=500))
    table = energy_table({"a": cost, "b": cost}, accelerator, TABLE, leakage_mw=2.0)
    first = {row["component"]: row["energy_pj"] for row in table.where(layer="a").rows()}
    assert first["clock"] == pytest.approx(first["ifmaps"] * TABLE.clock_overhead)
    assert first["leakage"] == pytest.approx(2e-3 * (1000 / 500e6) * 1e12)  # 2 mW for 2 us
    assert table.sum("energy_pj") == pytest.approx(2 * sum(first.values()))
