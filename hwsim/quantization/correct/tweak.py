"""Norm tweaking in closed form: rescale the channels of a layer normalization so that quantized products behind it err least.

Li et al. 2023 (arXiv:2309.02784) train the gamma and beta of layer normalizations after quantization. The best factors ``s`` of the
channels, for the squared error of the products that read them, solve a linear system: with ``H = E[x x^T]`` of the normalization's
results and products ``y = x W`` read with ``Q`` in place of ``W``,

    ``(H o sum Q Q^T + l I) s = diag(H sum W Q^T) + l 1``,   ``l`` a share of the mean of the diagonal on the left,

``o`` element by element. ``gamma`` and ``beta`` both take ``s``: no operation is added. They have no grid and hence no codes beside their
float values, so the node remembers those in its attribute ``untweaked``: ``((input index, values), ...)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import OPS, Graph, Node, Work
from hwsim.quantization.calibrate import chunk_size
from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class TweakNorms:
    """Rescale every layer normalization over the last dimension that quantized products read.

    A reader that is no such product (a residual addition) counts as a product with the identity, which holds the factors near 1.
    ``x`` is of the float network, and the factors are those of the norms as they came: doing it twice changes nothing. Grids of activations stay; set them again afterwards where factors are far from 1.

    Args:
        damping: ``l`` as a share of the mean of the diagonal.

    Raises:
        HwsimError: (when called) no grids yet, no images.
    """

    damping: float = 0.01

    def __call__(self, state: State) -> State:
        """Return the state with other gamma and beta, and the squared error before and after in ``losses``."""
        if not state.graph.is_quantized:
            raise HwsimError("norm tweaking: the network has no grids yet; SetGrids comes first")
        graph = state.graph
        found = {node.name: products for node in graph.nodes if (products := _readers(graph, node))}
        if not found:
            note = "norm tweaking: no quantized product reads a layer normalization; nothing was changed"
            return state.with_(note=note, losses={"norm_tweak.before": 0.0, "norm_tweak.after": 0.0})
        plain = untweaked(graph)
        moments = _second_moments(plain, state, [graph.node_of[name].outputs[0] for name in found])
        before = after = 0.0
        for name, products in found.items():
            node = graph.node_of[name]
            system = _system(graph, products, moments[node.outputs[0]])
            factors = solved(*system[:2], damping=self.damping)
            before += _error(*system, np.ones_like(factors))
            after += _error(*system, factors)
            scaled = {
                index: np.asarray(plain.tensors[node.inputs[index]].data) * factors for index in _parameters(node)
            }
            graph = _tweaked(graph, node, scaled)
        return state.with_(graph=graph, losses={"norm_tweak.before": before, "norm_tweak.after": after})


def solved(left: np.ndarray, right: np.ndarray, *, damping: float) -> np.ndarray:
    """Return ``s`` of ``(left + l I) s = right + l 1``.

    Args:
        left: ``H o sum Q Q^T``, float64 ``[channels, channels]``.
        right: ``diag(H sum W Q^T)``, float64 ``[channels]``.
        damping: ``l`` over the mean of the diagonal of ``left``.
    """
    own = damping * float(np.diag(left).mean())
    factors: np.ndarray = np.linalg.solve(left + own * np.eye(len(left)), right + own)
    return factors


def untweaked(graph: Graph) -> Graph:
    """Return the graph with the normalizations that were tweaked as they came: as ``run_float`` reads it, the float network."""
    before = [
        replace(graph.tensors[node.inputs[index]], data=np.array(values, dtype=np.float32))
        for node in graph.nodes
        for index, values in node.attributes.get("untweaked", ())
    ]
    return graph.with_changes(tensors=before) if before else graph


def _tweaked(graph: Graph, node: Node, values: Mapping[int, np.ndarray]) -> Graph:
    before = tuple((index, tuple(np.asarray(graph.tensors[node.inputs[index]].data).tolist())) for index in values)
    marked = node if "untweaked" in node.attributes else node.with_attributes(untweaked=before)
    return graph.with_changes(
        nodes=[marked if each.name == node.name else each for each in graph.nodes],
        tensors=[
            replace(graph.tensors[node.inputs[index]], data=data.astype(np.float32)) for index, data in values.items()
        ],
    )


def _parameters(node: Node) -> tuple[int, ...]:
    return tuple(index for index in (1, 2) if index < len(node.inputs) and node.inputs[index])


def _readers(graph: Graph, node: Node) -> list[Node | None] | None:
    """Return the products that read a normalization, None for each other reader; None where there is nothing to tweak."""
    if node.op != "LayerNormalization":
        return None
    shape = graph.tensors[node.outputs[0]].shape
    parameters = [graph.tensors[node.inputs[index]] for index in _parameters(node)]
    if node.attributes["axis"] not in (-1, len(shape) - 1) or any(
        not each.is_constant or each.quant is not None or each.shape != shape[-1:] for each in parameters
    ):
        return None
    readers = list(_reading(graph, node.outputs[0], shape[-1]))
    return readers if any(reader is not None for reader in readers) else None


def _reading(graph: Graph, name: str, channels: int) -> Iterator[Node | None]:
    """Follow moves that keep the last dimension."""
    if name in graph.outputs:
        yield None
    for reader in graph.consumers_of[name]:
        weight = graph.tensors[reader.inputs[1]] if reader.op in ("Gemm", "MatMul") else None
        if weight is not None and reader.inputs[0] == name and weight.is_constant and len(weight.shape) == 2:
            yield reader if weight.quant is not None and weight.quant.is_calibrated else None
        elif reader.op in ("Reshape", "Flatten", "Identity", "Squeeze", "Unsqueeze") and (
            OPS[reader.op].work is Work.MOVE and graph.tensors[reader.outputs[0]].shape[-1] == channels
        ):
            yield from _reading(graph, reader.outputs[0], channels)
        else:
            yield None


def _second_moments(graph: Graph, state: State, names: list[str]) -> dict[str, np.ndarray]:
    """Return ``E[x x^T]``, float64 ``[channels, channels]``, of tensors of the float network."""
    images = state.images("norm tweaking")
    sums: dict[str, np.ndarray] = {}
    rows = dict.fromkeys(names, 0)
    count, step = len(next(iter(images.values()))), chunk_size(graph)
    for start in range(0, count, step):
        found = run_float(graph, {name: array[start : start + step] for name, array in images.items()}, keep=names)
        for name in names:
            x = found[name].reshape(-1, found[name].shape[-1]).astype(np.float64)
            sums[name] = sums.get(name, 0.0) + x.T @ x
            rows[name] += len(x)
    return {name: sums[name] / rows[name] for name in names}


def _system(graph: Graph, products: list[Node | None], moments: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return ``H o sum Q Q^T``, ``diag(H sum W Q^T)`` and ``sum(H o sum W W^T)``: the squared error is ``s A s - 2 b s + c``."""
    channels = len(moments)
    left, cross, constant = (np.zeros((channels, channels)) for _ in range(3))
    for product in products:
        if product is None:
            weight = quantized = np.eye(channels)
        else:
            tensor = graph.tensors[product.inputs[1]]
            assert tensor.quant is not None
            weight = np.asarray(tensor.data, dtype=np.float64)
            quantized = tensor.quant.decode(tensor.encoded()).astype(np.float64)
        left += quantized @ quantized.T
        cross += weight @ quantized.T
        constant += weight @ weight.T
    return moments * left, np.einsum("ij,ji->i", moments, cross), float(np.sum(moments * constant))


def _error(left: np.ndarray, right: np.ndarray, constant: float, factors: np.ndarray) -> float:
    return float(factors @ left @ factors - 2 * right @ factors + constant)
