"""The few numbers that answer the question, for the summary block and the top of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hwsim.reporting.query import share
from hwsim.reporting.words import NONE, decibel, energy, is_number, percent, quantity
from hwsim.simulation.result import Result
from hwsim.units import PICO, human

FLOAT, FLOATING = "float_", "floating"
TERA = 1e12


@dataclass(frozen=True, slots=True)
class Fact:
    """One headline: ``label``, ``value`` as text, and a ``detail`` that may be empty."""

    label: str
    value: str
    detail: str = ""


def facts(result: Result) -> tuple[Fact, ...]:
    """Return the headlines of a result; what the run did not compute is left out."""
    found = (*_metrics(result), *_costs(result), *_numbers(result), *_mapping(result))
    return tuple(fact for fact in found if fact.value != NONE)


def _metrics(result: Result) -> Iterator[Fact]:
    metrics = dict(result.summary.get("metrics") or {})
    for name, value in metrics.items():
        if name.startswith(FLOAT) and name.removeprefix(FLOAT) in metrics:
            continue
        reference = metrics.get(FLOAT + name)
        if name == "accuracy" and is_number(value):
            change = f" ({(value - reference) * 100:+.2f})" if is_number(reference) else ""
            yield Fact(name, f"{percent(value, 2)} %", f"float {percent(reference, 2)} %{change}" if change else "")
        else:
            yield Fact(name, _metric(value), "" if reference is None else f"float {_metric(reference)}")
    if result.summary.get("images"):
        yield Fact("images", str(result.summary["images"]), _arithmetic(result))


def _arithmetic(result: Result) -> str:
    """Return in which numbers the array computed."""
    datapath = (result.manifest.get("accelerator") or {}).get("datapath") or {}
    kind, *formats = str(datapath.get("mac") or "").split(":")
    return f"products of {formats[0]} summed in {formats[1]}" if kind == FLOATING else "run in integers"


def _metric(value: Any) -> str:
    return f"{value:.4g}" if is_number(value) else str(value)


def _costs(result: Result) -> Iterator[Fact]:
    summary = result.summary
    batch = summary.get("batch") or 1
    each = "" if batch == 1 else f"batch of {batch}"
    joules, macs, dram = summary.get("energy_pj"), summary.get("macs"), summary.get("dram_bytes")
    dram_pj = result.energy.sum_by("component", "energy_pj").get("dram")
    dram_share = share(dram_pj, joules)
    per_inference = None if not is_number(joules) else joules / batch
    yield Fact("latency", quantity(summary.get("latency_s"), "s"), _join(each, _cycles(summary.get("cycles"))))
    yield Fact("frames/s", quantity(summary.get("frames_per_s")))
    yield Fact("throughput", _tera(summary.get("tops"), "OPS"), f"{quantity(macs)} MACs")
    yield Fact("efficiency", _tera(summary.get("tops_per_w"), "OPS/W"))
    yield Fact("energy/inference", energy(per_inference), _per_mac(joules, macs))
    yield Fact("average power", quantity(summary.get("power_w"), "W"))
    dram_bytes = dram / batch if is_number(dram) else None
    moved = f"{percent(dram_share)} % of energy" if dram_share is not None else ""
    yield Fact("DRAM/inference", quantity(dram_bytes, "B"), moved)
    use = summary.get("utilization")
    yield Fact("utilization", f"{percent(use)} %" if is_number(use) else NONE, "of peak MACs")
    area = summary.get("area_mm2")
    yield Fact("area", f"{area:.3g} mm²" if is_number(area) and area else NONE)


def _numbers(result: Result) -> Iterator[Fact]:
    sqnr = result.summary.get("sqnr_db")
    text = decibel(sqnr)
    yield Fact("output SQNR", f"{text} dB" if is_number(sqnr) else text)
    yield Fact("overflows", quantity(result.summary.get("overflow_events")), "in accumulators")


def _mapping(result: Result) -> Iterator[Fact]:
    how = result.manifest.get("scheduling") or {}
    kept = len(how.get("on_chip") or ())
    detail = f"{kept or 'no'} activation{'' if kept == 1 else 's'} on chip"
    yield Fact(
        "mapped for", str(how.get("objective") or NONE), _join(detail, "tiles stated" if how.get("stated") else "")
    )


def _tera(value: Any, unit: str) -> str:
    return human(value * TERA, unit) if is_number(value) else NONE


def _cycles(cycles: Any) -> str:
    return f"{quantity(cycles)} cycles" if is_number(cycles) else ""


def _per_mac(energy_pj: Any, macs: Any) -> str:
    each = share(energy_pj, macs)
    return "" if each is None else f"{human(each * PICO, 'J')} per MAC"


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
