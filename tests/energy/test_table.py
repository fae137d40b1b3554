"""Are prices positive and monotone in the bits, and composed and scaled as documented?"""

import inspect
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.energy import REQUANTIZE_SCHEMES, VECTOR_KINDS, EnergyTable, data_activity, load_table, table_names
from hwsim.energy.lawbook import FIXABLE
from hwsim.errors import HwsimError

TABLES = [load_table(name) for name in table_names()]
BITS = st.integers(1, 64)
BY_TABLE = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@BY_TABLE
def test_one_argument_prices_rise_with_bits(table):
    for price in (table.add_pj, table.register_write_pj, table.adder_area_um2, table.register_area_um2):
        values = [price(bits) for bits in range(1, 65)]
        assert values[0] > 0
        assert values == sorted(values), price


@BY_TABLE
def test_products_rise_with_either_width_and_are_symmetric(table):
    for price in (table.multiply_pj, table.multiplier_area_um2):
        for a in range(1, 65):
            for b in range(1, 65):
                value = price(a, b)
                assert value > 0
                assert value == pytest.approx(price(b, a))
                assert a == 1 or value > price(a - 1, b)
                assert b == 1 or value > price(a, b - 1)


@BY_TABLE
@settings(deadline=None)
@given(a=BITS, b=BITS, psum=BITS, more=st.integers(0, 16))
def test_a_mac_is_a_product_and_a_sum(table, a, b, psum, more):
    assert table.mac_pj(a, b, psum) == pytest.approx(table.multiply_pj(a, b) + table.add_pj(psum))
    assert table.mac_pj(a, b, psum) <= table.mac_pj(a, b, psum + more)


@BY_TABLE
@pytest.mark.parametrize("scheme", REQUANTIZE_SCHEMES)
@settings(deadline=None)
@given(acc=BITS, multiplier=BITS, more=st.integers(0, 16))
def test_requantizers_rise_with_either_width(table, scheme, acc, multiplier, more):
    for price in (table.requantize_pj, table.requantizer_area_um2):
        value = price(scheme, acc, multiplier)
        assert value > 0
        assert value <= price(scheme, acc + more, multiplier)
        assert value <= price(scheme, acc, multiplier + more)


@BY_TABLE
def test_a_shift_costs_less_than_a_multiplier_and_that_less_than_floats(table):
    shift, fixed, single = (table.requantize_pj(name, 32, 16) for name in ("power_of_two", "fixed_point", "float32"))
    assert shift < fixed < single


@BY_TABLE
@pytest.mark.parametrize("kind", VECTOR_KINDS)
def test_vector_operations_rise_with_bits(table, kind):
    values = [table.vector_op_pj(kind, bits) for bits in range(1, 65)]
    assert values[0] > 0
    assert values == sorted(values)


def test_compositions_by_hand(at_45nm):
    """Horowitz's fp32 multiply 3.7, add 0.9, fp16 1.1 and 0.4 pJ; add 3.1 fJ and register 5 fJ per bit."""
    assert at_45nm.requantize_pj("float32", 32, activity=1.0) == pytest.approx(0.9 + 3.7 + 0.9)
    assert at_45nm.requantize_pj("float32", 16, activity=1.0) == pytest.approx(0.45 + 3.7 + 0.9)
    assert at_45nm.requantize_pj("fixed_point", 32, 16, activity=1.0) == pytest.approx(
        0.5 * 3.85e-3 * (512 - 36) + 3.1e-3 * 48
    )
    assert at_45nm.requantize_pj("power_of_two", 32, activity=1.0) == pytest.approx(0.5 * 3.1e-3 * 32)
    assert at_45nm.vector_op_pj("exp", 32, activity=1.0) == pytest.approx(6 * (3.7 + 0.9) + 3.1e-3 * 8)
    assert at_45nm.vector_op_pj("exp", 16, activity=1.0) == pytest.approx(4 * (1.1 + 0.4) + 3.1e-3 * 8)
    assert at_45nm.vector_op_pj("divide", 8, activity=1.0) == pytest.approx(8 * (3.1e-3 * 9 + 5e-3 * 16))
    assert at_45nm.vector_op_pj("sqrt", 9, activity=1.0) == pytest.approx(5 * (3.1e-3 * 7 + 5e-3 * 18))
    assert at_45nm.vector_op_pj("lookup", 8) == pytest.approx(8 * 25e-3)
    assert at_45nm.requantizer_area_um2("float32", 32) == pytest.approx(7700 + 2 * 4184)


def test_activity_is_the_tables_unless_given(at_45nm):
    assert at_45nm.activity == 0.5
    assert at_45nm.multiply_pj(8, 8) == pytest.approx(at_45nm.multiply_pj(8, 8, activity=1.0) / 2)
    assert at_45nm.requantize_pj("float32", 32) == pytest.approx(2.75)


