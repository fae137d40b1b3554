"""The rules of a mapping: sizes, order, whole rows of images, blocks that nest, groups that may travel together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.errors import MappingError

if TYPE_CHECKING:
    from hwsim.mapping.gemm import Gemm
    from hwsim.mapping.mapping import Mapping

ORDERS = ("mnk", "nmk")


def check_mapping(mapping: Mapping) -> None:
    """Raise MappingError with the first rule that ``mapping`` breaks."""
    gemm = mapping.gemm
    _order(mapping.order)
    for name, size in gemm.shape.items():
        tile = getattr(mapping, f"tile_{name}")
        if not 1 <= tile <= size:
            raise MappingError(f"mapping: tile_{name} must be 1..{size}, not {tile}")
    if gemm.window and mapping.tile_k % gemm.window.taps:
        raise MappingError(f"mapping: tile_k={mapping.tile_k} must be a multiple of the {gemm.window.taps} kernel taps")
    _whole_rows(mapping, "tile_m", mapping.tile_m)
    _mode(mapping)
    _blocks(mapping)
    _groups(mapping)


def _order(order: str) -> None:
    if order not in ORDERS:
        raise MappingError(f"mapping: order must be 'mnk' or 'nmk', not {order!r}")


def _whole_rows(mapping: Mapping, name: str, size: int) -> None:
    window = mapping.gemm.window
    if window and size % (window.out_width if size < window.image else window.image):
        raise MappingError(
            f"mapping: {name}={size} must be whole output rows of {window.out_width} pixels within one image "
            f"of {window.image}, or whole images"
        )


def _blocks(mapping: Mapping) -> None:
    """Blocks come outermost first, each inside the one before, and tiles inside the last."""
    level, m, n = 1 << 30, mapping.gemm.m, mapping.gemm.n
    for block in mapping.blocks:
        _order(block.order)
        if not 2 <= block.level < level:
            raise MappingError(f"mapping: levels of blocks must fall from the outermost to 2, not {block.level}")
        if not (1 <= block.m <= m and 1 <= block.n <= n):
            raise MappingError(
                f"mapping: a block of {block.m} x {block.n} at level {block.level} must lie within {m} x {n}"
            )
        _whole_rows(mapping, f"the block's m at level {block.level}", block.m)
        level, m, n = block.level, block.m, block.n
    if mapping.tile_m > m or mapping.tile_n > n:
        raise MappingError(
            f"mapping: a tile of {mapping.tile_m} x {mapping.tile_n} must lie within its block {m} x {n}"
        )


def _groups(mapping: Mapping) -> None:
    groups, together, shared = mapping.gemm.groups, mapping.groups_together, mapping.groups_in_array
    if not 1 <= together <= groups or not 1 <= shared <= together:
        raise MappingError(
            f"mapping: groups_in_array <= groups_together <= {groups} groups must hold, not {shared} and {together}"
        )
    if together > 1 and not (mapping.is_whole and not mapping.blocks):
        raise MappingError("mapping: groups travel together only where one tile is the whole product of a group")
    if shared > most_groups_in_array(mapping):
        raise MappingError(
            f"mapping: {shared} groups of {mapping.gemm.k} x {mapping.gemm.n} do not fit {mapping.array.rows} x "
            f"{mapping.array.columns} processing elements side by side; at most {most_groups_in_array(mapping)} do"
        )


def _mode(mapping: Mapping) -> None:
    taps, mac, array = mapping.gemm.window.taps if mapping.gemm.window else 1, mapping.mac, mapping.array
    if mac.cycles_per_vector > 1 and array.stream_block > 1:
        raise MappingError("mapping: array.stream_block counts vectors of one cycle; it must be 1 with bits in series")
    if not mac.is_sparse:
        return
    pattern = f"sparsity {mac.keep}:{mac.block}"
    if mapping.tile_k % (taps * mac.block):
        raise MappingError(f"mapping: tile_k={mapping.tile_k} must be whole blocks of {mac.block} with {pattern}")
    if not keeps_blocks(mapping.gemm, mac.block):
        raise MappingError(f"mapping: segments must hold whole blocks of {mac.block}, in order, with {pattern}")
    if taps > 1 and array.k_order != "kernel_channel":
        raise MappingError(f"mapping: {pattern} runs along channels; set array.k_order to kernel_channel")
    slots = array.adder_tree * mac.k_lanes
    if slots > 1 and slots % mac.keep:
        raise MappingError(f"mapping: a tree of {slots} products must sum whole blocks of {mac.keep} with {pattern}")
    if array.flow.rows == "k" and not mac.held("k", array.rows):
        raise MappingError(f"mapping: {array.rows} rows hold no block of {mac.keep} products with {pattern}")


def keeps_blocks(gemm: Gemm, block: int) -> bool:
    """Whether sparse blocks of so many channels stay whole where segments cut and order them."""
    taps = gemm.window.taps if gemm.window else 1
    return not gemm.channel_order and all(size % (taps * block) == 0 for size in gemm.segments)


def most_groups_in_array(mapping: Mapping) -> int:
    """Return how many groups fit the array side by side, 1 where outputs are stationary: their rows share an ifmap."""
    array, shape, mac = mapping.array, mapping.gemm.shape, mapping.mac
    if array.flow.reduces_in_time:
        return 1
    rows, columns = (mac.vectors(dim, shape[dim]) for dim in (array.flow.rows, array.flow.columns))
    return max(1, min(array.rows // rows, array.columns // columns))
