"""The three reports, letter for letter."""

from hwsim.interchange.scalesim import Access, LayerReport, write_reports

ACCESS = {
    "ifmap": Access(words=30, start_cycle=1, stop_cycle=8),
    "filter": Access(words=20, start_cycle=-4, stop_cycle=-1),
    "ofmap": Access(words=6, start_cycle=7, stop_cycle=9),
}


def report(**changes):
    numbers = {
        "cycles": 10,
        "prefetch_cycles": 13,
        "stall_cycles": 0,
        "overall_percent": 12.5,
        "mapping_percent": 100.0,
        "compute_percent": 1 / 3,
        "sram": ACCESS,
        "dram": ACCESS,
    }
    return LayerReport(**(numbers | changes))


def test_numbers_and_layout(tmp_path):
    compute, bandwidth, access = write_reports(tmp_path / "new", [report(), report(cycles=20)])
    assert compute.read_text() == (
        "LayerID, Total Cycles (incl. prefetch), Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, "
        "Compute Util %,\n0, 13, 10, 0, 12.5, 100.0, 0.3333333333333333,\n1, 13, 20, 0, 12.5, 100.0, 0.3333333333333333,\n"
    )
    assert bandwidth.read_text() == (
        "LayerID, Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, Avg FILTER DRAM BW, "
        "Avg OFMAP DRAM BW,\n0, 3.0, 2.0, 0.6, 3.75, 5.0, 2.0,\n1, 1.5, 1.0, 0.3, 3.75, 5.0, 2.0,\n"
    )
    cells = "1.0, 8.0, 30, -4.0, -1.0, 20, 7.0, 9.0, 6"
    assert access.read_text().splitlines()[1:] == [f"{layer}, {cells}, {cells}," for layer in (0, 1)]


def test_what_is_not_claimed_is_empty(tmp_path):
    counted = {operand: Access(words=access.words) for operand, access in ACCESS.items()}
    unknown = report(
        prefetch_cycles=None,
        stall_cycles=None,
        overall_percent=None,
        sram=counted,
        dram=dict.fromkeys(ACCESS, Access()),
    )
    lines = [path.read_text().splitlines()[1] for path in write_reports(tmp_path, [unknown])]
    assert lines == [
        "0, , 10, , , 100.0, 0.3333333333333333,",
        "0, , , , , , ,",
        "0, , , 30, , , 20, , , 6, , , , , , , , , ,",
    ]
