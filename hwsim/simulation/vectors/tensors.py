"""Tensors of the network as golden vectors: codes at the width of their grid, real numbers as float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.graph import Tensor
from hwsim.interchange.vectors.vector import FLOATS, Vector
from hwsim.numerics.formats import Codebook
from hwsim.numerics.quant_params import QuantParams

INDEX_BITS = 64


def tensor_vector(name: str, tensor: Tensor, values: np.ndarray, about: str) -> Vector:
    """Return ``values`` of ``tensor`` in the order of the network's tensors."""
    axes = tuple(f"axis_{axis}" for axis in range(values.ndim))
    if tensor.quant is not None:
        number = tensor.quant.format
        signed = number.storage_dtype.kind == "i"
        return Vector(name=name, values=values, bits=number.bits, signed=signed, axes=axes, about=about)
    if values.dtype.kind in "iub":
        return Vector(name=name, values=values.astype(np.int64), bits=INDEX_BITS, signed=True, axes=axes, about=about)
    return Vector(
        name=name, values=values.astype(np.float32), bits=FLOATS["float32"], signed=True, axes=axes, about=about
    )


def grid_facts(tensor: Tensor, found: QuantParams | None = None) -> dict[str, Any]:
    """Return what the index says of a tensor: its shape and its grid, the one ``found`` at run time where there is such.

    A zero point of the run that nobody needed is null.
    """
    facts: dict[str, Any] = {"tensor": tensor.name, "shape": list(tensor.shape)}
    grid = found or tensor.quant
    if grid is None:
        return {**facts, "format": "float32"}
    if isinstance(grid.format, Codebook):
        facts["table"] = [float(value) for value in grid.format.values]
    if grid.granularity.groups is not None:
        facts["scale_groups"] = list(grid.granularity.groups)
    return {
        **facts,
        "format": str(grid.format),
        "granularity": str(grid.granularity),
        "scale": list(grid.scale or ()),
        "zero_point": None if grid.is_found_at_run_time else list(grid.zero_point),
    }
