"""What an allocation turns: the weight width and, where asked for, the result width of every layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from glob import escape
from typing import Any, Literal

from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.quantize import Scheme

Key = Literal["weights", "activations"]
KEYS: tuple[Key, ...] = ("weights", "activations")
Assignment = tuple[int, ...]
"""Bits of every knob, in the order of the knobs."""


@dataclass(frozen=True, slots=True, order=True)
class Knob:
    """One width of one layer, under the key that a precision rule gives it: of its weights, or of its result."""

    layer: str
    key: Key

    def __str__(self) -> str:
        return f"{self.layer} {self.key}"


def is_stated(plan: PrecisionPlan, knob: Knob) -> bool:
    """Whether a rule of the plan states the knob's key for its layer: its width is then not free.

    >>> plan = PrecisionPlan(layer=(PrecisionRule(match="fc*", weights="int8"),))
    >>> is_stated(plan, Knob("fc1", "weights")), is_stated(plan, Knob("fc1", "activations"))
    (True, False)
    """
    return any(fnmatchcase(knob.layer, rule.match) and getattr(rule, knob.key) is not None for rule in plan.layer)


def with_widths(scheme: Scheme, knobs: Sequence[Knob], bits: Assignment) -> Scheme:
    """Return the scheme with one precision rule per layer that gives its knobs these widths; everything else stays.

    >>> from hwsim.quantization.quantize import Scheme
    >>> rules = with_widths(Scheme(), (Knob("fc", "weights"), Knob("fc", "activations")), (4, 6)).plan.layer
    >>> [(rule.match, str(rule.weights), str(rule.activations)) for rule in rules]
    [('fc', 'int4', 'uint6')]
    """
    stated: dict[str, dict[str, Any]] = {}
    for knob, width in zip(knobs, bits, strict=True):
        number: IntFormat = getattr(scheme.plan.for_layer(knob.layer), knob.key)
        stated.setdefault(knob.layer, {})[knob.key] = replace(number, bits=width)
    rules = tuple(PrecisionRule(match=escape(layer), **keys) for layer, keys in stated.items())
    plan: PrecisionPlan = scheme.plan.model_copy(update={"layer": scheme.plan.layer + rules})
    return replace(scheme, plan=plan)
