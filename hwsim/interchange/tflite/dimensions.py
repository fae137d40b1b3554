"""Fix every dimension of the inputs: the batch, and the sizes that the file leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwsim.errors import GraphError, did_you_mean
from hwsim.interchange.tflite.records import FileModel

OPEN = -1  # of a shape signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs in the file's layout, with every size fixed but the batch.

    Args:
        templates: shapes by tensor number, in the order of the file; None stands for the batch.
        written_batch: the batch that the file writes as a number, None where it leaves it open.
    """

    templates: Mapping[int, tuple[int | None, ...]]
    written_batch: int | None

    def at(self, batch: int) -> dict[int, tuple[int, ...]]:
        """Return the shapes for one batch."""
        return {
            index: tuple(batch if size is None else size for size in template)
            for index, template in self.templates.items()
        }


def fix_inputs(model: FileModel, names: Sequence[str], where: str, batch: int, dimensions: Mapping[str, int]) -> Inputs:
    """Return the inputs with open sizes replaced.

    The batch is dimension 0 of the first input, and of every other input that has the same size or an open one there.
    Open sizes are called ``"<input>:<axis>"``.

    Raises:
        GraphError: a size that nobody gives, a name in ``dimensions`` that the file lacks, no input at all.
    """
    for name, size in (("batch", batch), *dimensions.items()):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise GraphError(f"{where}: {name} must be a positive integer, not {size!r}")
    if not model.inputs:
        raise GraphError(f"{where}: the model has no input; a network needs one")
    open_names = [
        f"{names[index]}:{axis}"
        for index in model.inputs
        for axis, size in enumerate(model.tensors[index].signature)
        if size == OPEN
    ]
    for name in dimensions:
        if name not in open_names:
            known = did_you_mean(name, open_names) if open_names else "; the file leaves no size open"
            raise GraphError(f"{where}: no input has an open dimension {name!r}{known}")
    first = model.tensors[model.inputs[0]].signature
    written = first[0] if first and first[0] != OPEN else None
    templates = {
        index: _template(model.tensors[index].signature, names[index], where, written, dimensions)
        for index in model.inputs
    }
    return Inputs(templates=templates, written_batch=written)


def _template(
    signature: tuple[int, ...], name: str, where: str, written: int | None, dimensions: Mapping[str, int]
) -> tuple[int | None, ...]:
    sizes: list[int | None] = []
    for axis, size in enumerate(signature):
        label = f"{name}:{axis}"
        if size == OPEN:
            if label in dimensions:
                sizes.append(dimensions[label])
            elif axis == 0:
                sizes.append(None)
            else:
                raise GraphError(
                    f"{where}: input {name!r} leaves dimension {axis} open, and a simulation needs a number; give it, for "
                    f'example dimensions={{"{label}": 128}} (--dimension {label}=128)'
                )
        elif size < 1:
            raise GraphError(f"{where}: input {name!r} has size {size} in dimension {axis}; it must be positive")
        else:
            sizes.append(None if axis == 0 and size == written else size)
    return tuple(sizes)
