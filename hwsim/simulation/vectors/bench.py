"""What the generated test bench is built with: sizes, widths and rules as SystemVerilog integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hwsim.execute.integer import Layer
from hwsim.interchange.vectors.vector import Vector
from hwsim.mapping.mapping import Mapping as ArrayMapping
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.rounding import Rounding
from hwsim.simulation.vectors.output_stage import OutputStage
from hwsim.simulation.vectors.region import Region

FLOWS = ("weight_stationary", "output_stationary", "input_stationary")
MODES = (Overflow.EXACT, Overflow.WRAP, Overflow.SATURATE)
ROUNDINGS = (
    Rounding.HALF_UP,
    Rounding.HALF_EVEN,
    Rounding.HALF_AWAY,
    Rounding.HALF_DOWN,
    Rounding.HALF_TO_ZERO,
    Rounding.FLOOR,
    Rounding.CEIL,
    Rounding.TO_ZERO,
    Rounding.AWAY,
)
SCALERS = ("none", "integer", "float32")  # what rescales the sums of folds; the bench stops before float32
OUTPUTS = ("none", "raw", "scaled", "thresholds")  # what the bench computes behind the sum
SCALED = ("fixed_point", "power_of_two")  # one integer multiplication and one rounding shift
WORDS = {
    "IFMAP": "array_ifmap",
    "WEIGHT": "array_weight",
    "PSUM": "array_psum",
    "ACCUMULATOR": "array_accumulator",
    "TERM": "array_term",
    "FOLD_SEGMENT": "fold_segment",
    "SEGMENT_MULTIPLIER": "segment_multiplier",
    "SEGMENT_SHIFT": "segment_shift",
    "FOLD_IFMAP_SUM": "fold_ifmap_sum",
    "SEGMENT_WEIGHT_ZERO": "segment_weight_zero_point",
    "CONSTANT": "column_constant",
    "IFMAP_SUM": "ifmap_sum",
    "WEIGHT_ZERO": "weight_zero_point",
    "SUM": "sum",
    "MULTIPLIER": "multiplier",
    "SHIFT": "shift",
    "THRESHOLD": "thresholds",
    "RESULT": "result",
    "PASSES": "passes",
}


def parameters(
    layer: Layer, mapping: ArrayMapping, region: Region, stage: OutputStage, vectors: Iterable[Vector]
) -> dict[str, int]:
    """Return the parameters of ``testbench.sv`` for one layer, by name.

    ``OUTPUT`` is an index of ``OUTPUTS``, ``SCALER`` of ``SCALERS``, ``ROUNDING`` of ``ROUNDINGS`` (of meaning for scaled
    outputs), and so is ``TERM_ROUNDING`` (of integer scalers).
    """
    array, datapath = mapping.array, layer.datapath
    by_name = {vector.name: vector for vector in vectors}
    facts, output = stage.facts, _output(stage, by_name)
    values = {
        "GROUPS": region.groups,
        "M": region.m,
        "N": region.n,
        "ROWS": array.rows,
        "COLUMNS": array.columns,
        "FLOW": FLOWS.index(array.dataflow),
        "FOLDS": len(mapping.k_segments),
        "EXACT_PRODUCTS": int(datapath.multiplier == "exact"),
        "ADDER_TREE": array.adder_tree,
        "PSUM_MODE": _mode(datapath.psum),
        "ACCUMULATOR_MODE": _mode(datapath.accumulator),
        "BIAS_AT_START": int(datapath.bias == "start"),
        "HAS_IFMAP_SUM": int("ifmap_sum" in by_name),
        "SCALER": SCALERS.index(_scaler(by_name)),
        "HAS_FOLD_IFMAP_SUM": int("fold_ifmap_sum" in by_name),
        "TERM_ROUNDING": ROUNDINGS.index(datapath.segment_scaling.rounding or Rounding.HALF_UP),
        "OUTPUT": OUTPUTS.index(output),
        "ROUNDING": ROUNDINGS.index(stage.unit.shift_rounding) if stage.unit and output == "scaled" else 0,
        "OUTPUT_ZERO_POINT": facts.get("zero_point", 0),
        "CLAMP_LOW": facts.get("clamp_low", 0),
        "CLAMP_HIGH": facts.get("clamp_high", 0),
    }
    for prefix, name in WORDS.items():
        found = by_name.get(name)
        values[f"{prefix}_BITS"] = found.bits if found else 1
        values[f"{prefix}_SIGNED"] = int(found.signed) if found else 0
        values[f"{prefix}_WORDS"] = found.values.size if found else 1
    return values


def _mode(register: Accumulator) -> int:
    return MODES.index(register.overflow)


def _scaler(written: Mapping[str, Vector]) -> str:
    if "array_term" not in written:
        return "none"
    return "float32" if "segment_scale" in written else "integer"


def _output(stage: OutputStage, written: Mapping[str, Vector]) -> str:
    if stage.unit is None:
        return "raw" if stage.facts["rule"] == "raw" else "none"
    if stage.unit.scheme == "thresholds":
        return "thresholds" if "thresholds" in written else "none"
    computed = stage.unit.scheme in SCALED and stage.unit.overflow is CodeOverflow.SATURATE
    return "scaled" if computed else "none"
