"""The steps of a recipe that put weights on tables: they write the plan, and ``SetGrids`` fits the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.formats import TERNARY, Format, IntFormat, LearnedTable
from hwsim.numerics.formats.power import DECODE_BITS
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.prune import pattern_of, pruned
from hwsim.quantization.set_grids import with_keys
from hwsim.quantization.state import State
from hwsim.quantization.tables.exponent import fit_exponent
from hwsim.quantization.tables.rows import Rows, rows_of
from hwsim.quantization.weights import weight_granularity

BITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FitExponent:
    """Put weights on grids of powers (``hwsim.quantization.tables.exponent``); goes before ``SetGrids``.

    Args:
        bits: of a code; None: as many as the plan's weights have, 4 where it states none.
        scope: ``net``: one exponent (PowerQuant), under the plan's default estimator; ``layer``: each layer its own (NUPES).
        decode_bits: of the integers in the tables of exponents that are not 1 or 1/2.
        nearest: round to the nearest value instead of among the powers.
        keys: of the plan's default that hold where the user states nothing, as those of ``SetGrids``.
    """

    bits: int | None = None
    scope: Literal["net", "layer"] = "layer"
    decode_bits: int = DECODE_BITS
    nearest: bool = False
    keys: Mapping[str, str] | None = None

    def __call__(self, state: State) -> State:
        """Return the state whose plan has the grid as its default; rules of the plan that state weights keep theirs."""
        state = with_keys(state, self.keys or {})
        bits = self.bits or stated_bits(state)
        table = LearnedTable(kind="power", bits=bits, decode_bits=self.decode_bits, nearest=self.nearest)
        learned = with_weights(state, table)
        if self.scope == "layer":
            return learned
        plan = learned.scheme.plan
        tensors = fitted_weights(state.graph, plan, table)
        if not tensors:
            return learned
        precision = plan.for_layer("")
        book = fit_exponent(tensors, table, precision.range, power_of_two=state.scheme.power_of_two)
        return with_weights(state, book).with_(note=f"weights are on {book}, the exponent that fits the whole network")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitCodebook:
    """Give every layer a table of its own (``hwsim.quantization.tables.codebook``); goes before ``SetGrids``.

    Args:
        bits: of a code; None: as many as the plan's weights have, 4 where it states none.
        decode_bits: of the integers in the tables.
    """

    bits: int | None = None
    decode_bits: int = DECODE_BITS

    def __call__(self, state: State) -> State:
        """Return the state whose plan has codebooks as its default; rules of the plan that state weights keep theirs."""
        bits = self.bits or stated_bits(state)
        return with_weights(state, LearnedTable(kind="codebook", bits=bits, decode_bits=self.decode_bits))


@dataclass(frozen=True, slots=True, kw_only=True)
class UseTernary:
    """Put weights on -1, 0 and 1 times a scale; goes before ``SetGrids``."""

    def __call__(self, state: State) -> State:
        """Return the state whose plan has them as its default; rules of the plan that state weights keep theirs."""
        number = state.scheme.plan.default.weights
        note = None
        if number is not None and number != TERNARY and number.bits != TERNARY.bits:
            note = f"weights are ternary, {TERNARY.bits} bits in storage; the stated {number} has no say"
        return with_weights(state, TERNARY).with_(note=note)


def stated_bits(state: State) -> int:
    """Return the bits of the plan's default weights, ``BITS`` where it states none; raise HwsimError for no plain width."""
    number = state.scheme.plan.default.weights
    if number is not None and not isinstance(number, IntFormat | LearnedTable):
        raise HwsimError(
            f"tables of weights take a width, as int4, not {number}, which is a grid of its own; leave one of them out"
        )
    return BITS if number is None else int(number.bits)


def with_weights(state: State, number: Format | LearnedTable) -> State:
    """Return the state whose plan has ``number`` as the default format of weights."""
    if state.graph.is_quantized:
        raise HwsimError(f"{number}: the network is on its grids already; this step goes before SetGrids")
    plan = state.scheme.plan
    default = plan.default.model_copy(update={"weights": number})
    return state.with_(scheme=replace(state.scheme, plan=plan.model_copy(update={"default": default})))


def fitted_weights(graph: Graph, plan: PrecisionPlan, table: LearnedTable) -> list[tuple[Rows, ...]]:
    """Return the rows of every constant weight whose layer takes ``table``, pruned where the plan prunes."""
    found = []
    for node in graph.nodes:
        weight = graph.tensors[node.inputs[1]] if node.op in WEIGHTED else None
        precision = plan.for_layer(node.name)
        if weight is None or not weight.is_constant or precision.weights != table:
            continue
        pattern = pattern_of(node, weight, precision)
        data = np.asarray(weight.data) if pattern is None else pruned(node, weight, pattern)
        found.append(rows_of(data, weight_granularity(node, weight, precision)))
    return found
