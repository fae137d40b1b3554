"""Does a table file load as written, and does a broken one name all of its problems?"""

import pytest

from hwsim.energy import load_table, table_names
from hwsim.energy.lawbook import Laws
from hwsim.energy.records import STATUSES
from hwsim.errors import ConfigError, HwsimError

HEAD = 'base = "generic_45nm"\ndescription = "mine"\n'


@pytest.fixture
def written(tmp_path):
    """Return a writer of a table file."""

    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", table_names())
def test_every_table_loads_and_says_where_its_numbers_come_from(name):
    table = load_table(name)
    rows = table.provenance()
    assert table.name == name
    assert [row.component for row in table.law_rows] == list(Laws.__dataclass_fields__)
    assert len({row.component for row in rows}) == len(rows)
    for row in rows:
        assert row.status in STATUSES
        assert all((row.component, row.formula, row.source, row.uncertainty)), row


def test_the_tables_that_come_along():
    assert set(table_names()) >= {"generic_45nm", "generic_28nm", "generic_16nm", "generic_7nm", "horowitz_45nm"}


def test_provenance_of_a_table_names_its_own_laws():
    rows = {row.component: row for row in load_table("generic_7nm").provenance()}
    assert rows["multiply_fj"].formula == "3.85 * max(a*b - (0.75)*(a + b), 0.2*a*b)"
    assert "TPUv4i" in rows["sram_root_pj"].source
    assert rows["sram_root_pj"].status == "memory"
    assert rows["dram hbm2"].formula == "3.97 pJ/bit (default)"


def test_unknown_name_and_absent_file():
    with pytest.raises(HwsimError, match="no energy table 'generic_45'; did you mean 'generic_45nm'"):
        load_table("generic_45")
    with pytest.raises(HwsimError, match=r"energy table no/such\.toml: there is no such file"):
        load_table("no/such.toml")


def test_overrides_fix_prices(written):
    path = written(
        HEAD
        + """[overrides]
"multiply_pj( 8,8 )" = 0.21
"sram_read_pj" = { value = 12.5, source = "post-layout, run 12", status = "read" }
"requantize_pj(power_of_two, 32, 8)" = 0
"multiplier_area_um2(8, 8)" = 300
"""
    )
    table, base = load_table(str(path)), load_table("generic_45nm")
    assert table.multiply_pj(8, 8) == table.multiply_pj(8, 8, activity=0.1) == 0.21
    assert table.multiply_pj(a_bits=8, b_bits=8) == 0.21
    assert table.multiply_pj(8, 4) == base.multiply_pj(8, 4)
    assert table.mac_pj(8, 8, 32) == pytest.approx(0.21 + base.add_pj(32))
    assert table.sram_read_pj(2**20, 64) == table.sram_read_pj(2**12, 32) == 12.5
    assert table.requantize_pj("power_of_two", 32, 8) == 0.0
    assert table.multiplier_area_um2(8, 8) == 300
    rows = {row.component: row for row in table.provenance()}
    assert rows["sram_read_pj"].source == "post-layout, run 12"
    assert rows["multiply_pj(8, 8)"].status == "stated"


def test_a_law_is_replaced_as_a_whole_and_bases_chain(written):
    written(
        HEAD + '[laws.wire_pj_per_bit_mm]\nvalue = 0.2\nsource = "s"\nstatus = "stated"\nuncertainty = "u"\n', "a.toml"
    )
    table = load_table(written('base = "a.toml"\ndescription = "b"\n[dram]\ndefault = "hbm3"\n', "b.toml"))
    assert (table.wire_pj_per_bit_mm(), table.dram_pj_per_bit()) == (0.2, 4.05)
    with pytest.raises(ConfigError, match=r"laws\.add_fj\.source is missing"):
        load_table(written(HEAD + "[laws.add_fj]\nper_bit = 3\n"))


