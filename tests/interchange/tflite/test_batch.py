"""A file with an open or another batch: shapes that are computed, reshapes that hold for every batch."""

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.execute.float32 import run_float
from hwsim.interchange.tflite import placed_tensors, read_tflite
from tests.interchange.tflite.builder import File

POOL = {"Padding": 1, "StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2}


def flattened(batch, *, computed):
    """Pooling, and a Reshape whose target is written or computed from the shape of its input; batch None is open."""
    size = batch or 1
    f = File()
    x = f.input("x", (size, 4, 4, 3), "FLOAT32", signature=None if batch else (-1, 4, 4, 3))
    pooled = f.tensor("pooled", (size, 2, 2, 3), "FLOAT32")
    f.operator("MAX_POOL_2D", [x], [pooled], "Pool2DOptions", **POOL)
    if computed:
        shape, first, target = (
            f.tensor("shape", (4,), "INT32"),
            f.tensor("first", (), "INT32"),
            f.tensor("t", (2,), "INT32"),
        )
        f.operator("SHAPE", [pooled], [shape], "ShapeOptions")
        bounds = [f.constant(name, [value]) for name, value in (("begin", 0), ("end", 1), ("step", 1))]
        f.operator("STRIDED_SLICE", [shape, *bounds], [first], "StridedSliceOptions", ShrinkAxisMask=1)
        f.operator("PACK", [first, f.constant("rest", 12)], [target], "PackOptions", ValuesCount=2)
    else:
        target = f.constant("t", [size if batch else -1, 12])
    y = f.tensor("y", (size, 12), "FLOAT32")
    f.operator("RESHAPE", [pooled, target], [y])
    return f.build([y])


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("written", [None, 1, 2])
@pytest.mark.parametrize("wanted", [1, 2, 5])
def test_every_batch_computes_the_same(written, wanted, computed):
    data = flattened(written, computed=computed)
    graph, placed = read_tflite(data, batch=wanted), placed_tensors(data, batch=wanted)
    assert graph.batch == wanted
    assert graph.tensors["y"].shape == (wanted, 12)
    images = np.random.default_rng(0).standard_normal((wanted, 4, 4, 3)).astype(np.float32)
    want = images.reshape(wanted, 2, 2, 2, 2, 3).max(axis=(2, 4)).reshape(wanted, 12)
    np.testing.assert_array_equal(run_float(graph, {"x": placed[0].in_graph_layout(images)})["y"], want)


def test_an_open_size_needs_a_number():
    f = File()
    x = f.input("x", (1, 1, 4), "FLOAT32", signature=(1, -1, 4))
    y = f.tensor("y", (1, 1, 4), "FLOAT32")
    f.operator("RELU", [x], [y])
    data = f.build([y])
    with pytest.raises(GraphError, match=r"leaves dimension 1 open.*--dimension x:1=128"):
        read_tflite(data)
    assert read_tflite(data, dimensions={"x:1": 7}).tensors["y"].shape == (1, 7, 4)
    with pytest.raises(GraphError, match=r"no input has an open dimension 'x:2'; did you mean 'x:1'\?"):
        read_tflite(data, dimensions={"x:2": 7})
    with pytest.raises(GraphError, match="batch must be a positive integer, not 0"):
        read_tflite(data, batch=0, dimensions={"x:1": 7})


def test_what_holds_for_one_batch_only_says_which():
    f = File()
    x = f.input("x", (2, 3), "FLOAT32")
    y = f.tensor("y", (2, 3), "FLOAT32")
    f.operator("ADD", [x, f.constant("c", np.ones((2, 3)), "FLOAT32")], [y], "AddOptions")
    data = f.build([y])
    with pytest.raises(GraphError, match="'y' holds only for the batch of the file; read it with batch=2"):
        read_tflite(data, batch=3)
    assert read_tflite(data, batch=2).batch == 2
