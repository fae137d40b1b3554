"""A dataflow is a record: which GEMM dimension runs along the array's rows, its columns and time."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

OPERAND_DIMENSIONS = MappingProxyType({"ifmap": "mk", "weight": "kn", "psum": "mn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataflow:
    """Where the dimensions of ``psum[m, n] += ifmap[m, k] * weight[k, n]`` run.

    Args:
        name: as in machine files.
        rows: dimension unrolled over the array's rows.
        columns: dimension unrolled over the array's columns.
        time: dimension streamed, one index a cycle.

    The operand that carries both unrolled dimensions is the stationary one.

    >>> DATAFLOWS["weight_stationary"].stationary
    'weight'
    """

    name: str
    rows: str
    columns: str
    time: str

    @property
    def stationary(self) -> str:
        """The operand that stays in the processing elements."""
        (operand,) = (name for name, dims in OPERAND_DIMENSIONS.items() if set(dims) == {self.rows, self.columns})
        return operand

    @property
    def reduces_in_time(self) -> bool:
        """Whether a processing element keeps its partial sum over the whole of k (output stationary)."""
        return self.time == "k"


DATAFLOWS = MappingProxyType(
    {
        flow.name: flow
        for flow in (
            Dataflow(name="weight_stationary", rows="k", columns="n", time="m"),
            Dataflow(name="output_stationary", rows="m", columns="n", time="k"),
            Dataflow(name="input_stationary", rows="k", columns="m", time="n"),
        )
    }
)
