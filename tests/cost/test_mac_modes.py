"""Time, arithmetic and area of arrays whose processing elements have lanes, bits in series or sparse weights."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.area import area_table
from hwsim.cost.array_cycles import folds_of, sequence_cycles, stream_of
from hwsim.cost.array_work import additions, array_work, products, register_writes
from hwsim.cost.energy import component_of, compute_pj
from hwsim.cost.steps import steps_of
from hwsim.energy import load_table
from hwsim.errors import MappingError
from hwsim.hardware.mac import ONE_PRODUCT, MacShape
from hwsim.hardware.modes import mode_of
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import mac_shape
from hwsim.numerics.sparsity import Sparsity
from tests.cost import twin
from tests.cost.machines import FLOWS, arrays, gemm, machine

TABLE = load_table("generic_45nm")
shapes = st.builds(
    MacShape, k_lanes=st.integers(1, 5), n_lanes=st.integers(1, 3), cycles_per_vector=st.integers(1, 8)
) | st.builds(MacShape, k_lanes=st.sampled_from([1, 2, 4]), keep=st.just(2), block=st.just(4))


def one_tile(work, array, datapath):
    return Mapping(
        gemm=work, array=array, tile_m=work.m, tile_k=work.k, tile_n=work.n, mac=mac_shape(work, datapath)
    )  # fmt: skip


def filled(count, room):
    """Sizes of the pieces in which ``count`` things fill places of ``room``."""
    pieces = []
    while count:
        pieces.append(min(count, room))
        count -= pieces[-1]
    return pieces


def streams_in_loops(array, shape, size):
    """The cycles of each fold's stream, every fold and every vector in turn."""
    flow, pieces = array.flow, {}
    for dim, elements in ((flow.rows, array.rows), (flow.columns, array.columns)):
        if dim == "k":
            blocks = size["k"] // shape.block  # whole blocks, each of ``keep`` products
            pieces[dim] = filled(blocks, elements * shape.k_lanes // shape.keep)
        else:
            pieces[dim] = filled(size[dim], elements * (shape.n_lanes if dim == "n" else 1))
    lanes = {"m": 1, "k": shape.k_lanes, "n": shape.n_lanes}[flow.time]
    streamed = size["k"] // shape.block * shape.keep if flow.time == "k" else size[flow.time]
    vectors = len(filled(streamed, lanes))
    return [vectors * shape.cycles_per_vector for _ in pieces[flow.rows] for _ in pieces[flow.columns]]


@given(arrays, shapes, st.tuples(st.integers(1, 13), st.integers(1, 7), st.integers(1, 13)))
def test_cycles_are_those_of_the_folds_in_turn(keys, shape, sizes):
    array = SystolicArray(**keys)
    size = dict(zip("mkn", sizes, strict=True))
    size["k"] *= shape.block
    if array.flow.rows == "k" and array.rows * shape.k_lanes < shape.keep:
        return
    found = sequence_cycles(array, {dim: np.array([value]) for dim, value in size.items()}, 1, shape)
    streams = streams_in_loops(array, shape, size)
    assert found.compute == sum(streams)
    assert found.total == twin.array_end(array, streams)


@given(
    st.integers(1, 99), st.integers(1, 99), st.integers(1, 99), st.integers(1, 9), st.integers(1, 9), st.sampled_from([2, 4, 8]), st.sampled_from([2, 4, 8])
)  # fmt: skip
def test_bit_fusions_own_cycles(m, k, n, rows, columns, a, w):
    """B OH OW ceil(OC / M) ceil(Kh Kw IC / (N floor(p / a) floor(p / w))): what streams through the array."""
    array = SystolicArray(dataflow="weight_stationary", rows=rows, columns=columns)
    sizes = {"m": np.array([m]), "k": np.array([k]), "n": np.array([n])}
    found = sequence_cycles(array, sizes, 1, mode_of("fusion:8").shape(a, w))
    assert found.compute == m * -(-n // columns) * -(-k // (rows * (8 // a) * (8 // w)))


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    "mode", ["fusion:8", "serial:weight:4", "serial:both:16", "packed:8:k", "packed:8:n", "shared:27x18"]
)
def test_fewer_bits_are_never_slower(flow, mode):
    array = SystolicArray(dataflow=flow, rows=4, columns=4)
    sizes = {"m": np.array([37]), "k": np.array([70]), "n": np.array([29])}
    cycles = {
        (a, w): sequence_cycles(array, sizes, 1, mode_of(mode).shape(a, w)).total
        for a in range(1, 9)
        for w in range(1, 9)
    }
    for (a, w), found in cycles.items():
        assert found <= cycles.get((a + 1, w), found)
        assert found <= cycles.get((a, w + 1), found)


def test_a_stream_lasts_as_long_as_its_bits():
    array = SystolicArray(dataflow="weight_stationary", rows=2, columns=2)
    sizes = {"m": np.array([5, 6]), "k": np.array([4, 4]), "n": np.array([2, 2])}
    assert stream_of(array, sizes, MacShape(cycles_per_vector=8)).tolist() == [40, 48]
    assert folds_of(array, sizes, MacShape(k_lanes=2))["k"].tolist() == [1, 1]


@given(arrays, shapes, st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 9)), st.integers(1, 9))
def test_work_in_loops(keys, shape, sizes, tile_n):
    array = SystolicArray(**keys)
    m, k, n = sizes
    k *= shape.block
    if array.flow.rows == "k" and array.rows * shape.k_lanes < shape.keep:
        return
    accelerator = machine(array=keys)
    array = accelerator.array
    mapping = Mapping(gemm=gemm(m, k, n), array=array, tile_m=m, tile_k=k, tile_n=min(tile_n, n), mac=shape)
    steps = steps_of(mapping, accelerator)
    tiles = filled(n, min(tile_n, n))
    kept = k // shape.block * shape.keep
    adds = sum(m * tile * len(filled(kept, shape.k_lanes)) for tile in tiles)
    assert products(mapping) == m * kept * n
    assert additions(mapping, steps) == adds
    if array.flow.stationary != "ifmap":  # every activation passes every element with columns that need it
        assert register_writes(mapping, steps, "ifmap") == sum(
            m * k * len(filled(tile, shape.n_lanes)) for tile in tiles
        )
    if array.flow.stationary != "weight":
        assert register_writes(mapping, steps, "weight") == m * kept * n
    if not array.flow.reduces_in_time:
        assert register_writes(mapping, steps, "psum") == adds * (
            array.vertical_hop_registers + array.adder_latency_cycles
        )


