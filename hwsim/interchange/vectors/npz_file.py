"""Golden vectors as one ``.npz``: each array under its name, in the smallest type that holds its width."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np

from hwsim.interchange.vectors.vector import Vector

FASTEST = 1  # compression level
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's first date: the same arrays give the same bytes


def storage_dtype(vector: Vector) -> np.dtype:
    """Return the smallest numpy type of the words."""
    if vector.is_float:
        return vector.values.dtype
    letter = "i" if vector.signed else "u"
    return next(np.dtype(f"{letter}{size}") for size in (1, 2, 4, 8) if 8 * size >= vector.bits)


def write_npz(path: Path, vectors: Iterable[Vector]) -> None:
    """Write the arrays, compressed; ``numpy.load`` reads them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for vector in vectors:
            entry = zipfile.ZipInfo(f"{vector.name}.npy", EPOCH)
            content = BytesIO()
            np.lib.format.write_array(content, vector.values.astype(storage_dtype(vector)), allow_pickle=False)
            archive.writestr(entry, content.getbuffer(), zipfile.ZIP_DEFLATED, FASTEST)
