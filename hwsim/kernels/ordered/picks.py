"""Which products of a row are added at all, and where its pieces and adder-tree groups end."""

from __future__ import annotations

from typing import Any, NamedTuple

from hwsim.kernels.cache import kernel


class Terms(NamedTuple):
    """The products of a block of rows that are added, in order.

    Args:
        x: their activations, lane ``[ROWS, k]``.
        picks: their positions along k, int32 ``[ROWS, k]``.
        ends: where the groups of an adder tree end, int32 ``[ROWS, k + 1]``; no columns without a tree.
        bounds: where the pieces end, in products or in groups, int64 ``[ROWS, pieces + 1]``.
    """

    x: Any
    picks: Any
    ends: Any
    bounds: Any


@kernel
def _copy_dense(row: Any, pieces: Any, values: Any, picks: Any, bounds: Any) -> Any:
    """Pick everything where nothing can be left out, without a branch per product; return whether that was so."""
    zeros = 0
    for position in range(len(row)):
        zeros += row[position] == 0
    if zeros:
        return False
    for position in range(len(row)):
        values[position] = row[position]
    for position in range(len(row)):
        picks[position] = position
    bounds[0] = 0
    for piece in range(len(pieces)):
        bounds[piece + 1] = pieces[piece, 0]
    return True


@kernel
def _pick_products(row: Any, pieces: Any, skip_zeros: Any, values: Any, picks: Any, bounds: Any) -> None:
    """Write the activations that take part, their positions, and the bounds of each piece, all from the start.

    Args:
        row: lane ``[k]``.
        pieces: int64 ``[p, 2]``, the first column the end of each piece.
        skip_zeros: leave out zeros, whose products change nothing.
        values: lane ``[k]``, written.
        picks: int32 ``[k]``, written.
        bounds: int64 ``[p + 1]``, written.
    """
    if _copy_dense(row, pieces, values, picks, bounds):
        return
    count = 0
    position = 0
    for piece in range(len(pieces)):
        bounds[piece] = count
        while position < pieces[piece, 0]:
            values[count] = row[position]
            picks[count] = position
            count += row[position] != 0 or not skip_zeros
            position += 1
    bounds[len(pieces)] = count


@kernel
def _pick_groups(
    row: Any, pieces: Any, skip_zeros: Any, tree: Any, values: Any, picks: Any, ends: Any, bounds: Any
) -> None:
    """Do as ``_pick_products`` for groups of ``tree`` products, counted from the start of each piece.

    ``bounds`` counts groups; group g holds the products ``ends[g] .. ends[g + 1] - 1``. Groups of zeros are left out.
    """
    count = 0
    groups = 0
    position = 0
    ends[0] = 0
    for piece in range(len(pieces)):
        bounds[piece] = groups
        while position < pieces[piece, 0]:
            stop = min(position + tree, pieces[piece, 0])
            while position < stop:
                values[count] = row[position]
                picks[count] = position
                count += row[position] != 0 or not skip_zeros
                position += 1
            groups += count > ends[groups]
            ends[groups] = count
    bounds[len(pieces)] = groups


@kernel
def pick_rows(a: Any, pieces: Any, tree: Any, skip_zeros: Any, terms: Terms) -> None:
    """Fill ``terms`` from the rows ``a``, lane ``[rows, k]``."""
    for i in range(len(a)):
        if tree > 1:
            _pick_groups(a[i], pieces, skip_zeros, tree, terms.x[i], terms.picks[i], terms.ends[i], terms.bounds[i])
        else:
            _pick_products(a[i], pieces, skip_zeros, terms.x[i], terms.picks[i], terms.bounds[i])
