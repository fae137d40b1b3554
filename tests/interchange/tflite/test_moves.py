"""Operators that move, cut or join elements of tensors that the graph keeps with channels first: numpy on the file's layout."""

import numpy as np
import pytest

from hwsim.execute.float32 import run_float
from hwsim.interchange.tflite import placed_tensors, read_tflite
from tests.interchange.tflite import cases
from tests.interchange.tflite.builder import DTYPES

SEEDS = range(6)


def run(case, seed):
    """The real-valued case: every tensor by name in the file's layout, and the fields and constants of its last operator."""
    data, draw = cases.model(case, cases.REAL, seed)
    batch = draw.file.tensors[draw.file.inputs[0]]["shape"][0]
    placed, seen = placed_tensors(data, batch=batch), {}
    feeds = {placed[i].name: placed[i].in_graph_layout(array) for i, array in cases.feeds(draw).items()}
    run_float(read_tflite(data, batch=batch), feeds, observe=seen.__setitem__)
    seen |= feeds
    arrays = {draw.file.tensors[i]["name"]: at.in_file_layout(seen[at.name]) for i, at in placed.items()}
    for row in draw.file.tensors:
        if row["data"] is not None:
            arrays[row["name"]] = np.frombuffer(row["data"], DTYPES[row["kind"]]).reshape(row["shape"])
    assert {row["name"]: row["shape"] for row in draw.file.tensors} == {name: a.shape for name, a in arrays.items()}
    return arrays, draw.file.operators[-1][4]


@pytest.mark.parametrize("seed", SEEDS)
class TestMoves:
    def test_reshape(self, seed):
        arrays, _ = run(cases.reshape, seed)
        np.testing.assert_array_equal(arrays["y"], arrays["pooled"].reshape(arrays["y"].shape))

    def test_squeeze(self, seed):
        arrays, _ = run(cases.squeeze, seed)
        np.testing.assert_array_equal(arrays["y"], arrays["pooled"].reshape(arrays["y"].shape))

    def test_transpose(self, seed):
        arrays, _ = run(cases.transpose, seed)
        np.testing.assert_array_equal(arrays["y"], arrays["pooled"].transpose(arrays["perm"]))

    def test_pad(self, seed):
        arrays, _ = run(cases.pad, seed)
        np.testing.assert_array_equal(arrays["y"], np.pad(arrays["pooled"], arrays["pads"]))

    def test_padv2(self, seed):
        arrays, _ = run(cases.padv2, seed)
        want = np.pad(arrays["pooled"], arrays["pads"], constant_values=arrays["fill"][0])
        np.testing.assert_array_equal(arrays["y"], want)

    def test_mirror_pad(self, seed):
        arrays, fields = run(cases.mirror_pad, seed)
        mode = "symmetric" if fields["Mode"] else "reflect"
        np.testing.assert_array_equal(arrays["y"], np.pad(arrays["pooled"], arrays["pads"], mode=mode))

    def test_slice(self, seed):
        arrays, _ = run(cases.slice_, seed)
        ends = np.where(arrays["size"] < 0, arrays["pooled"].shape, arrays["begin"] + arrays["size"])
        cut = tuple(slice(start, end) for start, end in zip(arrays["begin"], ends, strict=True))
        np.testing.assert_array_equal(arrays["y"], arrays["pooled"][cut])

    def test_strided_slice(self, seed):
        arrays, fields = run(cases.strided_slice, seed)
        cut = []
        for axis, (start, end, step) in enumerate(zip(arrays["begin"], arrays["end"], arrays["strides"], strict=True)):
            bit = 1 << axis
            begin = None if fields["BeginMask"] & bit else start
            stop = None if fields["EndMask"] & bit else end
            cut.append(start if fields["ShrinkAxisMask"] & bit else slice(begin, stop, step))
        np.testing.assert_array_equal(arrays["y"], arrays["pooled"][tuple(cut)])

    def test_split(self, seed):
        arrays, fields = run(cases.split, seed)
        want = np.split(arrays["pooled"], fields["NumSplits"], axis=int(arrays["axis"]))
        for number, part in enumerate(want):
            np.testing.assert_array_equal(arrays[f"y{number}"], part)

    def test_split_v(self, seed):
        arrays, _ = run(cases.split_v, seed)
        axis = int(arrays["axis"])
        parts = [arrays[f"y{number}"] for number in range(3)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=axis), arrays["pooled"])
        assert parts[0].shape[axis] == arrays["sizes"][0]

    def test_pack_and_unpack(self, seed):
        arrays, fields = run(cases.pack, seed)
        np.testing.assert_array_equal(arrays["y"], np.stack([arrays[f"x{i}"] for i in range(3)], axis=fields["Axis"]))
        arrays, fields = run(cases.unpack, seed)
        parts = [arrays[name] for name in sorted(arrays) if name.startswith("y")]
        np.testing.assert_array_equal(arrays["x"], np.stack(parts, axis=fields["Axis"]))

    def test_gather(self, seed):
        arrays, fields = run(cases.gather, seed)
        np.testing.assert_array_equal(arrays["y"], np.take(arrays["x"], arrays["indices"], axis=fields["Axis"]))

    def test_concatenation(self, seed):
        arrays, fields = run(cases.concatenation, seed)
        parts = [arrays[name] for name in sorted(arrays) if name.startswith("x")]
        np.testing.assert_array_equal(arrays["y"], np.concatenate(parts, axis=fields["Axis"]))

    def test_batch_matmul(self, seed):
        arrays, fields = run(cases.batch_matmul, seed)
        right = arrays.get("x2", arrays.get("c"))
        left, right = (
            a.swapaxes(-1, -2) if turned else a
            for a, turned in ((arrays["x"], fields["AdjX"]), (right, fields["AdjY"]))
        )
        np.testing.assert_allclose(arrays["y"], left @ right, rtol=1e-4, atol=1e-5)

    def test_mean(self, seed):
        arrays, fields = run(cases.mean, seed)
        want = arrays["x"].mean(axis=tuple(arrays["axes"]), keepdims=fields["KeepDims"])
        np.testing.assert_allclose(arrays["y"], want, rtol=1e-5, atol=1e-6)
