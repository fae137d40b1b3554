"""The model zoo: two trained digit classifiers with their data, and well-known topologies with drawn weights.

>>> entry("digits_resnet").float_accuracy > 0.98
True
>>> sorted(dataset("digits_resnet", "calibration"))
['image', 'labels']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.zoo.images import natural_images
from hwsim.zoo.index import Dataset, ZooEntry, entry, names, verified
from hwsim.zoo.topologies import build

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["Dataset", "ZooEntry", "build", "dataset", "entry", "load_model", "names", "natural_images"]


def load_model(name: str, seed: int = 0) -> ModelProto:
    """Return model ``name``: read from its file if it was trained, else drawn by :func:`build` from ``seed``.

    Raises:
        HwsimError: unknown name, a damaged file, or a seed for a model whose weights are not drawn.
    """
    found = entry(name)
    if not found.trained:
        return build(name, seed)
    if seed != 0:
        raise HwsimError(f"zoo: {name} is trained, so its seed must be 0, not {seed}; only drawn weights have a seed")
    import onnx

    assert found.sha256 is not None
    return onnx.load(verified(found.file, found.sha256))


def dataset(name: str, role: str) -> dict[str, np.ndarray]:
    """Return the images of model ``name`` in ``role`` (``test`` or ``calibration``).

    Returns:
        ``image`` (the model's input) float32 [n, channels, height, width], and ``labels`` int64 [n]

    Raises:
        HwsimError: the model has no data, or none in that role, or the file is damaged.
    """
    found = entry(name)
    roles = {data.role: data for data in found.datasets}
    if not roles:
        raise HwsimError(
            f"zoo: {name} is not trained and has no data set; "
            "hwsim.zoo.natural_images(count, channels, height, width, seed) draws inputs"
        )
    if role not in roles:
        raise HwsimError(f"zoo: {name} has no data in role {role!r}{did_you_mean(role, roles)}")
    with np.load(verified(roles[role].file, roles[role].sha256)) as archive:
        return {key: archive[key] for key in archive.files}