def test_registers_inside_the_element_are_written_too():
    work = gemm(4, 4, 4)
    rows = [
        {(row.unit, row.action): row for row in rows_of(work, keys)}
        for keys in ({}, {"multiplier_latency_cycles": 2, "adder_latency_cycles": 1})
    ]
    psum = [found["array_register", "psum"].count for found in rows]
    assert psum[1] == 2 * psum[0]
    product = rows[1]["array_register", "product"]
    assert (product.count, product.a_bits) == (2 * 64, 16)
    assert ("array_register", "product") not in rows[0]


def rows_of(work, array=None, **datapath):
    accelerator = machine(array=array, datapath=datapath)
    mapping = one_tile(work, accelerator.array, accelerator.datapath)
    return array_work(mapping, steps_of(mapping, accelerator), accelerator.datapath)


def mac_pj(rows):
    return sum(compute_pj(row, TABLE) for row in rows if component_of(row)[0] == "mac")


@pytest.mark.parametrize("mode", ["fixed", "fixed:4", "fusion:8", "serial:weight:16", "serial:activation:4", "packed:8:k", "packed:8:n", "shared:27x18"])  # fmt: skip
@pytest.mark.parametrize("bits", [(8, 8), (4, 8), (4, 4), (2, 3)])
def test_energy_of_a_layer_is_products_and_sums(mode, bits):
    work = gemm(6, 32, 8, bits=(*bits, 8))
    rows = rows_of(work, mac=mode, psum="int24:wrap")
    unit, shape = mode_of(mode), mode_of(mode).shape(*bits)
    assert component_of(rows[0])[0] == "mac"
    expected = work.macs * unit.product_pj(TABLE, *bits) + work.macs // shape.k_lanes * TABLE.add_pj(24)
    assert mac_pj(rows) == pytest.approx(expected)


def test_floats_are_priced_as_floats_behind_the_array_too():
    rows = rows_of(gemm(6, 32, 8), mac="floating:fp16:fp32", psum="exact", accumulator="exact")
    found = {(row.unit, row.action): row for row in rows}
    behind = found["accumulator", "floating:fp16:fp32"]
    assert compute_pj(behind, TABLE) == pytest.approx(behind.count * TABLE.float_add_pj(8, 23))
    assert mac_pj(rows) == pytest.approx(6 * 32 * 8 * (TABLE.float_multiply_pj(5, 10) + TABLE.float_add_pj(8, 23)))
    assert {row.action: row.a_bits for row in rows if row.unit == "array_register"} == {
        "ifmap": 16,
        "weight": 16,
        "psum": 32,
    }


