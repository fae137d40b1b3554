"""What decodes weights, read off the values of their format, and what that costs."""

from dataclasses import replace
from fractions import Fraction

import pytest

import hwsim
from hwsim.cost.area import area_table
from hwsim.cost.array_layer import array_layer
from hwsim.cost.array_work import array_work
from hwsim.cost.decoders import DECODER, FILL, decoder_area_um2, decoder_pj, decoder_work, ports
from hwsim.cost.energy import access_pj, component_of, compute_pj
from hwsim.cost.prices import prices_of
from hwsim.cost.steps import steps_of
from hwsim.cost.traffic import accesses, array_reads
from hwsim.energy import load_table
from hwsim.mapping.decoding import product_of
from hwsim.mapping.layer_constants import table_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import mac_shape
from hwsim.numerics.formats import Codebook, parse_format
from hwsim.numerics.formats.decoding import values_of
from tests.cost.machines import FLOWS, gemm, machine

TABLE = load_table("generic_45nm")
MATCHED = {"psum": "exact", "accumulator": "exact"}
BUILT = {**MATCHED, "multiplier_weight_bits": 8, "multiplier_activation_bits": 8}
KINDS = {
    "int4": "integers", "int8n": "integers", "uint3": "integers", "power4:1": "integers", "power3:1@3": "integers",
    "ternary": "signs", "bipolar": "signs", "power2:0.5": "signs", "pot3": "powers", "pot4": "powers", "power3:0.5": "squares",
    "power4:0.5": "squares", "power4:0.7@8": "table", "power4:0.5@8": "table", "fp4e2m1": "floats", "fp8e4m3fn": "floats",
}  # fmt: skip


def of(number, **sizes):
    work = gemm(**({"m": 6, "k": 10, "n": 7} | sizes))
    return replace(work, weight=parse_format(number) if isinstance(number, str) else number)


def mapped(work, accelerator, **tile):
    sizes = {"tile_m": work.m, "tile_k": work.k, "tile_n": work.n} | tile
    return Mapping(gemm=work, array=accelerator.array, mac=mac_shape(work, accelerator.datapath), **sizes)


def rows_of(mapping, accelerator):
    return array_work(mapping, steps_of(mapping, accelerator), accelerator.datapath)


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_the_values_say_which_unit(text, kind):
    assert values_of(parse_format(text)) == kind


def test_a_name_says_nothing():
    """A learned table whose values happen to be powers, squares or integers needs what those need."""
    for values, kind in (
        ((0, 3, 6, -12), "powers"),
        ((-9, -1, 0, 1, 4), "squares"),
        ((-10, -5, 0, 5), "integers"),
        ((-7, 2, 5), "table"),
    ):
        book = Codebook(name="codebook2@8", values=tuple(Fraction(value, 7) for value in values))
        assert values_of(book) == kind


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("text", ["power4:0.5", "power4:0.7@8", "codebook"])
@pytest.mark.parametrize("datapath", [MATCHED, BUILT], ids=["matched", "built"])
def test_every_weight_that_enters_is_decoded_once(flow, text, datapath):
    accelerator = machine(array={"dataflow": flow}, datapath=datapath)
    number = Codebook(name=text, values=(-127, -40, 3, 90)) if text == "codebook" else text
    work = of(number, m=9, k=11, n=6)
    mapping = mapped(work, accelerator, tile_m=4)
    steps = steps_of(mapping, accelerator)
    row, *filled = [row for row in rows_of(mapping, accelerator) if row.unit == DECODER]
    assert row.count == array_reads(mapping, steps, "weight").sum()
    assert (row.a_bits, row.b_bits) == (work.weight.bits, 8 if text != "power4:0.5" else 7)
    assert component_of(row) == ("decoders", "weight")
    weights = [a for a in accesses(mapping, steps, accelerator, accelerator.datapath) if a.operand == "weight"]
    assert {a.bits for a in weights if a.memory != "dram"} == {work.weight.bits}
    is_table = text != "power4:0.5"
    entries = 1 << work.weight.bits
    assert [(one.action, one.count, one.a_bits) for one in filled] == (
        [(FILL, entries * ports(accelerator.array, mapping), 8)] if is_table else []
    )
    moved = [a for a in accesses(mapping, steps, accelerator, accelerator.datapath) if a.operand == "table"]
    assert [(a.memory, a.action, a.count * a.bits) for a in moved] == (
        [("dram", "read", entries * 8), ("weights", "write", entries * 8), ("weights", "read", entries * 8)]
        if is_table
        else []
    )
    multiplied = next(row for row in rows_of(mapping, accelerator) if row.unit == "array")
    assert (multiplied.action, multiplied.b_bits) == ("multiply_add", 8 if datapath is BUILT else row.b_bits)


