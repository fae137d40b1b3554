"""The published arrays: which preset each is, and what its test bench counts, said in terms of the product's cycles.

An event is an edge: the first operand of a run enters at edge 0. The product counts cycles, both ends included, so that
something that takes ``n`` cycles from edge ``e`` is there at edge ``e + n - 1``. Events that the test bench itself decides
are taken from the record (``given``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hwsim.cost.array_cycles import exposed_cycles, fold_count, sequence_cycles
from hwsim.hardware import load_accelerator

FLOWS = {"WS": "weight_stationary", "OS": "output_stationary", "IS": "input_stationary"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A record on its machine, and the cycles that the product gives for it."""

    record: dict
    machine: object

    @property
    def array(self):
        return self.machine.array

    @property
    def load(self):
        """Cycles of the stationary operand's first load."""
        return 0 if self.array.flow.reduces_in_time else self.array.rows

    @property
    def stream(self):
        return self.record[self.array.flow.time.upper()]

    @property
    def tiles(self):
        return int(fold_count(self.array, {dim: np.array([self.record[dim.upper()]]) for dim in "mkn"})[0])

    def total(self, tiles=None, stream=None, **changes):
        """Cycles of so many full folds, from the first load on."""
        array = self.array.model_copy(update=changes)
        size = {array.flow.rows: array.rows, array.flow.columns: array.columns, array.flow.time: stream or self.stream}
        count = self.tiles if tiles is None else tiles
        return sequence_cycles(array, {dim: np.full(count, size[dim]) for dim in "mkn"}).total

    def streamed(self, tiles=None, **changes):
        """The same from the first streamed operand on."""
        return self.total(tiles, **changes) - self.load

    @property
    def first_result(self):
        """Cycles from the first streamed operand to the first result of a weight- or input-stationary array."""
        return self.streamed(1, stream=1, columns=1)


def first_operands(run):
    """The names under which a bench records its first stationary and its first streamed operand."""
    names = [name for name in run.record["cycles_by_event"] if name.startswith(("first_weight", "first_W", "first_A"))]
    names = [name for name in names if "cycle" not in name]
    if run.record["dataflow"] == "IS":
        names.sort(key=lambda name: not name.startswith("first_A"))
    else:
        names.sort(key=lambda name: name.startswith("first_A"))
    return dict(zip(names, (0, run.load), strict=True))


def pe_grid(run):
    one = run.total(1)
    return first_operands(run) | {
        "first_out": run.load + run.first_result - 1,
        "last_out": run.total() - 1,
        "total": run.total(),
        "per_tile_cycles": [one] * run.tiles,
        "compute_only_first_tile": run.streamed(1),
        "latency_A_row_to_first_out_col": run.first_result - 1,
    }


def tiny_tpu(run):
    """The bench loads each tile's weights between its own edge 0 and its own ``first_A_row``."""
    start, tile = run.record["cycles_by_event"]["first_A_row"], run.streamed(1)
    last = run.tiles * (start + tile) - 1
    return {
        "first_out": start + run.first_result - 1,
        "last_out": last,
        "total_harness": last,
        "compute_first_A_to_last_out_tile0": tile,
        "latency_A_row_to_first_out_col": run.first_result - 1,
    }


