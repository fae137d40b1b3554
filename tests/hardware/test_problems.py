"""What a person reads when a file is wrong: all problems at once, in English, matched whole."""

import pytest

from hwsim.errors import ConfigError
from hwsim.hardware import load_accelerator, load_precision

GOOD = """
name = "mine"
clock_mhz = 100
array = { dataflow = "weight_stationary", rows = 4, columns = 4 }
[[memory]]
name = "all"
holds = ["ifmap", "weight", "ofmap", "psum"]
size_bytes = 1024
read_bits_per_cycle = 32
write_bits_per_cycle = 32
"""


@pytest.fixture
def edge(tmp_path, monkeypatch):
    """Write edge.toml into the current folder and return the problems of loading it."""
    monkeypatch.chdir(tmp_path)

    def problems(text: str) -> list[str]:
        (tmp_path / "edge.toml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_accelerator("edge.toml")
        assert caught.value.where == "edge.toml"
        return str(caught.value).splitlines()

    return problems


def test_a_minimal_machine_loads(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_accelerator(path).peak_macs_per_second == 16e8


def test_all_problems_at_once(edge):
    text = """
    name = ""
    clock_mhz = "fast"
    energy_table = "generic_46nm"
    rows = 16
    memory = [{ name = "a", holds = ["ifmap", "weigth"], size = 3 }]
    vector = 5
    [array]
    dataflow = "weight_stationery"
    rows = 0
    columns = "16"
    drain = "sideways"
    overlap_load = 1
    [datapath]
    psum = "int20:rap"
    accumulator = "int99"
    multiplier_weight_bits = 40
    multiplier_activation_bits = "any"
    requantizer = { scheme = "fixedpoint", rounding = "half_upp", multiplier_bits = true }
    [[layer]]
    match = "a"
    [[layer]]
    psum = 3
    requantizer = "float32:3"
    """
    assert edge(text) == [
        "edge.toml: name must be a text that is not empty, not ''",
        "edge.toml: clock_mhz must be a positive number, not 'fast'",
        "edge.toml: energy_table 'generic_46nm' is unknown; did you mean 'generic_45nm'?",
        "edge.toml: array.dataflow 'weight_stationery' is unknown; did you mean 'weight_stationary'?",
        "edge.toml: array.rows must be a positive integer, not 0",
        "edge.toml: array.columns must be a positive integer, not '16'",
        "edge.toml: array.drain must be one of none, down, right, not 'sideways'",
        "edge.toml: array.overlap_load must be true or false, not 1",
        "edge.toml: datapath.multiplier_weight_bits must be an integer from 1 to 32 or 'matched', not 40",
        "edge.toml: datapath.multiplier_activation_bits must be an integer from 1 to 32 or 'matched', not 'any'",
        "edge.toml: datapath.psum is 'int20:rap': overflow 'rap' is unknown; did you mean 'wrap'?",
        "edge.toml: datapath.accumulator must be 2 to 64 bits wide, not 'int99'",
        "edge.toml: datapath.requantizer.scheme 'fixedpoint' is unknown; did you mean 'fixed_point'?",
        "edge.toml: datapath.requantizer.multiplier_bits must be an integer from 2 to 32, not true",
        "edge.toml: datapath.requantizer.rounding 'half_upp' is unknown; did you mean 'half_up'?",
        "edge.toml: vector must be a table, not 5",
        "edge.toml: memory[0].holds[1] 'weigth' is unknown; did you mean 'weight'?",
        "edge.toml: memory[0].size_bytes is missing; it must be a positive integer",
        "edge.toml: memory[0].read_bits_per_cycle is missing; it must be a positive integer",
        "edge.toml: memory[0].write_bits_per_cycle is missing; it must be a positive integer",
        "edge.toml: memory[0].size is not a known key; did you mean 'size_bytes'?",
        "edge.toml: layer[0] must state at least one of psum, accumulator, segment_scaling, requantizer, arithmetic",
        "edge.toml: layer[1].match is missing; it must be a text that is not empty",
        "edge.toml: layer[1].psum must be 'exact' or a signed register such as int16:saturate, not 3",
        "edge.toml: layer[1].requantizer states multiplier_bits = 3, but float32 does not read it; it has no keys "
        '(a text such as requantizer = "float32" leaves the others out)',
        "edge.toml: rows is not a known key; did you mean 'array.rows'?",
    ]


def test_an_empty_file_lacks_what_has_no_default(edge):
    assert edge("") == [
        "edge.toml: name is missing; it must be a text that is not empty",
        "edge.toml: clock_mhz is missing; it must be a positive number",
        "edge.toml: array is missing; it must be a table",
        "edge.toml: memory is missing; it must be a list of tables",
    ]


def test_operands_without_a_home_are_reported_beside_other_problems(edge):
    text = GOOD.replace('holds = ["ifmap", "weight", "ofmap", "psum"]', 'holds = ["ifmap", "weight"]')
    text += '[[memory]]\nname = "all"\nholds = ["weight", "ofmap"]\n' + "\n".join(
        f"{key} = 8" for key in ("size_bytes", "read_bits_per_cycle", "write_bits_per_cycle")
    )
    homes = [
        "edge.toml: memory: operand 'weight' must be held by exactly one on-chip memory of level 1, not 2 (all, all)",
        "edge.toml: memory: operand 'psum' must be held by exactly one on-chip memory of level 1, not 0; add it to `holds` of a [[memory]]",
        "edge.toml: memory: name 'all' is used twice",
    ]
    assert edge(text) == homes
    assert edge(text.replace("rows = 4", "rows = 4.0")) == [
        "edge.toml: array.rows must be a positive integer, not 4.0",
        *homes,
    ]


def test_the_name_dram_is_taken(edge):
    assert edge(GOOD.replace('"all"', '"dram"')) == [
        "edge.toml: memory: name 'dram' is reserved for the off-chip memory"
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("clock = 3", "clock is not a known key; did you mean 'clock_mhz'?"),
        ("dram.size_gb = 3", "dram.size_gb is not a known key; known: bits_per_cycle, burst_bits, kind, latency_cycles, separate_writes"),
        ("dram.latency_cycles = -1", "dram.latency_cycles must be an integer not below 0, not -1"),
        ("description = 2020-01-01", "description must be a text, not 2020-01-01"),
        ("layer = {}", "layer must be a list of tables, not a table"),
        ("dram = []", "dram must be a table, not an empty list"),
        ('energy_table = "./mine.toml"', "energy_table {cwd}/mine.toml is not a file"),
        ('datapath.psum = "uint8"', "datapath.psum must be 'exact' or a signed register such as int16:saturate, not 'uint8'"),
        ("datapath.requantizer = 3", "datapath.requantizer must be a table or a text such as fixed_point:16:half_up, not 3"),
        ('datapath.requantizer = "fixed_point:99"', "datapath.requantizer.multiplier_bits must be an integer from 2 to 32, not 99"),
    ],
)  # fmt: skip
def test_one_wrong_key(edge, tmp_path, wrong, message):
    assert edge(wrong + "\n" + GOOD) == [
        f"edge.toml: {message.replace('{cwd}/mine.toml', repr(str(tmp_path / 'mine.toml')))}"
    ]


def test_broken_toml_says_where(edge):
    assert edge("name = 1\nrows = = 2") == [
        "edge.toml: the file is not valid TOML: Invalid value (at line 2, column 8)"
    ]


def test_a_missing_file_and_an_unknown_preset():
    with pytest.raises(ConfigError, match=r"^nowhere/edge\.toml: no such file$"):
        load_accelerator("nowhere/edge.toml")
    with pytest.raises(ConfigError) as caught:
        load_accelerator("edge_16x17")
    assert str(caught.value) == (
        "edge_16x17: there is no preset of this name; did you mean 'edge_16x16'? "
        "(a file is given as a path that ends in .toml)"
    )


def test_a_file_that_is_not_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edge.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"^edge\.toml: the file cannot be read: it is not UTF-8 text$"):
        load_accelerator("edge.toml")
    with pytest.raises(ConfigError, match=r"^\./: the file cannot be read: Is a directory$"):
        load_accelerator("./")


