"""Arithmetic and registers of one array layer.

Every product is priced by the machine's MAC mode, every vector of them adds once to each partial sum that it meets. It
writes one register per operand that moves: both streams of an output-stationary array, one stream and the partial sum of
the others (``vertical_hop_registers`` of it, and those inside the adder). Lanes along n share an activation, lanes along k
a partial sum. A stationary operand is shifted in over (R + 1) / 2 rows on average, and the results of an output-stationary
array are shifted out over (R + 1) / 2 rows or (C + 1) / 2 columns. Registers of unused processing elements are gated.

Sparse weights: only those that are kept are multiplied and moved, with their place in the block, and each chooses its
activation out of the block, which moves whole. Where scales change along k every fold's partial sum passes a scaler.
"""

from __future__ import annotations

from hwsim.cost.array_cycles import drain_cycles, hop_cycles
from hwsim.cost.decoders import decoder_work, fill_work
from hwsim.cost.ledger import Compute
from hwsim.cost.scalers import FLOAT_ADD, scaler_work
from hwsim.cost.steps import Steps
from hwsim.cost.traffic import array_reads
from hwsim.errors import MappingError
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.requantizer_circuit import second_bits
from hwsim.mapping.decoding import held_weight_bits, product_of
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import (
    accumulator_bits,
    has_column_constant,
    has_column_sum,
    mac_shape,
    on_datapath,
    operand_bits,
    psum_bits,
    scaled_bits,
)


def array_work(mapping: Mapping, steps: Steps, datapath: Datapath) -> tuple[Compute, ...]:
    """Return the rows of all groups; raise MappingError for a mapping that was made for another datapath."""
    gemm = mapping.gemm
    if mapping.mac != mac_shape(gemm, datapath):
        made = f"{mapping.mac} but mac = {datapath.mac} asks for {mac_shape(gemm, datapath)}"
        raise MappingError(f"mapping: it was made for {made}; schedule the layer for this machine")
    if gemm is not on_datapath(gemm, datapath):
        asks = f"mac = {datapath.mac} with segment_scaling = {datapath.segment_scaling}"
        raise MappingError(f"mapping: its segments were not made for {asks}; schedule the layer for this machine")
    accumulator = accumulator_bits(gemm, datapath)
    outputs = gemm.m * gemm.n * gemm.groups
    rows = [*_products(mapping, steps, datapath), *_registers(mapping, steps, datapath)]
    rows += decoder_work(gemm, int(array_reads(mapping, steps, "weight").sum()), datapath)
    rows += fill_work(mapping, datapath)
    sums = int(array_reads(mapping, steps, "psum").sum())
    if not has_column_constant(gemm, datapath):
        sums -= outputs  # the first fold is written, not added
    rows.append(Compute(unit="accumulator", action=_addition(mapping, datapath), count=sums, a_bits=accumulator))
    rows += _column_sums(mapping, steps, datapath)
    rows += scaler_work(mapping, int(array_reads(mapping, steps, "psum").sum()), datapath)
    unit = datapath.requantizer
    second = second_bits(unit, gemm.ofmap.bits)
    rows.append(Compute(unit="requantizer", action=unit.scheme, count=outputs, a_bits=accumulator, b_bits=second))
    return tuple(rows)


def _addition(mapping: Mapping, datapath: Datapath) -> str:
    """Return how the accumulators add."""
    if datapath.mac.is_floating:
        return str(datapath.mac)
    return FLOAT_ADD if mapping.gemm.is_segmented and datapath.segment_scaling.is_real else "add"


def _column_sums(mapping: Mapping, steps: Steps, datapath: Datapath) -> list[Compute]:
    """Return the sums of activations beside the array; they join every output, or with segments every fold's partial sum."""
    gemm = mapping.gemm
    if not has_column_sum(gemm, datapath):
        return []
    joins, bits = gemm.m * gemm.n * gemm.groups, accumulator_bits(gemm, datapath)
    if gemm.is_segmented:
        joins, bits = int(array_reads(mapping, steps, "psum").sum()), scaled_bits(mapping, datapath)
    return column_sum_work(gemm.m * gemm.k * gemm.groups, joins, bits, gemm)


