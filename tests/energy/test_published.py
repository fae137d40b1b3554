"""Does the default model reproduce published numbers? (model / published, notes on energy, section 4)

Energies of synthesis and of Horowitz hold for random data: activity 1. A ratio is checked against the one that was
found when the model was made (0.005), so that a drift in either direction shows.
"""

import pytest

from hwsim.energy import cacti, load_table

HOROWITZ = [  # 45 nm: method, bits, published, ratio found
    ("add_pj", (8,), 0.03, 0.827),
    ("add_pj", (16,), 0.05, 0.992),
    ("add_pj", (32,), 0.1, 0.992),
    ("multiply_pj", (8, 8), 0.2, 1.001),
    ("multiply_pj", (32, 32), 3.1, 1.212),
    ("adder_area_um2", (8,), 36, 0.817),
    ("adder_area_um2", (16,), 67, 0.940),
    ("adder_area_um2", (32,), 137, 0.950),
    ("multiplier_area_um2", (8, 8), 282, 1.003),
    ("multiplier_area_um2", (32, 32), 3495, 1.500),
]
TPU_V4I = [  # 7 nm, table 2
    ("add_pj", (8,), 0.007, 1.160),
    ("add_pj", (32,), 0.03, 1.083),
    ("multiply_pj", (8, 8), 0.07, 0.936),
    ("multiply_pj", (32, 32), 1.48, 0.831),
]
BITFUSION = [  # 45 nm: bits, accumulator bits, pJ per cycle, um2, ratios found
    (2, 8, 0.0462, 93.1, 0.998, 0.965),
    (4, 12, 0.0941, 215.3, 0.971, 0.891),
    (8, 20, 0.2306, 570.4, 0.997, 0.920),
    (16, 36, 0.6766, 1833.3, 1.034, 0.929),
]
EYERISS = [  # 65 nm, AlexNet batch 4: mW, processing ms, GMAC, zeros of the ifmap, GLB MB, ratio found
    (332, 16.5, 0.42166, 0.0001, 18.5, 0.844),
    (288, 39.2, 0.89579, 0.387, 77.6, 0.773),
    (266, 21.8, 0.5981, 0.725, 50.2, 0.832),
    (235, 16.0, 0.4486, 0.793, 37.4, 0.922),
    (236, 10.0, 0.299, 0.776, 24.9, 0.990),
]
GLB_BYTES = 108 * 1024


def price(table, method, bits):
    return getattr(table, method)(*bits, **({"activity": 1.0} if method.endswith("_pj") else {}))


@pytest.mark.parametrize(("method", "bits", "published", "ratio"), HOROWITZ)
def test_horowitz(at_45nm, method, bits, published, ratio):
    assert price(at_45nm, method, bits) / published == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize(("method", "bits", "published", "ratio"), TPU_V4I)
def test_tpu_v4i_logic(method, bits, published, ratio):
    assert price(load_table("generic_7nm"), method, bits) / published == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize(("size_bytes", "published"), [(8192, 7.5), (32768, 8.5), (2**20, 14.0)])
def test_tpu_v4i_sram(size_bytes, published):
    assert load_table("generic_7nm").sram_read_pj(size_bytes, 64) == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize(("bits", "acc", "energy_pj", "area_um2", "energy_ratio", "area_ratio"), BITFUSION)
def test_bitfusion_element(at_45nm, bits, acc, energy_pj, area_um2, energy_ratio, area_ratio):
    """Energy is a fit (activity 0.52 and the register were chosen on these points); area was not tuned."""
    flops = 2 * bits + acc
    energy = at_45nm.mac_pj(bits, bits, acc, activity=0.52) + at_45nm.register_write_pj(flops, activity=0.52)
    area = at_45nm.multiplier_area_um2(bits, bits) + at_45nm.adder_area_um2(acc) + at_45nm.register_area_um2(flops)
    assert energy / energy_pj == pytest.approx(energy_ratio, abs=0.005)
    assert area / area_um2 == pytest.approx(area_ratio, abs=0.005)