@pytest.mark.parametrize(
    ("streams", "low", "high"),
    [((1, 1, 0), 0.97, 1.0), ((0.92, 0, 0), 0.57, 0.73), ((1.18, 0, 0), 0.57, 0.74), ((0.65, 0.9, 0.5), 0.40, 0.65)],
)
def test_data_activity(streams, low, high):
    assert low <= round(data_activity(*streams), 3) <= high


def test_scaling_by_hand():
    base, small = load_table("generic_45nm"), load_table("generic_7nm")
    assert small.multiply_pj(8, 8) / base.multiply_pj(8, 8) == pytest.approx((7 / 45) ** 0.6)
    assert small.multiplier_area_um2(8, 8) / base.multiplier_area_um2(8, 8) == pytest.approx(0.059)
    assert small.sram_area_um2(2**17, 64) == pytest.approx(
        118839 * 0.059 / load_table("generic_45nm").laws.node_area(22)
    )
    assert load_table("generic_16nm").sram_read_pj(2**17, 64) == pytest.approx(7.40229 * (16 / 22) ** 0.6)
    assert load_table("generic_16nm").area_scale == pytest.approx(0.19)


def test_voltage_is_squared_for_switching_and_linear_for_leakage(at_45nm, tmp_path):
    path = tmp_path / "low.toml"
    path.write_text('base = "generic_45nm"\ndescription = "0.6 V"\n[technology]\nvoltage_v = 0.6\n')
    low = load_table(path)
    for method, arguments in [
        ("multiply_pj", (8, 8)),
        ("sram_read_pj", (2**16, 64)),
        ("sram_read_pj", (256, 8)),
        ("wire_pj_per_bit_mm", ()),
        ("requantize_pj", ("float32", 32)),
    ]:
        assert getattr(low, method)(*arguments) == pytest.approx(getattr(at_45nm, method)(*arguments) * 4 / 9), method
    assert low.logic_leakage_mw(1e6) == pytest.approx(20 * 2 / 3)
    assert low.sram_leakage_mw(2**16, 64) == pytest.approx(at_45nm.sram_leakage_mw(2**16, 64) * 2 / 3)
    assert low.multiplier_area_um2(8, 8) == at_45nm.multiplier_area_um2(8, 8)
    assert low.dram_pj_per_bit() == at_45nm.dram_pj_per_bit()


def test_memory_and_clock_defaults(at_45nm):
    assert at_45nm.dram_pj_per_bit() == 8.0
    assert at_45nm.dram_pj_per_bit("hbm2") == 3.97
    assert at_45nm.wire_pj_per_bit_mm() == 0.12
    assert at_45nm.clock_overhead == 0.25
    assert at_45nm.clock_overhead_programmable == 0.82


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.add_pj(0), "add_pj: bit-widths and sizes must be positive integers, not 0"),
        (lambda t: t.multiply_pj(8, 2.5), "multiply_pj: bit-widths and sizes must be positive integers, not 2.5"),
        (
            lambda t: t.sram_read_pj(float("nan"), 8),
            "sram_read_pj: bit-widths and sizes must be positive integers, not nan",
        ),
        (
            lambda t: t.sram_write_pj(4, 64),
            "sram_write_pj: a memory must hold at least one word of width_bits, but 4 bytes are fewer than 64 bits; "
            "give a smaller width or a larger size",
        ),
        (
            lambda t: t.requantize_pj("fixedpoint", 32, 16),
            "requantization scheme must be one of float32, fixed_point, power_of_two, not 'fixedpoint'; "
            "did you mean 'fixed_point'?",
        ),
        (
            lambda t: t.vector_op_pj("exq", 8),
            "vector operation must be one of add, multiply, compare, lookup, exp, divide, sqrt, not 'exq'; "
            "did you mean 'exp'?",
        ),
        (lambda t: t.dram_pj_per_bit("hbm"), "no DRAM type 'hbm' in this energy table; did you mean 'hbm3'?"),
    ],
)
def test_wrong_arguments(at_45nm, call, message):
    with pytest.raises(HwsimError) as caught:
        call(at_45nm)
    assert str(caught.value) == message


def test_fixable_prices_are_methods_with_those_arguments():
    for method, names in FIXABLE.items():
        signature = inspect.signature(getattr(EnergyTable, method)).parameters
        assert tuple(signature)[1 : 1 + len(names)] == names


@BY_TABLE
def test_tables_are_frozen_hashable_and_equal_to_themselves(table):
    assert hash(table) == hash(load_table(table.name))
    assert table == load_table(table.name)
    with pytest.raises(AttributeError):
        table.name = "other"


def test_the_floor_imports_only_the_standard_library_and_errors():
    code = (
        "import sys, hwsim; package = set(sys.modules);"
        "import hwsim.energy; hwsim.energy.load_table('generic_28nm').sram_read_pj(4096, 32);"
        "added = set(sys.modules) - package;"
        "floors = {m for m in added if m.startswith('hwsim.') and not m.startswith('hwsim.energy')};"
        "assert floors <= {'hwsim.errors'}, floors;"
        "assert not {'numpy', 'numba', 'matplotlib', 'pydantic'} & added"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
