"""All golden vectors of one layer: its tensors, and of an array layer the product fold by fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.integer import Layer
from hwsim.execute.integer.product import ArrayProduct
from hwsim.execute.integer.rescaling import leaves_raw
from hwsim.graph import Node
from hwsim.hardware.mac import ONE_PRODUCT
from hwsim.interchange.vectors.vector import LayerVectors, Vector
from hwsim.simulation.vectors.product import as_matrix, product_vectors, too_many
from hwsim.simulation.vectors.region import Region, region_within
from hwsim.simulation.vectors.tensors import grid_facts, tensor_vector

ROLES = ("input", "weight", "bias")


def check_writable(layer: Layer) -> None:
    """Raise ExecutionError, before any run, for an array layer whose sums the written order cannot describe."""
    if layer.mapping is None:
        return
    if layer.mapping.mac != ONE_PRODUCT:
        raise ExecutionError(
            f"layer {layer.node.name!r}: vectors are written for elements of one product a cycle, not for datapath.mac = "
            f"{layer.datapath.mac} with sparsity {layer.datapath.sparsity or 'dense'} at these widths; set datapath.mac to "
            "fixed and datapath.sparsity to dense (the tensors, and sums of registers that do not overflow, are the same)"
        )
    if layer.is_rescaled_by_position:
        raise ExecutionError(
            f"layer {layer.node.name!r}: vectors have one constant per output column, but its sums are rescaled by scales of "
            "their own per row or head; write other layers (--layers), or give its operands and result one scale"
        )
    if layer.output_is_coded() and layer.output_grid().granularity.axis is not None and not leaves_raw(layer):
        raise ExecutionError(
            f"layer {layer.node.name!r}: vectors have one output zero point, but its result has scales of its own per channel "
            "or group of them; write other layers (--layers), or give its result one scale"
        )


def layer_vectors(
    layer: Layer, tensors: Mapping[str, np.ndarray], product: ArrayProduct | None, limit: int
) -> LayerVectors:
    """Return the vectors of one layer.

    Args:
        layer: the operator on its machine.
        tensors: codes of its operands and results by tensor name, all images.
        product: what its array product took in and gave; None for an operator of the vector unit.
        limit: words of the largest array. Tensors beyond it are left out; of an array product the first part is kept.
    """
    kept, left_out, facts = _tensors(layer, tensors, product is not None, limit)
    facts = {"layer_op": layer.node.op, "attributes": _attributes(layer.node), "tensors": facts}
    if product is None or layer.mapping is None:
        return LayerVectors(
            layer=layer.node.name,
            facts={"unit": "vector", "arithmetic": layer.datapath.arithmetic, **facts},
            parameters={},
            vectors=tuple(kept),
            left_out=left_out,
        )
    result = as_matrix(layer.node, tensors[layer.node.outputs[0]], product.sums.shape)
    whole = Region(groups=product.sums.shape[0], m=product.sums.shape[1], n=product.sums.shape[2])
    region = region_within(layer.mapping, whole, limit)
    found = product_vectors(layer, layer.mapping, product, result, region, limit)
    is_whole = region == whole
    shapes = {key: [getattr(region, key), getattr(whole, key)] for key in ("groups", "m", "n")}
    return LayerVectors(
        layer=layer.node.name,
        facts={"unit": "array", **facts, **found.facts, "written": {"whole": is_whole, "of": shapes}},
        parameters=found.parameters,
        vectors=(*kept, *found.vectors),
        left_out={**left_out, **found.left_out},
    )


def _tensors(
    layer: Layer, tensors: Mapping[str, np.ndarray], is_product: bool, limit: int
) -> tuple[list[Vector], dict[str, str], dict[str, Any]]:
    """Return the vectors of operands and results, which of them are too large, and their grids."""
    node = layer.node
    names = {(ROLES[index] if is_product else f"input_{index}"): name for index, name in enumerate(node.inputs) if name}
    several = len(node.outputs) > 1
    names |= {(f"output_{index}" if several else "output"): name for index, name in enumerate(node.outputs)}
    kept, left_out = [], {}
    for role, name in names.items():
        values = tensors[name]
        if values.size > limit:
            left_out[role] = too_many(values, limit)
            continue
        about = f"tensor {' '.join(name.split())} of the network"
        kept.append(tensor_vector(role, layer.graph.tensors[name], values, about))
    facts = {role: grid_facts(layer.graph.tensors[name], layer.grids.get(name)) for role, name in names.items()}
    return kept, left_out, facts


def _attributes(node: Node) -> dict[str, Any]:
    """Return the node's attributes as JSON data; infinities as text."""

    def plain(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        if isinstance(value, float) and not np.isfinite(value):
            return str(value)
        return value

    return {key: plain(value) for key, value in node.attributes.items()}