def mesh_stationary(run):
    """All columns of a row leave together; a request is a block of rows, the first one is the first load."""
    latency = run.streamed(1, stream=1) - 1
    block, total = run.array.stream_block, run.total()
    blocks = run.tiles * -(-run.stream // block)
    return first_operands(run) | {
        "last_row_accepted": total - 1 - latency,
        "first_out": run.load + latency,
        "last_out": total - 1,
        "latency_row_in_to_row_out": latency,
        "total_from_first_weight": total,
        "total_from_first_A_tile": total,
        "total_from_first_A": total - run.load,
        "req_fire_edges": [0] + [run.load + block * i for i in range(blocks)],
        "rows_per_request": [run.load] + [block] * (blocks - 1) + [(run.stream - 1) % block + 1],
    }


def mesh_output_stationary(run):
    """A block of bias rows goes in front of the operands, an empty one behind them pushes the results out."""
    bias, block = run.array.rows, run.array.stream_block
    blocks = run.tiles * -(-run.stream // block)
    return {
        "first_bias_row_accepted": 0,
        "first_A_row_accepted": bias,
        "last_operand_row_accepted": bias + blocks * block - 1,
        "first_out": bias + run.total(1) - run.array.rows,
        "last_out": bias + run.total() - 1,
        "total_from_first_bias": bias + run.total(),
        "total_from_first_A": run.total(),
        "req_fire_edges": [block * i for i in range(1 + blocks + 1)],
    }


def axis(run):
    """A tile's results leave in one beat per column; ``stall_cycles`` are those without an operand before the last one."""
    one, total = run.total(1), run.total()
    ends = [run.total(i + 1) for i in range(run.tiles)]
    last_in = total - one + run.stream - 1
    exposed = exposed_cycles(run.array, np.array([run.stream]), np.array([run.stream]))[0]
    return {
        "first_in": 0,
        "last_in": last_in,
        "first_out": one - run.array.columns,
        "in_to_first_out": one - run.array.columns,
        "last_out": total - 1,
        "total": total,
        "stall_cycles": last_in + 1 - run.tiles * run.stream,
        "last_in_to_last_out": total - 1 - last_in,
        "tile_first_accept": [end - one for end in ends],
        "tile_last_out": [end - 1 for end in ends],
        "mode": "drained" if exposed else "back_to_back",
    }


def tensors_stationary(run):
    """Its counts leave the last edge out: the next tile enters at the edge at which the last result is visible."""
    one = run.total(1) - 1
    tiles = [
        {
            "first_weight_edge": start,
            "first_A_edge": start + run.load,
            "first_out_visible_edge": start + run.load + run.first_result - 1,
            "last_out_visible_edge": start + one,
            "done_visible_edge": start + one,
            "rtl_cycles_count": run.streamed(1) - 2,
        }
        for start in range(0, run.tiles * one, one)
    ]
    return {"per_tile": tiles, "total": run.tiles * one}


def tensors_output_stationary(run):
    one = run.total(1) - 1
    tiles = [
        {
            "first_token_edge": start,
            "done_visible_edge": start + one,
            "last_result_change_visible_edge": start + change,
            "rtl_cycles_count": one - 1,
        }
        for start, change in zip(range(0, run.tiles * one, one), last_changes(run), strict=True)
    ]
    return {"per_tile": tiles, "total": run.tiles * one}


def last_changes(run):
    """When each tile's last result changes: a first product replaces the sum before it, others change it unless they are 0.

    Product k of row i and column j is visible i + j + k edges after the first of the array, which has the latency of an
    array of one element.
    """
    rows, columns, bits = run.array.rows, run.array.columns, run.record["bits_acc"]
    a, w = np.array(run.record["A"]), np.array(run.record["W"])
    delay = run.total(1, stream=1, rows=1, columns=1) - 1
    held = np.zeros((rows, columns), dtype=np.int64)
    for m in range(0, a.shape[0], rows):
        for n in range(0, w.shape[1], columns):
            left, right = np.zeros((rows, a.shape[1]), int), np.zeros((a.shape[1], columns), int)
            left[: len(a[m : m + rows])] = a[m : m + rows]
            right[:, : w[:, n : n + columns].shape[1]] = w[:, n : n + columns]
            products = np.einsum("ik,kj->kij", left, right) % (1 << bits)
            changes = products != 0
            changes[0] = products[0] != held
            held = products.sum(axis=0) % (1 << bits)
            yield delay + int((np.stack(np.nonzero(changes)).sum(axis=0)).max(initial=0))


def scalesim_stationary(run):
    return first_operands(run) | {
        "first_out": run.load + run.first_result - 1,
        "last_out": run.total() - 1,
        "total": run.total(),
    }


def scalesim_output_stationary(run):
    """Operands enter skewed along the longer edge; a row of results leaves per cycle."""
    return {
        "first_operand": 0,
        "last_operand": run.stream - 1 + max(run.array.rows, run.array.columns) - 1,
        "drain_start": run.total() - run.array.rows,
        "first_out": run.total() - run.array.rows,
        "last_out": run.total() - 1,
        "total": run.total(),
    }


def leo(run):
    """Batches follow one another; the last write strobe of each writes nothing, and that of the last batch ends the run."""
    start, batch = run.record["cycles_by_event"]["first_alu_cycle"], run.record.get("batch_index", 0)
    ends = [start + run.total(i + 1) - 1 for i in range(run.record.get("batch_size", 1))]
    first = start + run.total(1, rows=1, columns=1) - 1
    return {
        "tpu_start": 0,
        "first_write": first + ends[batch] - ends[0],
        "last_write": ends[batch] + 1,
        "tpu_done": ends[-1] + 1,
    }


@dataclass(frozen=True, kw_only=True)
class Design:
    """A published array.

    Args:
        where: a part of a record's repository and file.
        presets: by dataflow.
        events: by dataflow, from a run to the expected edges and counts by name.
        given: events that the test bench decides.
        keys: overrides beside the size, from a record.
        wide_sums: sums of k tiles are made outside, at the preset's accumulator width; else at that of the array's sums.
    """

    where: str
    presets: dict[str, str]
    events: dict[str, Callable]
    given: frozenset = frozenset()
    keys: Callable = field(default=lambda record: [])
    wide_sums: bool = False

    def run(self, record):
        """Return the record on its machine: the preset with the record's size, dataflow and registers."""
        flow = record["dataflow"]
        machine = load_accelerator(self.presets[flow])
        psum = f"int{record['bits_acc']}:{machine.datapath.psum.overflow}"
        overrides = [
            f"array.rows={record['rows']}",
            f"array.columns={record['cols']}",
            f"array.dataflow={FLOWS[flow]}",
            f"datapath.psum={psum}",
            *([] if self.wide_sums else [f"datapath.accumulator={psum}"]),
            *self.keys(record),
        ]
        return Run(record=record, machine=load_accelerator(self.presets[flow], overrides=overrides))


DESIGNS = (
    Design(
        where="rtl/pe_grid.v",
        presets=dict.fromkeys(("WS", "IS"), "pe_grid_16x16"),
        events=dict.fromkeys(("WS", "IS"), pe_grid),
    ),
    Design(
        where="cameronshinn/tiny-tpu",
        presets={"WS": "tiny_tpu_2x2"},
        events={"WS": tiny_tpu},
        given=frozenset({"first_weight_row", "first_A_row"}),
    ),
    Design(
        where="gen-collateral/MeshWithDelays.sv",
        presets={"WS": "gemmini_16x16", "IS": "gemmini_16x16", "OS": "gemmini_16x16_os"},
        events={"WS": mesh_stationary, "IS": mesh_stationary, "OS": mesh_output_stationary},
        keys=lambda record: (
            ["datapath.accumulator=int20:wrap", "datapath.requantizer=power_of_two:half_even"]
            if record["dataflow"] == "OS"
            else []
        ),
        wide_sums=True,
    ),
    Design(
        where="abarajithan11/axis-systolic-array",
        presets={"OS": "axis_systolic_array_4x8"},
        events={"OS": axis},
        keys=lambda record: [f"array.pipeline_latency_cycles={record['mul_latency'] + record['acc_latency']}"],
    ),
    Design(
        where="Arjun0170/Systolic-Tensors",
        presets={"WS": "systolic_tensors_64x64_ws", "OS": "systolic_tensors_64x64_os"},
        events={"WS": tensors_stationary, "OS": tensors_output_stationary},
    ),
    Design(
        where="traditional_systolic.v",
        presets={flow: f"scalesim_rtl_32x32_{flow.lower()}" for flow in FLOWS},
        events={"WS": scalesim_stationary, "IS": scalesim_stationary, "OS": scalesim_output_stationary},
    ),
    Design(
        where="8x8_ctime_3.01/hdl/tpu_top.v",
        presets={"OS": "leo_tpu_8x8"},
        events={"OS": leo},
        given=frozenset({"first_alu_cycle"}),
    ),
)


def design_of(record):
    """Return the design of a record; a record of an unknown design, or of a new dataflow of a known one, is an error."""
    where = f"{record.get('repo', '')} {record.get('file', '')}"
    found = [design for design in DESIGNS if design.where in where]
    if len(found) != 1 or record["dataflow"] not in found[0].presets:
        raise LookupError(
            f"no published array of these is {where!r} with dataflow {record['dataflow']!r}; add it to DESIGNS"
        )
    return found[0]
