"""What ``export`` and ``quantize`` check and say about the files that they write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.errors import HwsimError

if TYPE_CHECKING:
    from hwsim.graph import Graph

TOLD_BITS = 8  # a Clip tells narrower formats from the bytes that they are stored in
STORED_BITS = (16, 32)


def check_target(out: Path) -> None:
    """Raise HwsimError, before any work, for a file that could not be written."""
    if out.suffix != ".onnx":
        raise HwsimError(f"{out}: is written as ONNX; give it the ending .onnx")
    if not out.parent.is_dir():
        raise HwsimError(f"{out}: cannot be written: there is no folder {out.parent}; make it first")


def qdq_notes(graph: Graph) -> tuple[str, ...]:
    """Return what QDQ does not keep, and what ONNX Runtime computes otherwise on some processors."""
    return (*_widened(graph), *_saturation(graph))


def _widened(graph: Graph) -> tuple[str, ...]:
    from hwsim.numerics.formats import IntFormat

    weights = (graph.tensors[name].quant for node in graph.nodes for name in node.inputs[1:2] if name)
    found = {grid.format for grid in weights if grid is not None}
    wide = {number for number in found if isinstance(number, IntFormat) and number.bits > TOLD_BITS}
    odd = sorted(str(number) for number in wide if number.bits not in STORED_BITS)
    if not odd:
        return ()
    return (
        f"ONNX has no {', '.join(odd)}: weights are stored in the next type, and read back are priced as that; "
        "hwsim export --format qonnx keeps their width",
    )


def _saturation(graph: Graph) -> tuple[str, ...]:
    """Return a note on what ONNX Runtime computes otherwise on some processors."""
    from hwsim.interchange.onnx.write.pair_sums import layers_with_pairs_beyond

    found = layers_with_pairs_beyond(graph)
    if not found:
        return ()
    more = f" and {len(found) - 1} more layers" if len(found) > 1 else ""
    return (
        f"ONNX Runtime on x86 without VNNI adds pairs of products in 16 bits, which {found[0]!r}{more} can overflow; export "
        "with --weights int7, or set session.x64quantprecision=1",
    )