def column_sum_work(summed: int, joins: int, bits: int, gemm: Gemm) -> list[Compute]:
    """Return the rows of ``summed`` activations beside the array, times a zero point where they join ``joins`` sums."""
    return [
        Compute(unit="column_sum", action="add", count=summed + joins, a_bits=bits),
        Compute(unit="column_sum", action="multiply", count=joins, a_bits=bits, b_bits=gemm.weight.bits),
    ]


def products(mapping: Mapping) -> int:
    """Return the products that the array computes, all groups: those of pruned weights are left out."""
    gemm = mapping.gemm
    return int(gemm.m * mapping.mac.kept(gemm.k) * gemm.n * gemm.groups)


def additions(mapping: Mapping, steps: Steps) -> int:
    """Return the additions to partial sums inside the array, all groups: one for each vector of lanes along k."""
    parts = steps.parts
    vectors = parts.m * parts.n * mapping.mac.vectors("k", parts.k)
    return int((vectors * steps.groups[parts.step]).sum())


def _products(mapping: Mapping, steps: Steps, datapath: Datapath) -> list[Compute]:
    """Return products and additions; together where a processing element is one multiplier and one adder."""
    operands = operand_bits(mapping.gemm, datapath)
    built = (datapath.multiplier_activation_bits or operands[0], datapath.multiplier_weight_bits or operands[1])
    a, b = datapath.mac.priced_bits(operands, built)
    count, psum = products(mapping), psum_bits(mapping, datapath)
    product = product_of(mapping.gemm, datapath)
    if product is not None:
        rows = [
            Compute(unit="array", action=product.action, count=count, a_bits=a, b_bits=product.width, sum_bits=psum)
        ]
    elif str(datapath.mac) == "fixed":
        rows = [Compute(unit="array", action="multiply_add", count=count, a_bits=a, b_bits=b, sum_bits=psum)]
    else:
        mode = str(datapath.mac)
        rows = [
            Compute(unit="array", action=mode, count=count, a_bits=a, b_bits=b),
            Compute(unit="array_sum", action=mode, count=additions(mapping, steps), a_bits=psum),
        ]
    if mapping.mac.is_sparse:
        rows.append(Compute(unit="array", action="select", count=count, a_bits=operands[0], b_bits=mapping.mac.block))
    return rows


def _registers(mapping: Mapping, steps: Steps, datapath: Datapath) -> list[Compute]:
    ifmap, weight = operand_bits(mapping.gemm, datapath)[0], held_weight_bits(mapping.gemm, datapath)
    widths = {"ifmap": ifmap, "weight": weight + mapping.mac.index_bits, "psum": psum_bits(mapping, datapath)}
    rows = [
        Compute(unit="array_register", action=operand, count=register_writes(mapping, steps, operand), a_bits=bits)
        for operand, bits in widths.items()
    ]
    staged = products(mapping) * mapping.array.multiplier_latency_cycles
    if staged:
        rows.append(Compute(unit="array_register", action="product", count=staged, a_bits=ifmap + weight))
    return rows


def register_writes(mapping: Mapping, steps: Steps, operand: str) -> int:
    """Return how often registers of ``operand`` inside the array are written, all groups."""
    array, mac = mapping.array, mapping.mac
    moved = int(array_reads(mapping, steps, operand).sum())
    if operand == "psum":
        adds = additions(mapping, steps)
        if array.flow.reduces_in_time:
            hops = drain_cycles(array)  # stay and add; then leave
            return adds * (1 + array.adder_latency_cycles) + (moved * (hops + 1) // 2 if hops else 0)
        return adds * hop_cycles(array)
    if operand == array.flow.stationary:
        return moved * (array.rows + 1) // 2
    if operand == "weight":
        return products(mapping)
    return int((steps.m * steps.k * mac.vectors("n", steps.n) * steps.groups).sum())
