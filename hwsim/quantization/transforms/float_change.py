"""How much a rewrite changed the float network, where it is allowed to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.execute.float32 import run_float
from hwsim.graph import Graph
from hwsim.numerics.metrics import ratio_db
from hwsim.quantization.calibrate import chunk_size


def change_db(before: Graph, after: Graph, images: Mapping[str, np.ndarray]) -> float:
    """Return the signal to noise ratio of the outputs of ``after`` against those of ``before`` in dB, over all outputs together.

    Args:
        before: a float network.
        after: another one with the same inputs and outputs.
        images: by input name, in the graphs' layout.
    """
    signal = noise = 0.0
    count, step = len(next(iter(images.values()))), chunk_size(before)
    for start in range(0, count, step):
        chunk = {name: array[start : start + step] for name, array in images.items()}
        first, second = run_float(before, chunk), run_float(after, chunk)
        for name, values in first.items():
            signal += float(np.square(values, dtype=np.float64).sum())
            noise += float(np.square(second[name].astype(np.float64) - values).sum())
    return ratio_db(signal, noise)
