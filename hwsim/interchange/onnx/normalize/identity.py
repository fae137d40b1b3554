"""Operators that do nothing in inference and vanish."""

from __future__ import annotations

import numpy as np
import onnx

from hwsim.errors import GraphError
from hwsim.interchange.onnx.element_types import REALS, type_name
from hwsim.interchange.onnx.normalize.common import Normalizer, only_first_output
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.shapes.common import broadcast


def identity(operator: Operator, draft: Draft) -> None:
    """Identity."""
    draft.same_as(operator.outputs[0], operator.inputs[0])


def dropout(operator: Operator, draft: Draft) -> None:
    """Dropout in inference."""
    only_first_output(operator, "mask")
    if operator.has(2) and np.any(draft.constant(operator.inputs[2], "training_mode")):
        ratio = float(draft.constant(operator.inputs[1], "ratio")) if operator.has(1) else 0.5
        if ratio:
            raise GraphError("it drops elements, as in training; export the model in inference mode (model.eval())")
    identity(operator, draft)


def cast(operator: Operator, draft: Draft) -> None:
    """Cast between float formats: everything is computed in float32."""
    target = operator.get("to")
    if target not in REALS:
        raise GraphError(f"a cast to {type_name(target)} is not supported; export the model in float32")
    if target != onnx.TensorProto.FLOAT:
        draft.notes["casts between float formats are removed: everything is computed in float32"] = None
    identity(operator, draft)


def expand(operator: Operator, draft: Draft) -> None:
    """Expand to the shape that the input already has."""
    shape = draft.shape(operator.inputs[0])
    target = tuple(int(size) for size in draft.constant(operator.inputs[1], "shape"))
    if broadcast([shape, target]) != shape:
        raise GraphError(
            f"expanding {list(shape)} to {list(target)} is not supported; arithmetic operators broadcast by themselves, "
            "so that the export can leave it out"
        )
    identity(operator, draft)


NORMALIZERS: dict[str, Normalizer] = {"Identity": identity, "Dropout": dropout, "Expand": expand}
