"""A machine in a few rows, for ``hwsim show hardware`` and lists of machines."""

from __future__ import annotations

from hwsim.hardware.accelerator import Accelerator, Datapath, MemoryLevel

GIGA = 1e9
KIB = 1024


def describe(accelerator: Accelerator) -> tuple[tuple[str, str], ...]:
    """Return ``(label, text)`` rows that sum a machine up: name, description, array, speed, datapath, memories, DRAM."""
    array, datapath, dram = accelerator.array, accelerator.datapath, accelerator.dram
    bytes_per_second = dram.bits_per_cycle / 8 * accelerator.clock_mhz * 1e6
    rules = [(f"layer {rule.match}", _changes(rule.changes)) for rule in accelerator.layer]
    return (
        ("name", accelerator.name),
        ("description", accelerator.description),
        ("array", f"{array.rows} x {array.columns} at {accelerator.clock_mhz:g} MHz"),
        ("dataflow", array.dataflow),
        ("peak", f"{accelerator.peak_macs_per_second / GIGA:g} GMAC/s{_at(accelerator)}"),
        ("multiplier", _multiplier(datapath)),
        ("registers", f"psum {datapath.psum}, accumulator {datapath.accumulator}"),
        ("requantizer", f"{datapath.requantizer}, {accelerator.vector.requantizer_lanes} lanes"),
        *((f"memory {level.name}", _memory(level)) for level in accelerator.memory),
        ("dram", f"{dram.kind}, {bytes_per_second / GIGA:g} GB/s, latency {dram.latency_cycles} cycles"),
        *rules,
        ("energy table", accelerator.energy_table),
    )


def size_text(size_bytes: int) -> str:
    """Write a capacity in the largest binary unit that divides it.

    >>> size_text(65536), size_text(24 * 1024 * 1024), size_text(100)
    ('64 KiB', '24 MiB', '100 B')
    """
    for factor, unit in ((KIB * KIB, "MiB"), (KIB, "KiB")):
        if size_bytes % factor == 0:
            return f"{size_bytes // factor} {unit}"
    return f"{size_bytes} B"


def _memory(level: MemoryLevel) -> str:
    buffered = ", double buffered" if level.double_buffered else ""
    ports = f"read {level.read_bits_per_cycle} and write {level.write_bits_per_cycle} bits/cycle"
    place = f"level {level.level}, " if level.level > 1 else ""
    banks = f" in {level.banks} banks" if level.banks > 1 else ""
    shared = " through one port" if level.ports == "1rw" else ""
    return f"{place}{size_text(level.size_bytes)}{banks} for {', '.join(level.holds)}; {ports}{shared}{buffered}"


def _at(accelerator: Accelerator) -> str:
    """Say at which operand widths the peak holds, where it depends on them."""
    mode, (a, w) = accelerator.datapath.mac, accelerator.peak_bits
    depends = any(mode.shape(bits, bits) != mode.shape(a, w) for bits in (1, 2, 4))
    return f" at {a} x {w} bits" if depends else ""


def _multiplier(datapath: Datapath) -> str:
    widths = (
        f"weight {_width(datapath.multiplier_weight_bits)} x activation {_width(datapath.multiplier_activation_bits)}"
    )
    parts = [widths] if datapath.mac.built_to_measure else []
    parts += [] if str(datapath.mac) == "fixed" else [f"mode {datapath.mac}"]
    parts += [f"{datapath.sparsity} sparse weights"] if datapath.sparsity else []
    parts += [] if datapath.zero_gating == "none" else [f"zero gating by {datapath.zero_gating}"]
    return ", ".join(parts)


def _width(bits: int | None) -> str:
    return "matched" if bits is None else f"{bits} bits"


def _changes(changes: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in changes.items())