def test_prices_of_decoders():
    assert decoder_pj(TABLE, "squares", 4, 7) == TABLE.multiply_pj(3, 3)
    assert decoder_pj(TABLE, "table", 4, 8) == TABLE.select_pj(8, 16)
    assert decoder_area_um2(TABLE, "table", 4, 8) == TABLE.selector_area_um2(8, 16) + TABLE.register_area_um2(16 * 8)
    assert decoder_pj(TABLE, "floats", 2, 5) == pytest.approx(2 * TABLE.select_pj(5, 2))
    for kind in ("squares", "table", "powers", "floats"):
        costs = [decoder_pj(TABLE, kind, bits, 8) for bits in (2, 3, 4, 5)]
        areas = [decoder_area_um2(TABLE, kind, bits, 8) for bits in (2, 3, 4, 5)]
        assert costs == sorted(costs)
        assert areas == sorted(areas)


@pytest.mark.parametrize(("text", "inputs", "stages", "bits"), [("pot4", 2, 4, 8 + 6), ("pot3", 2, 3, 8 + 2), ("ternary", 3, 1, 9), ("bipolar", 2, 1, 9)])  # fmt: skip
def test_elements_built_for_shifts_and_signs_have_no_multiplier(text, inputs, stages, bits):
    """The code stays in the element; where multipliers are there anyway, they are used as wide as they are."""
    accelerator, work = machine(datapath=MATCHED), of(text)
    rows = rows_of(mapped(work, accelerator), accelerator)
    (row,) = [row for row in rows if row.unit == "array"]
    assert compute_pj(row, TABLE) == pytest.approx(
        row.count * (stages * TABLE.select_pj(bits, inputs) + TABLE.add_pj(row.sum_bits))
    )
    assert not [row for row in rows if row.unit == DECODER]
    held = next(row for row in rows if row.unit == "array_register" and row.action == "weight")
    assert held.a_bits == work.weight.bits
    built = machine(datapath=BUILT)
    assert product_of(work, built.datapath) is None
    multiplied = next(row for row in rows_of(mapped(work, built), built) if row.unit == "array")
    assert (multiplied.action, multiplied.a_bits, multiplied.b_bits) == ("multiply_add", 8, 8)
    assert [row.action for row in decoder_work(work, 5, built.datapath)] == (
        ["powers"] if text.startswith("pot") else []
    )


def test_exponent_one_costs_what_narrow_integers_cost():
    for datapath in (MATCHED, BUILT):
        accelerator = machine(datapath=datapath)
        table, narrow = (mapped(of(text), accelerator) for text in ("power4:1", "int4n"))
        assert rows_of(table, accelerator) == rows_of(narrow, accelerator)
        areas = [list(area_table(accelerator, TABLE, {"a": each})["area_um2"]) for each in (table, narrow)]
        assert areas[0] == areas[1]


def test_other_modes_multiply_what_is_decoded():
    for mac in ("fusion:8", "fixed:2"):
        accelerator = machine(datapath={**MATCHED, "mac": mac})
        rows = rows_of(mapped(of("pot4"), accelerator), accelerator)
        assert [row.action for row in rows if row.unit == DECODER] == ["powers"]
        assert next(row for row in rows if row.unit == "array").action == mac
    floating = machine(datapath={"mac": "floating:fp16:fp32"})
    kinds = {
        text: [row.action for row in decoder_work(of(text), 1, floating.datapath)]
        for text in ("pot4", "power4:0.5", "fp8e4m3fn")
    }
    assert kinds == {"pot4": ["table"], "power4:0.5": ["table"], "fp8e4m3fn": []}


def test_area_holds_one_decoder_for_each_weight_that_enters_in_a_cycle():
    accelerator = machine(array={"rows": 3, "columns": 5}, datapath=BUILT)

    def parts(**layers):
        table = area_table(accelerator, TABLE, {name: mapped(of(text), accelerator) for name, text in layers.items()})
        return dict(zip(table["component"], table["area_um2"], strict=True))

    square, lookup = (decoder_area_um2(TABLE, kind, 4, bits) for kind, bits in (("squares", 7), ("table", 8)))
    assert "decoders" not in parts(a="int4")
    assert parts(a="power4:0.5")["decoders"] == pytest.approx(5 * square)
    assert parts(a="power4:0.5", b="power4:0.5")["decoders"] == pytest.approx(5 * square)
    assert parts(a="power4:0.5", b="power4:0.7@8")["decoders"] == pytest.approx(5 * (square + lookup))


