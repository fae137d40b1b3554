"""The tables and figures of the study of recipes: ``summary.csv`` and, for each network and variant, accuracy against weight bits
and against energy, from ``ptq/points.csv``, which ``reports/ptq.py`` fills.

Run from anywhere: ``python reports/ptq_figures.py``.
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import matplotlib.pyplot as plt

from hwsim.reporting.palette import MARKERS, SPARE
from hwsim.reporting.tables import to_csv
from hwsim.tables import Table

FOLDER = Path(__file__).parent / "ptq"
KEYS = ("network", "variant", "recipe", "weights", "activations")
COSTS = ("latency_s", "energy_pj", "area_mm2", "dram_bytes")
WEIGHTS = ("int8", "int6", "int4", "int3", "int2")
ACTIVATIONS = ("uint8", "uint6", "uint4")


def main() -> None:
    plt.switch_backend("agg")
    plt.rcParams["svg.hashsalt"] = "hwsim"  # the same points give the same file
    with (FOLDER / "points.csv").open(encoding="utf-8", newline="") as file:
        table = summary(list(csv.DictReader(file)))
    (FOLDER / "summary.csv").write_text(to_csv(table), encoding="utf-8", newline="")
    draw(table)
    print_ladder(table)


def summary(rows: list[dict[str, Any]]) -> Table:
    """Return mean and deviation over the seeds, and the cost, which no seed changes unless bits are allocated."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if not row["refused"]:
            groups.setdefault(tuple(row[key] for key in KEYS), []).append(row)
    records = []
    for key, found in sorted(groups.items(), key=lambda item: tuple(map(str, item[0]))):
        accuracies = [float(row["accuracy"]) for row in found]
        record = dict(zip(KEYS, key, strict=True)) | {
            "seeds": len(found),
            "accuracy": mean(accuracies),
            "accuracy_deviation": stdev(accuracies) if len(found) > 1 else None,
        }
        record |= {name: mean(float(row[name]) for row in found) for name in COSTS}
        records.append(record)
    return Table.of_records(records)


def draw(table: Table) -> None:
    """Draw accuracy against weight bits, and against energy, for every network and variant."""
    rows = list(table.rows())
    for network, variant in sorted({(row["network"], row["variant"]) for row in rows}):
        part = [row for row in rows if (row["network"], row["variant"]) == (network, variant)]
        widths = [name for name in ACTIVATIONS if any(row["activations"] == name for row in part)]
        weights = [name for name in WEIGHTS if any(row["weights"] == name for row in part)]
        figure, axes = plt.subplots(2, len(widths), figsize=(4.2 * len(widths) + 2, 7.5), squeeze=False)
        for column, activations in enumerate(widths):
            for index, recipe in enumerate(sorted({row["recipe"] for row in part})):
                line = [r for r in part if (r["recipe"], r["activations"]) == (recipe, activations)]
                line.sort(key=lambda row: WEIGHTS.index(row["weights"]))
                style = {"color": SPARE[index % len(SPARE)], "marker": MARKERS[index % len(MARKERS)], "ms": 4, "lw": 1}
                style["ls"] = "-" if index < len(SPARE) else "--"
                heights = [100 * row["accuracy"] for row in line]
                spread = [100 * (row["accuracy_deviation"] or 0) for row in line]
                axes[0, column].errorbar(
                    [weights.index(r["weights"]) for r in line], heights, spread, label=recipe, **style
                )
                axes[1, column].plot([row["energy_pj"] / 1e6 for row in line], heights, **style)
            axes[0, column].set(title=f"activations {activations}", xlabel="weights", ylim=(0, 102))
            axes[0, column].set_xticks(range(len(weights)), weights)
            axes[1, column].set(xlabel="energy per inference (µJ)", ylim=(0, 102), xscale="log")
            axes[1, column].xaxis.set_major_formatter("{x:g}")
            axes[1, column].xaxis.set_minor_formatter("{x:g}")
            axes[1, column].tick_params(axis="x", which="both", labelsize=7)
        for row in axes:
            row[0].set_ylabel("accuracy (%)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="center right", fontsize=8, frameon=False)
        figure.suptitle(
            f"{network}, {variant}; edge_16x16\n540 test images, mean and deviation over calibration seeds", fontsize=10
        )
        figure.tight_layout(rect=(0, 0, 1 - 1.6 / figure.get_figwidth(), 1))
        for ending in ("svg", "png"):
            figure.savefig(
                FOLDER / f"{network}_{variant}.{ending}", dpi=130, metadata={"Date": None} if ending == "svg" else None
            )
        plt.close(figure)


def print_ladder(table: Table) -> None:
    """Print the recipes in order at 8-bit activations."""
    rows = {
        (r["network"], r["variant"], r["recipe"], r["weights"]): r for r in table.rows() if r["activations"] == "uint8"
    }
    for network, variant in sorted({key[:2] for key in rows}):
        print(f"\n{network}, {variant}, activations uint8: accuracy in % (deviation)")
        print(f"{'':18}" + "".join(f"{weights:>14}" for weights in WEIGHTS))
        for recipe in sorted({key[2] for key in rows if key[:2] == (network, variant)}):
            cells = [rows.get((network, variant, recipe, weights)) for weights in WEIGHTS]
            print(f"{recipe:18}" + "".join(f"{_cell(row):>14}" for row in cells))


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    spread = row["accuracy_deviation"]
    return f"{100 * row['accuracy']:.2f}" + ("" if spread is None else f" ({100 * spread:.2f})")


if __name__ == "__main__":
    main()
