"""``hwsim export``: the quantized network as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli.groups import Images, Loading, Method, Precision, Target, grouped


@grouped()
def export(
    *,
    target: Target,
    precision: Precision,
    method: Method,
    images: Images,
    loading: Loading,
    format_: Annotated[
        str, typer.Option("--format", help="qdq (ONNX, QuantizeLinear and DequantizeLinear) or qonnx.")
    ] = "qdq",
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")] = Path("quantized.onnx"),
) -> None:
    """Quantize a network as `hwsim run` does, and write it as ONNX QDQ or QONNX.

    The machine decides only whether scales must be powers of two, because its requantizer can do no more than shift.
    """
    from hwsim.cli import resolve
    from hwsim.cli.prepare import prepare
    from hwsim.cli.written import check_target, qdq_notes
    from hwsim.errors import HwsimError, did_you_mean
    from hwsim.execute.integer import check_executable
    from hwsim.interchange.onnx import write_qdq
    from hwsim.interchange.qonnx import write_qonnx
    from hwsim.zoo import names

    writers = {"qdq": write_qdq, "qonnx": write_qonnx}
    if format_ not in writers:
        raise HwsimError(f"--format: {format_!r} is unknown{did_you_mean(format_, writers)}")
    check_target(out)
    plan = resolve.resolve_plan(precision, method=method)
    ready = prepare(target, plan, loading, method, images)
    if any(tensor.quant is not None and tensor.quant.scale is None for tensor in ready.graph.tensors.values()):
        drawn = ", or --images N to draw them" if target.network in names() else ""
        raise HwsimError(
            f"export: {target.network} needs images that set the ranges; give --calibration images.npz{drawn}"
        )
    check_executable(ready.graph, ready.machine)
    notes = writers[format_](ready.graph, out)
    for note in (*notes, *(qdq_notes(ready.graph) if format_ == "qdq" else ())):
        typer.echo(f"note: {note}")
    typer.echo(f"{format_.upper()} model: {out}")