def test_an_array_of_shifters_is_smaller_and_one_for_both_is_larger():
    accelerator = machine(datapath=MATCHED)

    def array(*texts):
        mappings = {str(i): mapped(of(text), accelerator) for i, text in enumerate(texts)}
        table = area_table(accelerator, TABLE, mappings)
        return dict(zip(table["component"], table["area_um2"], strict=True))["array"]

    assert array("ternary") < array("int2")
    assert array("pot4") < array("power4:0.7@8")
    assert array("pot4", "int8") > max(array("pot4"), array("int8"))


@pytest.mark.parametrize("flow", ["weight_stationary", "input_stationary"])
@pytest.mark.parametrize("text", ["power4:0.5", "power4:0.7@8", "pot4", "ternary", "fp4e2m1"])
def test_the_search_knows_the_price(flow, text):
    """On-chip energy of two tilings differs by what enters the array, in the ledger and at the prices of the search."""
    registers = {"psum": "int32:wrap", "accumulator": "int32:wrap"}
    accelerator = machine(array={"dataflow": flow}, datapath=registers)
    table, work = load_table(accelerator.energy_table), of(text, m=24, k=40, n=24)
    found = []
    for tile in ({}, {"tile_n": 8}):
        mapping = mapped(work, accelerator, **tile)
        steps = steps_of(mapping, accelerator)
        layer = array_layer(mapping, accelerator, accelerator.datapath)
        on_chip = sum(access_pj(row, accelerator, table) for row in layer.accesses if row.memory != "dram")
        ledger = (on_chip + sum(compute_pj(row, table) for row in layer.compute)) * (1 + table.clock_overhead)
        prices = prices_of(mapping, accelerator, accelerator.datapath)
        entering = sum(
            price * int(array_reads(mapping, steps, operand).sum())
            for price, operand in ((prices.weight_read, "weight"), (prices.ifmap_read, "ifmap"))
        )
        loaded = sum(
            access_pj(row, accelerator, table)
            for row in layer.accesses
            if row.memory != "dram" and row.action == "write"
        )
        found.append((ledger - loaded * (1 + table.clock_overhead), entering))
    assert found[1][1] - found[0][1] == pytest.approx(found[1][0] - found[0][0], rel=1e-9)


@pytest.mark.parametrize("text", ["power4:0.5", "codebook4", "pot4", "ternary"])
def test_a_network_is_priced_and_stores_codes(text):
    graph = hwsim.quantize(hwsim.load("digits_mobilenet"), weights=text)
    integers = hwsim.quantize(hwsim.load("digits_mobilenet"), weights="int4" if text != "ternary" else "int2")
    edge = hwsim.accelerator("edge_16x16")
    ours, plain = (hwsim.simulate(each, edge) for each in (graph, integers))
    tables = (table_bits(mapping.gemm, edge.datapath_for(layer)) for layer, mapping in ours.plan.mappings.items())
    fills = sum(tables) / 8
    assert (fills > 0) == (text == "codebook4")
    assert ours.summary["dram_bytes"] == plain.summary["dram_bytes"] + fills
    assert ours.summary["cycles"] >= plain.summary["cycles"]
    assert ours.summary["cycles"] < plain.summary["cycles"] * 1.01
    assert ours.summary["energy_pj"] != plain.summary["energy_pj"]


def test_integers_on_a_floating_mac_are_scaled_once():
    accelerator = machine(datapath={"mac": "floating:fp16:fp32", "psum": "exact", "accumulator": "exact"})
    work = replace(of("int4"), ifmap=parse_format("fp16"), ofmap=parse_format("fp16"))
    (row,) = [row for row in rows_of(mapped(work, accelerator), accelerator) if row.unit == DECODER]
    table = load_table(accelerator.energy_table)
    price = decoder_pj(table, row.action, row.a_bits, row.b_bits)
    assert price == table.multiply_pj(4, 11) + table.float_add_pj(5, 10)
    assert decoder_area_um2(table, row.action, row.a_bits, row.b_bits) > 0
    already = replace(work, weight=parse_format("fp16"))
    assert [row for row in rows_of(mapped(already, accelerator), accelerator) if row.unit == DECODER] == []
