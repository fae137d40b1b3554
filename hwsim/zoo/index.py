"""The index of the model zoo, ``models/zoo.toml``: what each model is, where it comes from and what it costs."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwsim.errors import HwsimError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One file of images: ``file`` beside the index, its ``sha256``, its ``role`` and the number of ``images``."""

    role: str
    file: str
    sha256: str
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZooEntry:
    """Facts of one model.

    Args:
        trained: whether the weights were learned; if not, :attr:`warning` says what follows from that.
        file: the model file, beside the index (trained) or in the installed ``onnx`` package (not trained).
        sha256: of ``file``; None where the file belongs to the ``onnx`` package.
        macs: multiply-accumulates of Conv and Gemm for one image (batch 1), biases not counted.
        parameters: elements of all float constants, statistics of batch normalization included.
        input_name, input_shape: of the only input; the first dimension is ``"batch"``.
        preprocessing: from raw pixels to the input.
        float_accuracy: top-1 on the test images in float, 0..1; None where nothing was learned.
    """

    name: str
    trained: bool
    file: str
    sha256: str | None
    source: str
    licence: str
    macs: int
    parameters: int
    input_name: str
    input_shape: tuple[int | str, ...]
    preprocessing: str
    datasets: tuple[Dataset, ...]
    float_accuracy: float | None
    note: str

    @property
    def warning(self) -> str:
        """Text for the reader of a result: empty for a trained model."""
        if self.trained:
            return ""
        return (
            f"{self.name}: the weights are random draws, not trained; "
            "shapes, cycles and traffic are those of the real network, its accuracy means nothing"
        )


def names() -> tuple[str, ...]:
    """Return the names of all models, trained ones first.

    >>> names()[:2]
    ('digits_mobilenet', 'digits_resnet')
    """
    entries = _index().values()
    return tuple(e.name for e in sorted(entries, key=lambda e: (not e.trained, e.name)))


def entry(name: str) -> ZooEntry:
    """Return the facts of model ``name``.

    Raises:
        HwsimError: the zoo has no such model.

    >>> entry("resnet50").trained
    False
    """
    index = _index()
    if name not in index:
        raise HwsimError(f"zoo: there is no model {name!r}{did_you_mean(name, index)}")
    return index[name]


def models_folder() -> Path:
    """Return the folder that holds ``zoo.toml``: ``hwsim/models`` of an installed wheel, else ``models`` of a checkout.

    Raises:
        HwsimError: neither exists.
    """
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "models", package.parent / "models")
    for folder in candidates:
        if (folder / "zoo.toml").is_file():
            return folder
    raise HwsimError(
        f"zoo: zoo.toml must be in {candidates[0]} (installed) or {candidates[1]} (checkout), it is in neither; "
        "reinstall hwsim"
    )


def verified(file: str, sha256: str) -> Path:
    """Return the path of ``file`` beside the index after comparing its content with ``sha256``.

    Raises:
        HwsimError: the file is missing or its content is another.
    """
    path = models_folder() / file
    if not path.is_file():
        raise HwsimError(f"zoo: {path} is missing; reinstall hwsim, or restore the file from version control")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise HwsimError(
            f"{path}: sha256 must be {sha256} as zoo.toml says, not {found}; "
            "restore the file, or after re-training write the new value into zoo.toml"
        )
    return path


@cache
def _index() -> dict[str, ZooEntry]:
    """Read the index once."""
    table = tomllib.loads((models_folder() / "zoo.toml").read_text(encoding="utf-8"))
    datasets = {
        name: tuple(Dataset(role=role, **facts) for role, facts in roles.items())
        for name, roles in table["datasets"].items()
    }
    index = {}
    for name, own in table["models"].items():
        facts = table["defaults"]["trained" if own["trained"] else "drawn"] | own
        facts["input_shape"] = tuple(facts["input_shape"])
        facts["datasets"] = datasets[facts.pop("dataset")] if "dataset" in facts else ()
        index[name] = ZooEntry(name=name, **({"sha256": None, "float_accuracy": None} | facts))
    return index