def test_sram_against_horowitz(at_45nm):
    """CACTI arrays are below Horowitz's caches; the figures are those of the committed table."""
    found = [at_45nm.sram_read_pj(size, 64) for size in (8192, 32768, 2**20)]
    assert found == pytest.approx([6.1, 17.0, 93.5], abs=0.05)
    assert [model / published for model, published in zip(found, (10, 20, 100), strict=True)] == pytest.approx(
        [0.614, 0.852, 0.935], abs=0.001
    )


def test_eyeriss_mac_and_buffer(at_65nm):
    """Per 16 bits: MAC 2 pJ, 108 KB buffer 15 pJ. The notes' 0.85 is the closed form's, not the table's."""
    assert at_65nm.mac_pj(16, 16, 32, activity=1.0) / 2 == pytest.approx(0.830, abs=0.005)
    closed_form = cacti.closed_forms()[65, "lstp"]("read_pj", GLB_BYTES, 64) / 4
    assert closed_form / 15 == pytest.approx(0.849, abs=0.005)
    assert at_65nm.sram_read_pj(GLB_BYTES, 64) / 4 / 15 == pytest.approx(0.934, abs=0.005)
    assert at_65nm.sram_read_pj(2**17, 64) / 4 == pytest.approx(14.8, abs=0.05)


@pytest.mark.parametrize(("power_mw", "time_ms", "gmac", "zeros", "buffer_mb", "ratio"), EYERISS)
def test_eyeriss_alexnet_on_chip(at_65nm, power_mw, time_ms, gmac, zeros, buffer_mb, ratio):
    """Energy per MAC: gated MAC and one gated spad access, three more spad accesses, buffer and hop per word.

    Spad (1 pJ) and hop (4 pJ) are nn_dataflow's for this chip; the closed form of the buffer gives the notes' ratios.
    """
    spad_pj, hop_pj = 1.0, 4.0
    words = buffer_mb * 1e6 / 2 / (gmac * 1e9)
    published = power_mw * time_ms * 1e-3 / gmac

    def model(buffer_pj):
        element = (at_65nm.mac_pj(16, 16, 32, activity=1.0) + spad_pj) * (1 - zeros) + 3 * spad_pj
        return (element + words * (buffer_pj + hop_pj)) * (1 + at_65nm.clock_overhead_programmable)

    assert model(cacti.closed_forms()[65, "lstp"]("read_pj", GLB_BYTES, 64) / 4) / published == pytest.approx(
        ratio, abs=0.001
    )
    assert model(at_65nm.sram_read_pj(GLB_BYTES, 64) / 4) / published == pytest.approx(ratio, abs=0.013)


def test_eyeriss_scratchpad(at_65nm):
    """The register-file law gives 0.89 of the 1 pJ per 16 bits of a 512 B scratchpad."""
    assert at_65nm.sram_read_pj(512, 16) == pytest.approx(0.891, abs=0.005)


def test_register_file_points(at_45nm):
    """fJ per bit at 45 nm: BitFusion's 128 B 21, Eyeriss's 0.5 KB 37 (scaled), CACTI's 1 KiB x 32 b 41."""
    assert at_45nm.register_file_pj(128, 1) * 1e3 == pytest.approx(21, rel=0.1)
    assert at_45nm.register_file_pj(512, 1) * 1e3 == pytest.approx(37, rel=0.12)
    assert at_45nm.register_file_pj(1024, 1) * 1e3 == pytest.approx(41, rel=0.1)


def test_tpu_v1_elements():
    """8x8 elements at 28 nm with default activity are 0.73 of the dynamic power per MAC (12 W / 43 TMAC/s)."""
    table = load_table("generic_28nm")
    element_pj = table.mac_pj(8, 8, 32) + table.register_write_pj(8 + 8 + 32)
    assert element_pj / (12 / 43) == pytest.approx(0.727, abs=0.005)


