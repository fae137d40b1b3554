"""Pooling: explicit pads, two spatial dimensions."""

from __future__ import annotations

from typing import Any

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer, only_first_output
from hwsim.interchange.onnx.normalize.spatial import emit_lifted, explicit_pads, lift
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.draft import Draft


def pool(operator: Operator, draft: Draft) -> None:
    """MaxPool and AveragePool."""
    only_first_output(operator, "Indices")
    if not operator.get("kernel_shape"):
        raise GraphError("kernel_shape is missing; export the model again")
    lifted = lift(operator, draft)
    kernel = lifted.pair(operator, "kernel_shape", 1)
    strides, dilations = lifted.pair(operator, "strides", 1), lifted.pair(operator, "dilations", 1)
    pads = explicit_pads(operator, lifted, kernel, strides, dilations)
    more: dict[str, Any] = (
        {"count_include_pad": bool(operator.get("count_include_pad", 0))} if operator.op == "AveragePool" else {}
    )
    emit_lifted(
        operator, draft, lifted, [lifted.tensor],
        kernel=kernel, strides=strides, dilations=dilations, pads=pads, ceil_mode=bool(operator.get("ceil_mode", 0)),
        **more,
    )  # fmt: skip


def global_pool(operator: Operator, draft: Draft) -> None:
    """GlobalAveragePool and GlobalMaxPool."""
    lifted = lift(operator, draft)
    emit_lifted(operator, draft, lifted, [lifted.tensor])


NORMALIZERS: dict[str, Normalizer] = {
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
}