def test_precision_files_are_checked_the_same_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(
        """
        defaults = {}
        [default]
        weights = "int33"
        range = "min_max"
        weight_granularity = "group"
        [[layer]]
        match = "fc"
        [[layer]]
        match = "conv*"
        activations = 8
        bits = 4
        """,
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_precision("plan.toml")
    rule = "must be an integer format of 1 to 32 bits such as int8, uint4 or int8n, not"
    assert str(caught.value).splitlines() == [
        f"plan.toml: default.weights {rule.removesuffix(', not')}, or one of pot4, power4:0.5, power4:0.7@8, power4, "
        "codebook4, ternary, bipolar, fp4e2m1 and their widths, not 'int33'",
        "plan.toml: default.weight_granularity must be 'tensor', 'channel' or a group of input channels such as "
        "'group:32', not 'group'; did you mean 'group:32'?",
        "plan.toml: default.range 'min_max' is unknown; did you mean 'minmax'?",
        "plan.toml: layer[0] must state at least one of weights, activations, weight_granularity, weight_symmetry, "
        "activation_symmetry, range, activation_range, sparsity, psum, accumulator, segment_scaling, requantizer, arithmetic",
        f"plan.toml: layer[1].activations {rule.removesuffix(', not')}, or one of fp16, bf16, fp32, fp8e4m3fn, fp8e5m2, "
        "not '8'",
        "plan.toml: layer[1].bits is not a known key; known: accumulator, activation_range, activation_symmetry, activations, arithmetic, match, psum, "
        "range, requantizer, segment_scaling, sparsity, weight_granularity, weight_symmetry, weights",
        "plan.toml: defaults is not a known key; did you mean 'default'?",
    ]
