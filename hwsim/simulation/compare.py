"""Compare the integers with the float network, tensor by tensor, image chunk by image chunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from hwsim.execute.float32 import run_float
from hwsim.execute.integer import Layer, run_integer
from hwsim.execute.integer.run import encode_constants
from hwsim.graph import Graph, Tensor
from hwsim.graph.layouts import in_file_layout
from hwsim.numerics.metrics import ratio_db


@dataclass(slots=True)
class Error:
    """Error of one tensor against float32, over all images: sums of squares and the largest difference."""

    signal: float = 0.0
    noise: float = 0.0
    largest: float = 0.0

    def update(self, reference: np.ndarray, value: np.ndarray) -> None:
        """Add one chunk."""
        difference = value.astype(np.float64) - reference
        self.signal += float(np.square(reference, dtype=np.float64).sum())
        self.noise += float(np.square(difference).sum())
        self.largest = max(self.largest, float(np.abs(difference).max(initial=0.0)))

    @property
    def sqnr_db(self) -> float:
        """Signal to quantization noise ratio in dB; infinite without noise, minus infinite for noise on a zero signal."""
        return ratio_db(self.signal, self.noise)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbers:
    """What an execution over all images gave.

    Args:
        outputs: dequantized float32 by output name, in the layout of the file.
        reference: float32 outputs by name (empty without comparison).
        errors: per tensor name against the graph's own float data (empty without comparison).
        output_errors: per output name against ``reference``.
    """

    outputs: Mapping[str, np.ndarray]
    reference: Mapping[str, np.ndarray] = field(default_factory=dict)
    errors: Mapping[str, Error] = field(default_factory=dict)
    output_errors: Mapping[str, Error] = field(default_factory=dict)


def execute(
    graph: Graph,
    layers: Mapping[str, Layer],
    chunks: Iterable[dict[str, np.ndarray]],
    *,
    compare: bool = True,
    original: Graph | None = None,
) -> Numbers:
    """Run every chunk in integers and, with ``compare``, in float32, and accumulate the error of every activation.

    Codes whose zero point each inference finds are compared as plain codes only, before they are read from it. The float
    network is the graph itself with its grids ignored: weights hold the real values that were quantized. With ``original``, the
    network before a method transformed it, outputs are compared with what that one makes.
    """
    constants = encode_constants(graph)
    errors = {name: Error() for name, tensor in graph.tensors.items() if _is_comparable(tensor)} if compare else {}
    integers: list[dict[str, np.ndarray]] = []
    floats: list[dict[str, np.ndarray]] = []
    for chunk in chunks:
        reference: dict[str, np.ndarray] = {}
        if compare:
            results = run_float(graph, chunk, observe=reference.__setitem__)
            results = results if original is None else run_float(original, chunk)
            floats.append({name: results[name] for name in graph.outputs})

        def observe(name: str, codes: np.ndarray, reference: dict[str, np.ndarray] = reference) -> None:
            if name in errors:
                errors[name].update(reference.pop(name), real_values(graph, name, codes))

        integers.append(run_integer(graph, layers, chunk, constants=constants, observe=observe if compare else None))
    decoded = {
        name: real_values(graph, name, np.concatenate([codes[name] for codes in integers])) for name in graph.outputs
    }
    reference_outputs = (
        {name: np.concatenate([part[name] for part in floats]) for name in graph.outputs} if floats else {}
    )
    output_errors = {name: errors[name] for name in graph.outputs if name in errors}
    if original is not None:
        output_errors = {name: Error() for name in output_errors}
        for name, error in output_errors.items():
            error.update(reference_outputs[name], decoded[name])
    decoded, reference_outputs = (in_file_layout(graph, arrays) for arrays in (decoded, reference_outputs))
    return Numbers(outputs=decoded, reference=reference_outputs, errors=errors, output_errors=output_errors)


def _is_comparable(tensor: Tensor) -> bool:
    return not tensor.is_constant and (tensor.quant is None or tensor.quant.is_calibrated)


def real_values(graph: Graph, name: str, values: np.ndarray) -> np.ndarray:
    """Return what a tensor's codes stand for; the values themselves where it has no grid."""
    grid = graph.tensors[name].quant
    return values if grid is None else grid.decode(values)
