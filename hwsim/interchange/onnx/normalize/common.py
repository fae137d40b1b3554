"""What the normalizers share: reading operands that older operator sets kept as attributes."""

from __future__ import annotations

from collections.abc import Callable

from hwsim.errors import GraphError
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.draft import Draft

Normalizer = Callable[[Operator, Draft], None]


def integers(operator: Operator, draft: Draft, key: str, index: int) -> tuple[int, ...] | None:
    """Return integers given as attribute ``key`` (older operator sets) or as constant input ``index``; else None."""
    if key in operator.attributes:
        return tuple(int(value) for value in operator.get(key))
    if operator.has(index):
        return tuple(int(value) for value in draft.constant(operator.inputs[index], key).reshape(-1))
    return None


def scalar(operator: Operator, draft: Draft, key: str, index: int) -> float | None:
    """Return a number given as attribute ``key`` or as constant input ``index``; else None."""
    if key in operator.attributes:
        return float(operator.get(key))
    if operator.has(index):
        value = draft.constant(operator.inputs[index], key)
        if value.size != 1:
            raise GraphError(f"{key} must be one number, not {value.size}")
        return float(value.reshape(()))
    return None


def only_first_output(operator: Operator, what: str) -> None:
    """Raise GraphError if a further output is wanted."""
    if any(operator.outputs[1:]):
        raise GraphError(f"its output {what} ({operator.outputs[-1]!r}) is not supported; export the model without it")