def test_sparse_weights_are_multiplied_and_chosen_half_as_often():
    work = gemm(6, 32, 8, sparsity=Sparsity.parse("2:4"))
    dense, sparse = (rows_of(work, sparsity=text, psum="int24:wrap") for text in ("dense", "2:4"))
    chosen = [row for row in sparse if row.action == "select"]
    assert [(row.count, row.a_bits, row.b_bits) for row in chosen] == [(work.macs // 2, 8, 4)]
    assert mac_pj(sparse) == pytest.approx(mac_pj(dense) / 2 + work.macs // 2 * TABLE.select_pj(8, 4))
    weights = [row for row in sparse if (row.unit, row.action) == ("array_register", "weight")]
    assert weights[0].a_bits == 8 + 2


def test_a_pattern_that_the_machine_does_not_know_is_dense():
    work = gemm(6, 32, 8, sparsity=Sparsity.parse("2:4"))
    shapes_of = {
        text: mac_shape(work, machine(datapath={"sparsity": text}).datapath)
        for text in ("dense", "4:8", "1:4", "3:4", "2:4")
    }
    assert shapes_of["dense"] == shapes_of["4:8"] == shapes_of["1:4"] == ONE_PRODUCT
    assert (shapes_of["3:4"], shapes_of["2:4"]) == (MacShape(keep=3, block=4), MacShape(keep=2, block=4))
    assert mac_shape(gemm(6, 32, 8), machine(datapath={"sparsity": "2:4"}).datapath) == ONE_PRODUCT


def test_a_mapping_of_another_mode_is_refused():
    accelerator, other = (machine(datapath={"mac": mode}) for mode in ("fixed", "fusion:8"))
    mapping = one_tile(gemm(4, 4, 4, bits=(4, 4, 8)), accelerator.array, accelerator.datapath)
    with pytest.raises(
        MappingError, match=r"mac = fusion:8 asks for .*k_lanes=4.*; schedule the layer for this machine"
    ):
        array_work(mapping, steps_of(mapping, other), other.datapath)


def array_um2(layers, array=None, **datapath):
    accelerator = machine(array={"overlap_load": False, **(array or {})}, datapath=datapath)
    mappings = {f"layer{i}": one_tile(work, accelerator.array, accelerator.datapath) for i, work in enumerate(layers)}
    table = area_table(accelerator, TABLE, mappings)
    return dict(zip(table["component"], table["area_um2"], strict=True))


@pytest.mark.parametrize("mode", ["fixed:4", "fusion:8", "serial:weight:16", "packed:8:n", "shared:27x18"])
def test_area_of_an_element(mode):
    work, unit = gemm(4, 16, 4, bits=(4, 4, 8)), mode_of(mode)
    shape = unit.shape(4, 4)
    found = array_um2([work], mac=mode, psum="int20:wrap")
    registers = 4 * shape.k_lanes + 4 * shape.k_lanes * shape.n_lanes + 20 * shape.n_lanes
    element = unit.area_um2(TABLE, 4, 4) + TABLE.adder_area_um2(20) * shape.n_lanes + TABLE.register_area_um2(registers)
    assert found["array"] == pytest.approx(16 * element)
    behind = TABLE.adder_area_um2(32) + TABLE.register_area_um2(32)
    assert found["accumulator_adders"] == pytest.approx(4 * shape.n_lanes * behind)


def test_an_element_holds_its_widest_layer():
    narrow, wide = gemm(4, 16, 4, bits=(2, 2, 8)), gemm(4, 16, 4, bits=(8, 8, 8))
    keys = {"mac": "fusion:8", "psum": "int32:wrap"}
    alone, both = array_um2([wide], **keys)["array"], array_um2([wide, narrow], **keys)["array"]
    assert both - alone == pytest.approx(16 * (TABLE.register_area_um2(64 + 32) - TABLE.register_area_um2(16 + 32)))


def test_sparsity_and_registers_inside_take_area():
    layers = [gemm(4, 16, 4, sparsity=Sparsity.parse("2:4"))]
    keys = {"psum": "int20:wrap"}
    dense, sparse = array_um2(layers, **keys)["array"], array_um2(layers, sparsity="2:4", **keys)["array"]
    more = TABLE.selector_area_um2(8, 4) + TABLE.register_area_um2(36 + 8 + 2) - TABLE.register_area_um2(36)
    assert sparse - dense == pytest.approx(16 * more)
    staged = array_um2(layers, {"multiplier_latency_cycles": 1, "adder_latency_cycles": 2}, **keys)["array"]
    assert staged - dense == pytest.approx(16 * (TABLE.register_area_um2(36 + 16 + 40) - TABLE.register_area_um2(36)))


def test_twice_the_rate():
    assert MacShape(keep=2, block=4).macs_per_cycle == 2
    assert MacShape(k_lanes=4, keep=1, block=4, cycles_per_vector=8).macs_per_cycle == Fraction(2)
