"""Ranges per channel against loops over every weight."""

import numpy as np
import pytest

from hwsim.graph import Node
from hwsim.quantization.transforms.weight_ranges import weight_columns, weight_rows


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "Gemm"])
def test_rows_and_columns(op, groups):
    inside, outside = 4, 6
    shapes = {"Conv": (outside, inside // groups, 2, 3), "ConvTranspose": (inside, outside // groups, 2, 3)}
    weight = np.random.default_rng(groups).normal(size=shapes.get(op, (inside, outside)))
    node = Node(name="n", op=op, inputs=("x", "w"), outputs=("y",), attributes={"groups": groups})
    rows, columns = np.zeros(outside), np.zeros(inside)
    for place, value in np.ndenumerate(weight):
        if op == "Gemm":
            i, o = place
        elif op == "Conv":
            o = place[0]
            i = o // (outside // groups) * (inside // groups) + place[1]
        else:
            i = place[0]
            o = i // (inside // groups) * (outside // groups) + place[1]
        rows[o], columns[i] = max(rows[o], abs(value)), max(columns[i], abs(value))
    np.testing.assert_array_equal(weight_rows(node, weight), rows)
    np.testing.assert_array_equal(weight_columns(node, weight), columns)
