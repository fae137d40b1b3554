"""Inheritance between machine files: what is merged, what is not, and where paths start."""

import pytest

from hwsim.errors import ConfigError
from hwsim.hardware import dump_toml, load_accelerator
from hwsim.hardware.files import merge


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


def problems(name: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_accelerator(name)
    return str(caught.value).splitlines()


def test_a_variant_states_only_what_differs(write):
    write(
        "wide.toml",
        'extends = "edge_16x16"\nname = "wide"\narray.columns = 64\ndatapath.requantizer.rounding = "floor"',
    )
    base, wide = load_accelerator("edge_16x16"), load_accelerator("wide.toml")
    assert (wide.name, wide.description, wide.array.columns, wide.array.rows) == ("wide", "", 64, 16)
    assert str(wide.datapath.requantizer) == "fixed_point:32:floor"
    assert (wide.memory, wide.dram) == (base.memory, base.dram)


def test_memories_are_merged_by_name_and_new_ones_follow(write):
    write(
        "split.toml",
        """
        extends = "edge_16x16"
        name = "split"
        [[memory]]
        name = "weights"
        size_bytes = 8
        [[memory]]
        name = "ofmap"
        holds = ["psum"]
        [[memory]]
        name = "accumulators"
        holds = ["ofmap"]
        """,
    )
    machine = load_accelerator("split.toml")
    assert [level.name for level in machine.memory] == ["ifmap", "weights", "ofmap", "accumulators"]
    assert (machine.memory_of("weight").size_bytes, machine.memory_of("weight").read_bits_per_cycle) == (8, 128)
    assert machine.memory_of("psum").name == "ofmap"


def test_two_new_memories_of_one_name_are_an_error(write):
    memory = (
        '[[memory]]\nname = "x"\nholds = ["psum"]\nsize_bytes = 1\nread_bits_per_cycle = 1\nwrite_bits_per_cycle = 1\n'
    )
    write("twice.toml", f'extends = "edge_16x16"\nname = "twice"\n{memory}{memory}')
    assert problems("twice.toml") == [
        "twice.toml: memory: operand 'psum' must be held by exactly one on-chip memory of level 1, not 3 (accumulators, x, x)",
        "twice.toml: memory: name 'x' is used twice",
    ]


def test_layer_rules_are_appended_so_that_the_variant_wins(write):
    write("a.toml", 'extends = "edge_16x16"\nname = "a"\n[[layer]]\nmatch = "c*"\npsum = "int10:wrap"')
    write("b.toml", 'extends = "a.toml"\nname = "b"\n[[layer]]\nmatch = "conv"\npsum = "int11:wrap"')
    machine = load_accelerator("b.toml")
    assert [rule.match for rule in machine.layer] == ["c*", "conv"]
    assert str(machine.datapath_for("conv").psum) == "int11:wrap"
    assert str(machine.datapath_for("cat").psum) == "int10:wrap"


def test_a_name_is_not_inherited_but_taken_from_the_file(write):
    write("nameless.toml", 'extends = "edge_16x16"')
    assert load_accelerator("nameless.toml").name == "nameless"


def test_paths_start_at_the_file_that_states_them(write, tmp_path):
    write("deep/er/base.toml", 'extends = "edge_16x16"\nname = "base"\nenergy_table = "../ours.toml"')
    write("deep/ours.toml", "")
    write("top.toml", 'extends = "deep/er/base.toml"\nname = "top"')
    machine = load_accelerator("top.toml")
    assert machine.energy_table == str(tmp_path / "deep" / "er" / ".." / "ours.toml")
    write("elsewhere/resolved.toml", dump_toml(machine))
    assert load_accelerator("elsewhere/resolved.toml") == machine


def test_cycles_and_missing_bases(write):
    write("a.toml", 'extends = "sub/b.toml"\nname = "a"')
    write("sub/b.toml", 'extends = "../a.toml"\nname = "b"')
    write("self.toml", 'extends = "self.toml"\nname = "self"')
    write("lost.toml", 'extends = "gone.toml"\nname = "lost"')
    write("typo.toml", 'extends = "gemini_16x16"\nname = "typo"')
    write("number.toml", 'extends = 3\nname = "number"')
    assert problems("a.toml") == ["a.toml: extends forms a cycle: a.toml -> sub/b.toml -> ../a.toml"]
    assert problems("self.toml") == ["self.toml: extends forms a cycle: self.toml -> self.toml"]
    assert problems("lost.toml") == ["lost.toml: extends 'gone.toml': no such file"]
    assert problems("typo.toml") == [
        "typo.toml: extends 'gemini_16x16': there is no such preset; did you mean 'gemmini_16x16'? "
        "(a file is given as a path that ends in .toml)"
    ]
    assert problems("number.toml") == ["number.toml: extends must be the name of a preset or a path, not 3"]


def test_a_list_that_is_not_of_tables_is_replaced_and_reported(write):
    write("odd.toml", 'extends = "edge_16x16"\nname = "odd"\nmemory = 3\nlayer = [1]')
    assert problems("odd.toml") == [
        "odd.toml: memory must be a list of tables, not 3",
        "odd.toml: layer[0] must be a table, not 1",
    ]


def test_merging_leaves_its_arguments_alone():
    base = {"array": {"rows": 1}, "memory": [{"name": "a", "size_bytes": 1}]}
    merge(base, {"array": {"rows": 2}, "memory": [{"name": "a", "size_bytes": 2}]})
    assert base == {"array": {"rows": 1}, "memory": [{"name": "a", "size_bytes": 1}]}
