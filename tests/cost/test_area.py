"""Area: the array is built for the widest layer, with the registers that its overlaps need."""

from hwsim.cost.area import area_table
from hwsim.energy import load_table
from hwsim.mapping.mapping import Mapping
from tests.cost.machines import gemm, machine

TABLE = load_table("generic_45nm")


def areas(layers, **array):
    accelerator = machine(array=array, datapath={"psum": "exact"})
    mappings = {
        f"layer{i}": Mapping(gemm=work, array=accelerator.array, tile_m=work.m, tile_k=work.k, tile_n=work.n)
        for i, work in enumerate(layers)
    }
    table = area_table(accelerator, TABLE, mappings)
    return dict(zip(table["component"], table["area_um2"], strict=True))


def element(a, b, psum, registers):
    return TABLE.multiplier_area_um2(a, b) + TABLE.adder_area_um2(psum) + TABLE.register_area_um2(registers)


def test_the_widest_layer_decides_each_width():
    layers = [gemm(4, 4, 4, bits=(8, 2, 8)), gemm(4, 4, 4, bits=(2, 8, 8))]
    psum = 18  # four products of 8 x 8 bits would need 18; the layers need less
    found = areas(layers, overlap_load=False)["array"]
    assert element(8, 8, 8, 24) * 16 < found <= element(8, 8, psum, 16 + psum) * 16


def test_overlapped_loads_need_a_second_weight_register():
    one = areas([gemm(4, 4, 4)], overlap_load=False)["array"]
    two = areas([gemm(4, 4, 4)], overlap_load=True)["array"]
    assert round(two - one, 6) == round(16 * (TABLE.register_area_um2(8 + 40) - TABLE.register_area_um2(40)), 6)


def test_hops_and_drains_need_registers():
    flat, tall = (areas([gemm(4, 4, 4)], vertical_hop_registers=hops)["array"] for hops in (1, 3))
    assert tall > flat
    plain, shifted = (areas([gemm(4, 4, 4)], dataflow="output_stationary", drain=d)["array"] for d in ("none", "down"))
    assert shifted > plain


def test_a_network_without_array_layers_has_an_area():
    assert areas([])["array"] > 0
