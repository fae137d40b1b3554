"""Configuration files of SCALE-Sim (``.cfg``): array, SRAM, dataflow and mode.

Source: SCALE-Sim 3.0.0, scale_config.py. Keys are read without regard to case, as there. What the tool asks for and then never
uses, or uses only in parts that are not modelled here, may be absent.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

from hwsim.errors import ConfigError, did_you_mean

ARCHITECTURE, PRESETS = "architecture_presets", "run_presets"
SIZES = {
    "rows": "ArrayHeight",
    "columns": "ArrayWidth",
    "ifmap_sram_kb": "IfmapSramSzkB",
    "filter_sram_kb": "FilterSramSzkB",
    "ofmap_sram_kb": "OfmapSramSzkB",
}
OFFSETS = ("IfmapOffset", "FilterOffset", "OfmapOffset")
DATAFLOWS = ("ws", "os", "is")
MODES = ("CALC", "USER")
KNOWN = {
    "general": ("run_name",),
    ARCHITECTURE: (
        *SIZES.values(),
        *OFFSETS,
        "Dataflow",
        "Bandwidth",
        # read by the tool's Ramulator mode, or by nothing
        *("ReadRequestBuffer", "WriteRequestBuffer", "MemoryBanks", "OnChipMemoryBanks", "OnChipMemoryBankPorts"),
    ),
    # these change the stalls of USER mode only, which are not copied
    "layout": tuple(
        f"{operand}{key}"
        for operand in ("Ifmap", "Filter")
        for key in ("CustomLayout", "SRAMBankBandwidth", "SRAMBankNum", "SRAMBankPort")
    ),
    "sparsity": ("SparsitySupport", "SparseRep", "OptimizedMapping", "BlockSize", "RandomNumberGeneratorSeed"),
    "network_presets": ("TopologyCsvLoc",),
    PRESETS: ("InterfaceBandwidth", "UseRamulatorTrace"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSimConfig:
    """What a configuration states.

    Args:
        run_name: name of the run.
        rows, columns: of the array.
        ifmap_sram_kb, filter_sram_kb, ofmap_sram_kb: SRAM sizes in units of 1024 bytes; a word is one byte.
        dataflow: ``ws``, ``os`` or ``is``.
        mode: ``CALC`` (the tool estimates the bandwidth that it needs and never stalls for an operand) or ``USER``.
        words_per_cycle: the first number of ``Bandwidth``, the only one that the tool uses; None where not stated.
    """

    run_name: str
    rows: int
    columns: int
    ifmap_sram_kb: int
    filter_sram_kb: int
    ofmap_sram_kb: int
    dataflow: str
    mode: str
    words_per_cycle: int | None = None

    @property
    def estimates_bandwidth(self) -> bool:
        """Whether the mode is ``CALC``."""
        return self.mode == "CALC"


def read_config(path: str | Path) -> ScaleSimConfig:
    """Read a configuration.

    Raises:
        ConfigError: a missing file, a broken one, or every problem at once: unknown, missing or wrong keys, and sparsity.
    """
    where = str(path)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(Path(path).read_text(encoding="utf-8-sig"), source=where)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(where, [f"cannot be read: {reason}; give a SCALE-Sim configuration (.cfg)"]) from None
    except configparser.Error as error:
        raise ConfigError(where, [f"is not a valid .cfg: {error}".replace("\n", " ")]) from None
    problems = _unknown(parser)
    sizes = {name: _integer(parser, key, 1, problems) for name, key in SIZES.items()}
    for key in OFFSETS:  # addresses only: they shift, and change no count
        _integer(parser, key, 0, problems)
    dataflow = _choice(parser, ARCHITECTURE, "Dataflow", DATAFLOWS, problems)
    mode = _choice(parser, PRESETS, "InterfaceBandwidth", MODES, problems)
    words = _bandwidth(parser, mode, problems)
    if parser.get("sparsity", "SparsitySupport", fallback="false").strip().lower() == "true":
        problems.append("sparsity.SparsitySupport must be false, not true: sparse filters are not modelled")
    if problems:
        raise ConfigError(where, problems)
    return ScaleSimConfig(
        run_name=parser.get("general", "run_name", fallback=Path(path).stem),
        dataflow=dataflow,
        mode=mode,
        words_per_cycle=words,
        **sizes,
    )


def _unknown(parser: configparser.ConfigParser) -> list[str]:
    problems = []
    for section in parser.sections():
        if section not in KNOWN:
            problems.append(f"section [{section}] is unknown{did_you_mean(section, KNOWN)}")
            continue
        known = {key.lower() for key in KNOWN[section]}
        problems += [
            f"{section}.{key} is unknown{did_you_mean(key, KNOWN[section])}"
            for key in parser.options(section)
            if key not in known
        ]
    return problems


def _text(parser: configparser.ConfigParser, section: str, key: str, rule: str, problems: list[str]) -> str | None:
    text = parser.get(section, key, fallback=None)
    if text is None:
        problems.append(f"{section}.{key} is missing; it must be {rule}")
    return text


def _integer(parser: configparser.ConfigParser, key: str, least: int, problems: list[str]) -> int:
    rule = "a positive integer" if least else "an integer of at least 0"
    text = _text(parser, ARCHITECTURE, key, rule, problems)
    if text is None:
        return 0
    if not text.strip().isdecimal() or int(text) < least:
        problems.append(f"{ARCHITECTURE}.{key} must be {rule}, not {text!r}")
        return 0
    return int(text)


def _choice(
    parser: configparser.ConfigParser, section: str, key: str, choices: tuple[str, ...], problems: list[str]
) -> str:
    text = _text(parser, section, key, " or ".join(choices), problems)
    if text is not None and text not in choices:
        problems.append(f"{section}.{key} must be {' or '.join(choices)}, not {text!r}")
    return text or ""


def _bandwidth(parser: configparser.ConfigParser, mode: str, problems: list[str]) -> int | None:
    """Return the first number of the list, of which USER mode needs one."""
    rule = "a list of positive integers (words a cycle)"
    text = parser.get(ARCHITECTURE, "Bandwidth", fallback=None)
    if text is None:
        if mode == "USER":
            problems.append(f"{ARCHITECTURE}.Bandwidth is missing; in USER mode it must be {rule}")
        return None
    numbers = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in numbers):
        problems.append(f"{ARCHITECTURE}.Bandwidth must be {rule}, not {text!r}")
        return None
    return int(numbers[0])
