"""Cycles of published RTL arrays, measured edge by edge, equal the closed form.

Each design has its own events; the reader of its records says between which two the law counts, and whether the
stationary load lies between them.
"""

import json
from dataclasses import dataclass

import pytest

from hwsim.cost.array_cycles import gemm_cycles
from hwsim.hardware.parts import SystolicArray
from tests.cost.reference import reference_data

FOLDER = reference_data() / "rtl"
FLOWS = {"WS": "weight_stationary", "OS": "output_stationary", "IS": "input_stationary"}


@dataclass(frozen=True)
class Design:
    """An array's constants: registers per vertical hop, fixed latency, drain, and what its counts include."""

    hops: int = 1
    latency: int = 0
    drain: str = "none"
    with_load: bool = False
    overlap: bool = False

    def cycles(self, record):
        """Return the law's count for a record."""
        array = SystolicArray(
            dataflow=FLOWS[record["dataflow"]], rows=record["rows"], columns=record["cols"],
            vertical_hop_registers=self.hops, pipeline_latency_cycles=self.latency, drain=self.drain,
            overlap_load=self.overlap, overlap_drain=self.overlap,
        )  # fmt: skip
        k = record.get("K_padded", record["K"])
        load = 0 if record["dataflow"] == "OS" or self.with_load else record["rows"]
        return gemm_cycles(array, record["M"], k, record["N"]).total - load


def between(first, last):
    return lambda events: events[last] - events[first] + 1


def first_tile(first, last):
    return lambda events: events["per_tile"][0][last] - events["per_tile"][0][first] + 1


def leo(record):
    """Batches follow one another every 8 cycles; the last of a batch's write strobes writes nothing."""
    events = record["cycles_by_event"]
    return (events["last_write"] - 1) - (events["first_alu_cycle"] + 8 * record.get("batch_index", 0)) + 1


def read(record):
    """Return (design, measured cycles) of a record, or None where its design is not one of the table."""
    where, events, flow = (
        f"{record.get('repo', '')} {record.get('file', '')}",
        record["cycles_by_event"],
        record["dataflow"],
    )
    if "pe_grid" in where:
        return Design(with_load=True), events["total"]
    if "tiny-tpu" in where:
        return Design(latency=1), events["compute_first_A_to_last_out_tile0"]
    if "MeshWithDelays" in where and flow == "WS":
        return Design(latency=3, with_load=True, overlap=True), events["total_from_first_weight"]
    if "MeshWithDelays" in where:
        return Design(latency=3, drain="down", overlap=True), events["total_from_first_A"]
    if "axis" in where:
        latency = record["mul_latency"] + record["acc_latency"]
        overlap = events["mode"] == "back_to_back"
        return Design(latency=latency, drain="right", overlap=overlap), between("first_in", "last_out")(events)
    if "Systolic-Tensors" in where and flow == "OS":
        return Design(latency=5), first_tile("first_token_edge", "done_visible_edge")(events)
    if "Systolic-Tensors" in where and flow == "WS":
        return Design(hops=4, latency=5), first_tile("first_A_edge", "last_out_visible_edge")(events)
    if "Systolic-Tensors" in where:
        return Design(hops=4, latency=5), first_tile("first_W_edge", "last_out_visible_edge")(events)
    if "traditional_systolic" in where:
        if flow == "OS":
            return Design(latency=1, drain="down"), events["total"]
        return Design(hops=2, latency=2, with_load=True), events["total"]
    if "tpu_top" in where:
        return Design(latency=3), leo(record)
    return None


def usable(path):
    """Return the records of one fold, and of several where the design's events span them all."""
    records = [r for r in json.loads(path.read_text()) if "dataflow" in r and "cycles_by_event" in r]
    return [r for r in records if r.get("tiles", 1) == 1 or "pe_grid" in r["file"] or "axis" in r["repo"]]


CASES = [
    (path.stem, index, record)
    for path in sorted(FOLDER.glob("*.json"))
    if not path.stem.startswith(("system_", "sat_", "requant_", "golden_"))  # whole accelerators and single units
    for index, record in enumerate(usable(path))
]


def test_there_are_records():
    if not CASES:
        pytest.skip(f"no array records in {FOLDER.name}/")
    assert all(read(record) is not None for _, _, record in CASES)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_law(name):
    wrong = []
    for stem, index, record in CASES:
        if stem == name:
            design, measured = read(record)
            if design.cycles(record) != measured:
                wrong.append((index, design.cycles(record), measured))
    assert not wrong


def mesh(flow):
    path = FOLDER / f"{flow.lower()}_gemmini_mesh16.json"
    return json.loads(path.read_text()) if path.is_file() else []


@pytest.mark.parametrize("flow", ["WS", "OS"])
def test_overlapped_tiles_of_the_gemmini_mesh(flow):
    """Many tiles: loads and drains hide, and the whole takes as long as the closed form with both overlaps says."""
    design = Design(latency=3, drain="down", with_load=True, overlap=True)
    records = [r for r in mesh(flow) if flow == "OS" or r["M"] % 16 == 0 or r["M"] < 16]  # it sends blocks of 16 rows
    if not records:
        pytest.skip(f"no records of the {flow} mesh")
    for record in records:
        bias_rows = record["rows"] if flow == "OS" else 0
        name = "total_from_first_bias" if flow == "OS" else "total_from_first_weight"
        assert design.cycles(record) + bias_rows == record["cycles_by_event"][name]
