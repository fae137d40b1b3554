"""Configurations: what counts is read, what is wrong is listed at once."""

import pytest

from hwsim.errors import ConfigError
from hwsim.interchange.scalesim import read_config
from tests.interchange.scalesim.files import CONFIG


@pytest.fixture
def config(tmp_path):
    def read(*changes):
        text = CONFIG
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "machine.cfg"
        path.write_text(text)
        return read_config(path)

    return read


def problems(config, *changes):
    with pytest.raises(ConfigError) as caught:
        config(*changes)
    return caught.value.problems


def test_reads_what_counts(config):
    found = config()
    assert (found.run_name, found.rows, found.columns, found.dataflow, found.mode) == ("ours", 12, 14, "ws", "CALC")
    assert (found.ifmap_sram_kb, found.filter_sram_kb, found.ofmap_sram_kb, found.words_per_cycle) == (36, 37, 38, 10)
    assert found.estimates_bandwidth


def test_keys_without_regard_to_case_and_a_list_of_bandwidths(config):
    found = config(("ArrayHeight:", "arrayheight ="), ("Bandwidth : 10", "bandwidth: 7, 9, 11"), ("CALC", "USER"))
    assert (found.rows, found.words_per_cycle, found.mode) == (12, 7, "USER")


def test_sections_that_do_not_count_may_be_absent(config):
    text = CONFIG[CONFIG.index("[layout]") : CONFIG.index("[run_presets]")]
    assert config((text, ""), ("MemoryBanks:   1\n", ""), ("Bandwidth : 10\n", "")).words_per_cycle is None


def test_lists_every_problem(config):
    assert problems(
        config,
        ("ArrayHeight:    12", "ArrayHeigth: 12"),
        ("IfmapSramSzkB:    36", "IfmapSramSzkB: 36.5"),
        ("OfmapSramSzkB:    38", "OfmapSramSzkB: 0"),
        ("FilterOffset:   10000000", "FilterOffset: -1"),
        ("Dataflow : ws", "Dataflow : rs"),
        ("Bandwidth : 10", "Bandwidth : ten"),
        ("InterfaceBandwidth: CALC", "InterfaceBandwidth: GUESS"),
        ("SparsitySupport : false", "SparsitySupport : True"),
        ("[general]", "[generic]"),
    ) == (
        "section [generic] is unknown; did you mean 'general'?",
        "architecture_presets.arrayheigth is unknown; did you mean 'ArrayHeight'?",
        "architecture_presets.ArrayHeight is missing; it must be a positive integer",
        "architecture_presets.IfmapSramSzkB must be a positive integer, not '36.5'",
        "architecture_presets.OfmapSramSzkB must be a positive integer, not '0'",
        "architecture_presets.FilterOffset must be an integer of at least 0, not '-1'",
        "architecture_presets.Dataflow must be ws or os or is, not 'rs'",
        "run_presets.InterfaceBandwidth must be CALC or USER, not 'GUESS'",
        "architecture_presets.Bandwidth must be a list of positive integers (words a cycle), not 'ten'",
        "sparsity.SparsitySupport must be false, not true: sparse filters are not modelled",
    )


def test_user_mode_needs_a_bandwidth(config):
    (problem,) = problems(config, ("CALC", "USER"), ("Bandwidth : 10\n", ""))
    assert problem.startswith("architecture_presets.Bandwidth is missing; in USER mode it must be a list")


@pytest.mark.parametrize("change", [("[general]", "general"), ("Dataflow : ws", "Dataflow : ws\nDataflow : os")])
def test_broken_files(config, change):
    (problem,) = problems(config, change)
    assert problem.startswith("is not a valid .cfg: ")


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.cfg: cannot be read: No such file or directory"):
        read_config(tmp_path / "none.cfg")
