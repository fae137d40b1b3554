"""Topology files of SCALE-Sim: one layer a row, a convolution or a matrix product.

    Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides, [Sparsity,]
    Layer, M, N, K, [Sparsity,]

The header tells the two forms apart (the tool asks for ``-i gemm``). A trailing comma, blank lines and a ratio ``N:M`` of
sparsity may be there or not; the ratio counts only with ``SparsitySupport``, which is not modelled. There is neither padding
nor dilation nor batch. Output sizes are rounded up: a window that leaves the image counts as full work. As in the tool, a
convolution whose name contains ``DP`` stands for one layer of one channel for each of its channels, run one after the other.

Source: SCALE-Sim 3.0.0, topology_utils.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from hwsim.errors import GraphError
from hwsim.interchange.scalesim.layer import ScaleSimLayer

CONV_FIELDS = ("IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides")
GEMM_FIELDS = ("M", "N", "K")
DEPTHWISE_MARK = "DP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The layers of a topology file, depthwise ones expanded.

    Args:
        name: the file's, without suffix.
        layers: in the order of execution.
        states_sparsity: whether a row states a ratio other than 1:1.
    """

    name: str
    layers: tuple[ScaleSimLayer, ...]
    states_sparsity: bool = False


def read_topology(path: str | Path) -> Topology:
    """Read a convolution or matrix-product topology.

    Raises:
        GraphError: a missing file, a missing header, or every wrong row at once, with its line.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise GraphError(f"{path}: cannot be read: {reason}; give a SCALE-Sim topology (.csv)") from None
    names = _header(path, lines[0] if lines else "")
    layers: list[ScaleSimLayer] = []
    problems: list[str] = []
    sparse = False
    for number, line in enumerate(lines[1:], start=2):
        fields = [field.strip() for field in line.split(",")]
        if not any(fields):
            continue
        try:
            row, ratio = _row(fields, names)
        except GraphError as error:
            problems.append(f"{path}: line {number}: {error}")
            continue
        sparse |= ratio is not None and len(set(ratio.split(":"))) > 1
        layers += _expanded(row)
    if problems:
        raise GraphError("\n".join(problems))
    if not layers:
        raise GraphError(f"{path}: has no layers below its header")
    return Topology(name=path.stem, layers=tuple(layers), states_sparsity=sparse)


def _header(path: Path, line: str) -> tuple[str, ...]:
    """Return the names of the numbers in a row."""
    fields = [field.strip() for field in line.split(",")]
    if tuple(field.upper() for field in fields[1:4]) == GEMM_FIELDS:
        return GEMM_FIELDS
    if len(fields) < 2 or any(field.isdigit() for field in fields[1:]):
        raise GraphError(
            f"{path}: line 1 must be the header, which SCALE-Sim skips, not {line.strip()!r}; write 'Layer name, "
            f"{', '.join(CONV_FIELDS)},' or 'Layer, {', '.join(GEMM_FIELDS)},' above the layers"
        )
    return CONV_FIELDS


def _row(fields: list[str], names: tuple[str, ...]) -> tuple[ScaleSimLayer, str | None]:
    """Return the layer of a row and its ratio of sparsity."""
    if not fields[-1]:
        fields = fields[:-1]
    texts, rest = fields[1 : 1 + len(names)], fields[1 + len(names) :]
    if len(texts) < len(names):
        raise GraphError(f"{len(texts)} of the {len(names)} numbers {', '.join(names)} are there; state them all")
    wrong = [
        f"{name} {text!r}" for name, text in zip(names, texts, strict=True) if not re.fullmatch(r"0*[1-9][0-9]*", text)
    ]
    if wrong:
        raise GraphError(f"sizes must be positive integers, not {', '.join(wrong)}")
    ratio = re.fullmatch(r"([0-9]+) *: *([0-9]+)", rest[0]) if rest else None
    if rest and (ratio is None or len(rest) > 1 or not 0 < int(ratio[1]) <= int(ratio[2])):
        raise GraphError(
            f"behind {names[-1]} may stand one ratio of sparsity N:M, not {', '.join(map(repr, rest))}; SCALE-Sim has no "
            "batch, padding or second stride"
        )
    numbers = [int(text) for text in texts]
    if names is GEMM_FIELDS:
        m, n, k = numbers
        numbers = [m, k, 1, k, 1, n, 1]
    height, width, filter_height, filter_width, channels, filters, stride = numbers
    layer = ScaleSimLayer(
        name=fields[0],
        ifmap_height=height,
        ifmap_width=width,
        filter_height=filter_height,
        filter_width=filter_width,
        channels=channels,
        filters=filters,
        stride=stride,
        is_gemm=names is GEMM_FIELDS,
    )
    return layer, ratio and f"{int(ratio[1])}:{int(ratio[2])}"


def _expanded(layer: ScaleSimLayer) -> list[ScaleSimLayer]:
    if layer.is_gemm or DEPTHWISE_MARK not in layer.name:
        return [layer]
    return [replace(layer, name=f"{layer.name}Channel_{channel}", channels=1) for channel in range(layer.channels)]
