"""From a preset's name or a file to a validated machine or precision plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.files import read_machine, read_toml
from hwsim.hardware.known import is_path
from hwsim.hardware.overrides import apply_overrides
from hwsim.hardware.precision import PrecisionPlan, with_precision
from hwsim.hardware.problems import validate


def load_accelerator(
    name_or_path: str | Path, *, overrides: Sequence[str] = (), precision: PrecisionPlan | None = None
) -> Accelerator:
    """Return a machine.

    Args:
        name_or_path: a preset (``preset_names()``) or the path of a ``.toml`` file.
        overrides: texts such as ``array.rows=32``, ``memory.weights.size_bytes=65536``,
            ``datapath.accumulator=int16:saturate``; applied in order after inheritance, before validation.
        precision: a plan whose psum, accumulator and requantizer statements the machine takes over.

    Raises:
        ConfigError: every problem of the file at once; or an unknown preset, a missing or broken file.

    >>> load_accelerator("edge_16x16", overrides=["array.rows=32"]).array.rows
    32
    """
    return build_accelerator(read_machine(name_or_path), str(name_or_path), overrides=overrides, precision=precision)


def build_accelerator(
    tables: dict[str, Any], where: str, *, overrides: Sequence[str] = (), precision: PrecisionPlan | None = None
) -> Accelerator:
    """Return the machine of tables already read, inheritance merged; ``where`` names them in messages."""
    data, origins = apply_overrides(Accelerator, tables, overrides, where)
    table = data.get("energy_table")
    if isinstance(table, str) and is_path(table):
        data["energy_table"] = str(Path(table).absolute())
    accelerator = validate(Accelerator, data, where, origins)
    return with_precision(accelerator, precision) if precision else accelerator


def load_precision(path: str | Path, *, overrides: Sequence[str] = ()) -> PrecisionPlan:
    """Return the precision plan of a ``.toml`` file.

    Args:
        path: the file.
        overrides: texts such as ``default.weights=int4`` or ``layer.fc.weights=int8``.

    Raises:
        ConfigError: every problem of the file at once; or a missing or broken file.
    """
    where = str(path)
    data, origins = apply_overrides(PrecisionPlan, read_toml(Path(path), where), overrides, where)
    return validate(PrecisionPlan, data, where, origins)