@pytest.mark.parametrize(
    ("multiplier_bits", "energy_pj", "area_um2"), [(8, 1.4, 2305), (16, 3.4, 4218), (24, 6.0, 6237), (32, 6.4, 7892)]
)
def test_requantizer_against_synthesis(at_45nm, multiplier_bits, energy_pj, area_um2):
    """Relative to an 8x8 multiplier (0.82 pJ of the same stimulus, 453 um2), Nangate45, 32-bit accumulator."""
    energy = at_45nm.requantize_pj("fixed_point", 32, multiplier_bits) / at_45nm.multiply_pj(8, 8)
    area = at_45nm.requantizer_area_um2("fixed_point", 32, multiplier_bits) / at_45nm.multiplier_area_um2(8, 8)
    assert 1.0 < energy / (energy_pj / 0.82) < 1.65
    assert area / (area_um2 / 453) == pytest.approx(1.0, abs=0.09)


def test_shift_only_requantizer_against_synthesis(at_45nm):
    assert at_45nm.requantize_pj("power_of_two", 32) / at_45nm.multiply_pj(8, 8) == pytest.approx(0.2 / 0.82, rel=0.05)
    area = at_45nm.requantizer_area_um2("power_of_two", 32) / at_45nm.multiplier_area_um2(8, 8)
    assert area == pytest.approx(577 / 453, rel=0.01)


def test_horowitz_table_is_exact_where_horowitz_speaks():
    table = load_table("horowitz_45nm")
    assert table.multiply_pj(8, 8) == pytest.approx(0.2, rel=1e-4)
    assert table.multiply_pj(32, 32) == pytest.approx(3.1, rel=1e-4)
    assert [table.add_pj(bits) for bits in (8, 16, 32)] == pytest.approx([0.025, 0.05, 0.1])
    assert [table.sram_read_pj(size, 64) for size in (8192, 32768, 2**20)] == pytest.approx([10, 20, 100], rel=0.07)
    assert table.multiplier_area_um2(8, 8) == pytest.approx(282, rel=1e-3)
    assert table.multiplier_area_um2(32, 32) == pytest.approx(3495, rel=1e-3)
    assert table.dram_pj_per_bit() * 64 == pytest.approx(1300, rel=0.01)


def test_energy_scaling_against_stillmaker_and_baas(at_45nm):
    """65 nm 1.67 for 1.65, 90 nm 2.64 for 2.55, 130 nm 4.4 for 5.1."""
    found = [at_45nm.laws.node_energy(node) for node in (65, 90, 130)]
    assert found == pytest.approx([1.67, 2.64, 4.4], abs=0.02)


def test_elements_by_bit_width(at_45nm, reference_rows):
    for row in reference_rows("default_pe_by_bitwidth_45nm"):
        w, a, acc = (int(row[name]) for name in ("w_bits", "a_bits", "acc_bits"))
        mul, add = at_45nm.multiply_pj(a, w, activity=1.0), at_45nm.add_pj(acc, activity=1.0)
        reg = at_45nm.register_write_pj(a + w + acc, activity=1.0)
        area = at_45nm.multiplier_area_um2(a, w) + at_45nm.adder_area_um2(acc) + at_45nm.register_area_um2(a + w + acc)
        assert mul == pytest.approx(float(row["E_mul_pJ"]), abs=6e-5)
        assert add == pytest.approx(float(row["E_add_pJ"]), abs=6e-5)
        assert reg == pytest.approx(float(row["E_reg_pJ(w+a+acc)"]), abs=1e-9)
        assert mul + add + reg == pytest.approx(float(row["E_PE_pJ_act1"]), abs=6e-5)
        assert area == pytest.approx(float(row["area_PE_um2"]), abs=0.06)


def test_recorded_checks(at_45nm, reference_rows):
    """The logic rows of the notes' own check list, model column to its four digits."""
    rows = {row["check"]: float(row["model"]) for row in reference_rows("default_model_checks")}
    tables = {"Horowitz 45 nm": at_45nm, "TPUv4i 7 nm": load_table("generic_7nm")}
    for place, table in tables.items():
        for method, bits in [(m, b) for m, b, *_ in HOROWITZ] if table is at_45nm else [(m, b) for m, b, *_ in TPU_V4I]:
            kind = f"mul {bits[0]}x{bits[0]}" if method.startswith("mult") else f"add {bits[0]}"
            name = f"{place} {'area ' if 'area' in method else ''}int {kind}"
            assert price(table, method, bits) == pytest.approx(rows[name], abs=6e-5), name
