"""Every bundled machine: loads, says what it is, names what exists, and keeps its promises about exact sums."""

import tomllib
from importlib.resources import files

import jsonschema
import pytest

from hwsim.hardware import describe, dump_toml, load_accelerator, preset_names
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.keys import children, find, keys
from hwsim.hardware.schema import json_schema

PRESETS = files("hwsim.hardware") / "presets"
NARROW = {"tiny_tpu_2x2"}


def text_of(name: str) -> str:
    return (PRESETS / f"{name}.toml").read_text(encoding="utf-8")


def test_the_issue_names_these_machines():
    assert set(preset_names()) >= {
        "edge_16x16",
        "edge_16x16_os",
        "mid_32x32",
        "tpu_like_128x128",
        "tpu_v1_like_256x256",
        "gemmini_16x16",
        "gemmini_16x16_os",
        "scale_sim_default_32x32",
    }


@pytest.mark.parametrize("name", preset_names())
class TestEveryPreset:
    def test_is_named_as_its_file_and_by_its_array(self, name):
        accelerator = load_accelerator(name)
        assert accelerator.name == name
        assert accelerator.description
        assert f"_{accelerator.array.rows}x{accelerator.array.columns}" in name

    def test_opens_with_the_schema_line_and_where_its_numbers_come_from(self, name):
        lines = text_of(name).splitlines()
        assert lines[0] == "#:schema ../accelerator.schema.json"
        header = "\n".join(lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))])
        assert "Source:" in header
        assert "Modelled:" in header or "Not modelled:" in header or "Assumed:" in header

    def test_its_file_obeys_the_json_schema(self, name):
        jsonschema.validate(tomllib.loads(text_of(name)), json_schema(Accelerator))

    def test_survives_writing_and_reading(self, name, tmp_path):
        accelerator = load_accelerator(name)
        path = tmp_path / "machine.toml"
        path.write_text(dump_toml(accelerator), encoding="utf-8")
        assert load_accelerator(path) == accelerator
        jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), json_schema(Accelerator))

    def test_can_be_a_key_of_a_cache(self, name):
        assert len({load_accelerator(name), load_accelerator(name)}) == 1

    def test_its_dram_has_a_price(self, name):
        accelerator = load_accelerator(name)
        kinds: set[str] = set()
        table = accelerator.energy_table
        while table:
            data = tomllib.loads((files("hwsim") / "energy" / "tables" / f"{table}.toml").read_text(encoding="utf-8"))
            kinds |= set(data.get("dram", {}).get("types", {}))
            table = data.get("base")
        assert accelerator.dram.kind in kinds

    def test_is_described_in_rows_of_text(self, name):
        rows = dict(describe(load_accelerator(name)))
        assert rows["name"] == name
        assert all(isinstance(text, str) and text for text in rows.values())

    def test_partial_sums_of_8_bit_operands_never_wrap_inside_a_weight_stationary_array(self, name):
        accelerator = load_accelerator(name)
        if accelerator.array.dataflow == "output_stationary":
            pytest.skip("a processing element adds the whole k")
        if name in NARROW:
            pytest.skip("its published registers are narrower than that")
        psum = accelerator.datapath.psum
        assert psum.fits(-255 * 128 * accelerator.array.rows)
        assert psum.fits(255 * 127 * accelerator.array.rows)


def test_the_example_shows_every_key():
    text = text_of("edge_16x16")
    for key in children(keys(Accelerator)):
        node = find(Accelerator, (key,))
        for inner in children(node) or children(node.get("items", {})):
            assert f"{inner} = " in text or f"[{key}.{inner}]" in text, f"{key}.{inner}"
        assert f"{key} = " in text or f"[{key}]" in text, key
    for inner in children(find(Accelerator, ("datapath", "requantizer"))):
        assert f"\n{inner} = " in text or f"\n# {inner} = " in text, inner  # a comment where another scheme reads it


def test_gemmini_is_the_machine_of_the_rtl_measurements():
    machine = load_accelerator("gemmini_16x16")
    array, datapath = machine.array, machine.datapath
    assert (array.vertical_hop_registers, array.pipeline_latency_cycles) == (1, 3)
    assert (str(datapath.psum), str(datapath.accumulator)) == ("int20:wrap", "int32:wrap")
    assert datapath.requantizer.scheme == "float32"
    assert (datapath.multiplier_weight_bits, datapath.multiplier_activation_bits) == (8, 8)
    assert (machine.memory_of("weight").size_bytes, machine.memory_of("psum").size_bytes) == (256 * 1024, 64 * 1024)
    assert machine.dram.bits_per_cycle == 16 * 8


def test_scale_sim_overlaps_nothing():
    array = load_accelerator("scale_sim_default_32x32").array
    assert (array.vertical_hop_registers, array.pipeline_latency_cycles, array.drain) == (1, 0, "down")
    assert not array.overlap_load
    assert not array.overlap_drain


def test_describe_sums_a_machine_up():
    machine = load_accelerator("edge_16x16", overrides=['layer."fc*".psum=int16:saturate'])
    assert describe(machine) == (
        ("name", "edge_16x16"),
        ("description", "Edge accelerator: 16x16, weight stationary, 128 GMAC/s, 176 KiB on chip, LPDDR4"),
        ("array", "16 x 16 at 500 MHz"),
        ("dataflow", "weight_stationary"),
        ("peak", "128 GMAC/s"),
        ("multiplier", "weight matched x activation matched"),
        ("registers", "psum int24:wrap, accumulator int32:wrap"),
        ("requantizer", "fixed_point:32:half_up, 16 lanes"),
        ("memory ifmap", "64 KiB for ifmap; read 128 and write 128 bits/cycle, double buffered"),
        ("memory weights", "64 KiB for weight; read 128 and write 128 bits/cycle, double buffered"),
        ("memory ofmap", "32 KiB for ofmap; read 128 and write 128 bits/cycle, double buffered"),
        ("memory accumulators", "16 KiB for psum; read 512 and write 512 bits/cycle"),
        ("dram", "lpddr4, 4 GB/s, latency 100 cycles"),
        ("layer fc*", "psum int16:saturate"),
        ("energy table", "generic_45nm"),
    )
