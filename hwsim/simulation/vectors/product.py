"""The golden vectors of an array product, fold by fold: matrices, constants, registers, results, and the array's order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.execute.integer import Layer
from hwsim.execute.integer.floating import is_floating, mac_of
from hwsim.execute.integer.product import ArrayProduct
from hwsim.graph import Node
from hwsim.interchange.vectors.vector import LayerVectors
from hwsim.mapping.mapping import Mapping as ArrayMapping
from hwsim.numerics.float_mac import FloatMac
from hwsim.simulation.vectors.array_order import array_vectors
from hwsim.simulation.vectors.bench import parameters
from hwsim.simulation.vectors.folds import codes_of, registers
from hwsim.simulation.vectors.matrix_order import matrix_vectors
from hwsim.simulation.vectors.output_stage import output_stage
from hwsim.simulation.vectors.passes import passes_of
from hwsim.simulation.vectors.region import Region
from hwsim.simulation.vectors.tensors import tensor_vector
from hwsim.simulation.vectors.widths import widths_of, widths_of_codes


def product_vectors(
    layer: Layer, mapping: ArrayMapping, product: ArrayProduct, result: np.ndarray, region: Region, limit: int
) -> LayerVectors:
    """Return the vectors of an array product inside ``region``."""
    stage = output_stage(layer, product.sums.shape[0], product.sums.shape[2])
    part = product.first(region.groups, region.m, region.n)
    folds = registers(part, mapping, layer.datapath)
    mac = mac_of(layer) if is_floating(layer) else None
    if mac is not None:
        part, folds = _as_codes(part, mac), folds.as_codes(mac.total)
    widths = widths_of(layer, mapping, folds) if mac is None else widths_of_codes(mac)
    passes = list(passes_of(mapping, region))
    output = layer.graph.tensors[layer.node.outputs[0]]
    cut = [replace(constant, values=constant.values[: region.groups, : region.n]) for constant in stage.vectors]
    constants = [constant for constant in cut if constant.values.size <= limit]
    vectors = (
        *matrix_vectors(part, mapping, folds, widths),
        *constants,
        replace(
            tensor_vector(
                "result", output, result[: region.groups, : region.m, : region.n], "what leaves the requantizer"
            ),
            axes=("group", "m", "n"),
        ),
        *array_vectors(mapping, passes, part.ifmap, part.weight, folds, widths),
    )
    facts = {
        "gemm": {"groups": mapping.gemm.groups, **mapping.gemm.shape},
        "tile": {"m": mapping.tile_m, "k": mapping.tile_k, "n": mapping.tile_n},
        "loop_order": mapping.order,
        "k_segments": list(mapping.k_segments),
        "array": mapping.array.model_dump(mode="json"),
        "datapath": layer.datapath.model_dump(mode="json"),
        "output_stage": stage.facts,
    }
    if mac is not None:
        facts["number_formats"] = {"operands": str(mac.operand), "sums": str(mac.total)}
    return LayerVectors(
        layer=layer.node.name,
        facts=facts,
        parameters=parameters(layer, mapping, region, stage, vectors) if mac is None else {},
        vectors=vectors,
        left_out={constant.name: too_many(constant.values, limit) for constant in cut if constant not in constants},
    )


def _as_codes(product: ArrayProduct, mac: FloatMac) -> ArrayProduct:
    """Return a product of real numbers with the codes of the formats that carry them, int64."""
    return replace(
        product,
        ifmap=codes_of(mac.operand, product.ifmap),
        weight=codes_of(mac.operand, product.weight),
        constant=codes_of(mac.total, product.constant),
        sums=codes_of(mac.total, product.sums),
    )


def too_many(values: np.ndarray, limit: int) -> str:
    """Return why an array is left out."""
    return f"{values.size} words are more than the limit of {limit}"


def as_matrix(node: Node, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a layer's result as ``[groups, m, n]``: of a convolution's ``[batch, channels, height, width]`` the pixels are m."""
    groups, m, n = shape
    if node.op in ("Conv", "ConvTranspose"):
        return values.transpose(0, 2, 3, 1).reshape(m, groups, n).transpose(1, 0, 2)
    return values.reshape(groups, m, n)
