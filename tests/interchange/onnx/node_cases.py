"""onnx's own node cases, generated once per session."""

import warnings
from functools import cache


@cache
def node_cases():
    """Return all cases: ``name``, ``model`` and ``data_sets`` of inputs and outputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # onnx's generators divide by zero on purpose
        from onnx.backend.test.loader import load_model_tests

        return tuple(load_model_tests(kind="node"))