def test_all_problems_of_a_file_at_once(written):
    path = written(
        """base = "generic_45nm"
description = ""
colour = 1
[technology]
node_nm = 5
voltage_v = 2.0
[sram]
device = "lstq"
temperature_k = "hot"
[laws.add_fj]
per_bits = 3.1
source = "s"
status = "guessed"
uncertainty = "u"
[laws.multiply_fj]
slope = 3.85
linear = 0.75
floor = 0.0
source = "s"
status = "fit"
uncertainty = "u"
[dram]
default = "hbm"
[dram.types.mine]
pj_per_bit = -1
source = "s"
status = "read"
[overrides]
"multiply_pj(8)" = 1
"multiplypj" = 1
"vector_op_pj(exq, 8)" = 1
"add_pj(8)" = true
"""
    )
    with pytest.raises(ConfigError) as caught:
        load_table(path)
    problems = caught.value.problems
    expected = [
        "unknown key colour; known: base, description, dram, laws, overrides, sram, technology",
        "description must be a text, not ''",
        "technology.voltage_v must be within 0.5 to 1.5 of nominal_voltage_v (0.9), not 2",
        "technology.node_nm must be between 7 and 130, not 5",
        "sram.energy_law 'cacti' holds above 10 nm (it is 8x below TPUv4i at 7 nm), but technology.node_nm is 5; "
        "use 'root' with laws.sram_root_pj, or base = \"generic_7nm\"",
        "sram.device must be one of lstp, hp, lop, not 'lstq'; did you mean 'lstp'?",
        "sram.temperature_k must be a finite number, not 'hot'",
        "laws.multiply_fj gives 0 for 1 x 1 bits; it must be positive: state a larger floor",
        "unknown key laws.add_fj.per_bits; did you mean 'per_bit'?",
        "laws.add_fj.per_bit is missing; it must be a number",
        "laws.add_fj.status must be one of read, second hand, memory, own synthesis, own run, fit, derived, "
        "assumption, stated, not 'guessed'",
        "dram.types.mine.pj_per_bit must be at least 0, not -1",
        "overrides: 'multiply_pj(8)' must be multiply_pj or multiply_pj(a_bits, b_bits), with positive integers for "
        "widths and sizes and a known scheme or kind",
        "overrides: 'multiplypj' names no price; did you mean 'multiply_pj'?",
        "overrides: 'vector_op_pj(exq, 8)' must be vector_op_pj or vector_op_pj(kind, bits), with positive integers "
        "for widths and sizes and a known scheme or kind",
        "overrides.'add_pj(8)'.value must be a finite number, not True",
    ]
    assert [problem for problem in problems if problem not in expected and "dram.default" not in problem] == []
    assert [problem for problem in expected if problem not in problems] == []
    assert all(line.startswith("mine.toml: ") for line in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base = [", r"mine\.toml: cannot be read as TOML"),
        ("base = 3", r"mine\.toml: base must be the name or path of a table, not 3"),
        ('base = "generic_4nm"', r"mine\.toml: base: no energy table 'generic_4nm'; did you mean"),
        ('base = "mine.toml"', r"mine\.toml: base goes in a circle: mine\.toml -> mine\.toml"),
        (
            'description = "x"',
            r"mine\.toml: section \[technology\] is missing\nmine\.toml: section \[sram\] is missing",
        ),
        (HEAD + "[laws]\nnode_area = 3\n", r"laws\.node_area must be a table, not 3"),
        (
            HEAD + '[laws.node_area]\nnodes_nm = [45, 22]\nfactors = [1, 2, 3]\nsource = "s"\nstatus = "fit"\n'
            'uncertainty = "u"\n',
            r"laws\.node_area\.nodes_nm must rise, not \[45\.0, 22\.0\]\n"
            r"mine\.toml: laws\.node_area must have one factor for each node, not 3 for 2",
        ),
        (HEAD + '[overrides]\n"add_pj(8)" = 1\n"add_pj( 8 )" = 2\n', r"'add_pj\( 8 \)' states add_pj\(8\) twice"),
    ],
)
def test_broken_files(written, text, message):
    with pytest.raises(ConfigError, match=message):
        load_table(written(text))
