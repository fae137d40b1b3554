"""Unique, stable names for the nodes of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import onnx


def unique_names(nodes: Sequence[onnx.NodeProto]) -> list[str]:
    """Return one name for each node: its own, or operator and first output where that is empty or repeated.

    >>> from onnx.helper import make_node
    >>> unique_names([make_node("Relu", ["x"], ["y"]), make_node("Relu", ["y"], ["z"], name="act")])
    ['Relu_y', 'act']
    """
    counts = Counter(node.name for node in nodes)
    taken = {name for name, count in counts.items() if name and count == 1}
    names = []
    for node in nodes:
        if node.name and counts[node.name] == 1:
            names.append(node.name)
            continue
        stem = f"{node.op_type}_{next(filter(None, node.output), '')}"
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names
