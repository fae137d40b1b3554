"""Golden vectors against the definitions on Python integers, read back with numpy and json alone.

The pass table says which operands meet; from the array's streams every partial sum, accumulator and result is computed
again, product by product, and every product of the layer must have been there exactly once.
"""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.vectors.hex_file import read_hex
from hwsim.numerics.accumulator import Accumulator, accumulate
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.multiplier import Multiplier
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.rounding import Rounding
from hwsim.schedule import schedule
from hwsim.simulation.vectors import write_vectors
from hwsim.simulation.vectors.passes import passes_of
from hwsim.simulation.vectors.region import Region, region_within, words
from tests.execute.integer.positioned import matmul as positioned_matmul
from tests.integers import every_tensor
from tests.simulation.vectors.layers import FLOWS, conv, gemm, images, machine, matmul, tables, written

FIELDS = ("group", "m_start", "m_size", "k_start", "k_size", "n_start", "n_size", "fold", "stream_start")


def operands_of(found, index, row):
    """The ifmap ``[m, k]`` and weight ``[k, n]`` of one pass, and where its results cross, from the streams."""
    arrays, flow = found.arrays, found.entry["array"]["dataflow"]
    m, k, n, start = (row[name] for name in ("m_size", "k_size", "n_size", "stream_start"))
    ifmap, weight = arrays["array_ifmap"], arrays["array_weight"]
    if flow == "weight_stationary":
        return ifmap[start : start + m, :k], weight[index, :k, :n], lambda out: out[start : start + m, :n]
    if flow == "input_stationary":
        return ifmap[index, :k, :m].T, weight[start : start + n, :k].T, lambda out: out[start : start + n, :m].T
    return ifmap[start : start + k, :m].T, weight[start : start + k, :n], lambda out: out[index, :m, :n]


def recompute(found):
    """Check every pass and every output; return how many times each product (group, m, k, n) was there."""
    arrays, entry = found.arrays, found.entry
    psum, accumulator = (Accumulator.parse(entry["datapath"][key]) for key in ("psum", "accumulator"))
    at_start = entry["datapath"]["bias"] == "start"
    tree, multiply = entry["array"]["adder_tree"], multiplication(entry)
    constant, last = arrays["column_constant"], len(entry["k_segments"]) - 1
    held = {}
    groups, m_all, n_all = arrays["sum"].shape
    seen = np.zeros((groups, m_all, sum(entry["k_segments"]), n_all), np.int64)
    for index, row in enumerate(arrays["passes"]):
        row = dict(zip(FIELDS, row.tolist(), strict=True))
        ifmap, weight, crossing = operands_of(found, index, row)
        g, m0, k0, n0 = (row[name] for name in ("group", "m_start", "k_start", "n_start"))
        assert k0 == sum(entry["k_segments"][: row["fold"]])
        seen[g, m0 : m0 + row["m_size"], k0 : k0 + row["k_size"], n0 : n0 + row["n_size"]] += 1
        for i in range(row["m_size"]):
            for j in range(row["n_size"]):
                place = (g, m0 + i, n0 + j)
                products = [multiply(int(x), int(w)) for x, w in zip(ifmap[i], weight[:, j], strict=True)]
                partial, *_ = accumulate(
                    products, segments=[len(products)], psum=psum, accumulator=Accumulator(), tree=tree
                )
                assert crossing(arrays["array_psum"])[i, j] == partial == arrays["psum"][(row["fold"], *place)]
                if row["fold"] == 0:
                    assert place not in held
                    held[place] = accumulator.reduce(int(constant[g, n0 + j])) if at_start else 0
                held[place] = accumulator.reduce(held[place] + partial)
                assert crossing(arrays["array_accumulator"])[i, j] == held[place]
                assert arrays["accumulator_after_fold"][(row["fold"], *place)] == held[place]
                if row["fold"] == last:
                    assert arrays["accumulator"][place] == held[place]
                    finish(found, place, held[place])
    assert len(held) == groups * m_all * n_all
    return seen


def multiplication(entry):
    """What multiplies two integers on the machine of the index."""
    multiplier = Multiplier.parse(entry["datapath"]["multiplier"])
    formats = [
        IntFormat(bits=about["bits"], signed=about["kind"] == "signed")
        for about in (entry["vectors"]["array_ifmap"], entry["vectors"]["array_weight"])
    ]
    return (lambda x, w: x * w) if multiplier.is_exact else lambda x, w: multiplier.product(x, w, *formats)


def unit_of(stage):
    """The requantizer that the index names, its words as the enumerations that they stand for."""
    kinds = {"rounding": Rounding, "overflow": CodeOverflow}
    keys = {key: stage[key] for key in ("scheme", "multiplier_bits", "rounding", "overflow", "saturated_bits")}
    return Requantizer(
        **{key: kinds[key](value) if key in kinds and value is not None else value for key, value in keys.items()}
    )


def finish(found, place, value):
    """Check the sum and the result of one output."""
    arrays, stage = found.arrays, found.entry["output_stage"]
    g, i, j = place
    total = value + (0 if found.entry["datapath"]["bias"] == "start" else int(arrays["column_constant"][g, j]))
    if "ifmap_sum" in arrays:
        total -= int(arrays["ifmap_sum"][g, i]) * int(arrays["weight_zero_point"][g, j])
    assert arrays["sum"][place] == total
    if stage["rule"] == "requantize":
        unit = unit_of(stage)
        factor, shift = arrays["multiplier"][g, j], int(arrays["shift"][g, j])
        factor = float(factor) if arrays["multiplier"].dtype.kind == "f" else int(factor)
        bounds = stage["zero_point"], stage["clamp_low"], stage["clamp_high"]
        assert arrays["result"][place] == definition(unit.scheme).requantize_one(total, factor, shift, unit, *bounds)


NETWORKS = {
    "conv": lambda rng: (conv(rng), 2),
    "grouped conv, asymmetric weights": lambda rng: (conv(rng, groups=2, symmetric=False, weights="uint4"), 1),
    "depthwise-like conv in batches": lambda rng: (conv(rng, groups=2, batch=2, activations="int5"), 2),
    "gemm": lambda rng: (gemm(rng), 4),
    "gemm of narrow codes": lambda rng: (gemm(rng, weights="int2", activations="uint3", symmetric=True, scale=0.03), 2),
    "gemm of fp4 weights": lambda rng: (tables(rng, "fp4e2m1"), 2),
    "gemm of power-of-two weights": lambda rng: (tables(rng, "pot4"), 2),
    "matmul of activations": lambda rng: (matmul(rng), 2),
}
DATAPATHS = [
    {"psum": "int11:saturate", "accumulator": "int13:saturate", "bias": "start"},
    {"psum": "int11:saturate", "accumulator": "int13:saturate", "tree": 3},
    {"psum": "int10:wrap", "accumulator": "int14:wrap", "zero_point": "subtracted", "requantizer": "float32"},
    {"psum": "exact", "accumulator": "exact", "requantizer": "fixed_point:12:half_even"},
    {"psum": "int9:exact", "accumulator": "int12:exact", "bias": "start", "requantizer": "tflite_double"},
]


CASES = [
    (name, flow, DATAPATHS[(network + 2 * turn + offset) % len(DATAPATHS)])
    for network, name in enumerate(NETWORKS)
    for turn, flow in enumerate(FLOWS)
    for offset in (0, 1)
]


def test_every_network_meets_every_datapath():
    assert all(
        {tuple(keys) for other, _, keys in CASES if other == name} == {tuple(keys) for keys in DATAPATHS}
        for name in NETWORKS
    )


@pytest.mark.parametrize(("name", "flow", "datapath"), CASES)
def test_every_word_is_what_the_definitions_give(name, flow, datapath, tmp_path):
    rng = np.random.default_rng([FLOWS.index(flow), len(name), DATAPATHS.index(datapath)])
    graph, count = NETWORKS[name](rng)
    accelerator, inputs = machine(flow, memory=400, **datapath), images(rng, graph, count)
    found = written(graph, accelerator, inputs, tmp_path / "v", formats=("npz",))
    assert found.entry["written"]["whole"] is True
    seen = recompute(found)
    assert (seen == 1).all()
    result, output = found.arrays["result"], every_tensor(graph, accelerator, inputs)["out0"].astype(np.int64)
    if graph.nodes[0].op == "Conv":
        groups, pixels, channels = result.shape
        output = output.transpose(0, 2, 3, 1).reshape(pixels, groups * channels)
        result = result.transpose(1, 0, 2).reshape(pixels, groups * channels)
    np.testing.assert_array_equal(result.reshape(output.shape), output)
    assert len(np.unique(found.arrays["sum"])) > 10
    assert len(np.unique(result)) > 1, "the results are constant, so the comparison proves little"


def test_an_approximate_multiplier(tmp_path):
    """Its products, not the exact ones, are what the registers hold; lanes without work multiply nothing."""
    rng = np.random.default_rng(5)
    graph = gemm(rng, weights="int5", activations="uint4")
    inputs, truncated = images(rng, graph, 2), {"multiplier": "truncated:3", "accumulator": "int12:saturate"}
    found = written(graph, machine(**truncated), inputs, tmp_path / "truncated", formats=("npz",))
    assert (recompute(found) == 1).all()
    exact = written(graph, machine(accumulator="int12:saturate"), inputs, tmp_path / "exact", formats=("npz",))
    assert (found.arrays["psum"] != exact.arrays["psum"]).mean() > 0.5


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("order", ["mnk", "nmk"])
def test_passes_follow_the_mapping(flow, order):
    """A plain nest of loops over images, groups, tiles and blocks visits the same products in the same order."""
    rng = np.random.default_rng(3)
    graph = conv(rng, groups=2)
    accelerator = machine(flow, memory=300)
    mapping = replace(schedule(graph, accelerator).mappings["node"], tile_m=6, tile_k=6, tile_n=3, order=order)
    gemm_ = mapping.gemm
    block = dict.fromkeys("mkn", 10**9)
    block[mapping.array.flow.rows], block[mapping.array.flow.columns] = 4, 3
    tiles = {"m": 6, "k": 6, "n": 3}

    def cut(start, stop, step):
        return [(at, min(step, stop - at)) for at in range(start, stop, step)]

    expected, steps = [], 0
    for image in range(2):
        for group in range(2):
            for outer in cut(0, gemm_.shape[order[0]], tiles[order[0]]):
                for inner in cut(0, gemm_.shape[order[1]], tiles[order[1]]):
                    for deep in cut(0, gemm_.k, tiles["k"]):
                        tile = {order[0]: outer, order[1]: inner, "k": deep}
                        parts = {dim: cut(at, at + size, block[dim]) for dim, (at, size) in tile.items()}
                        for column in parts[mapping.array.flow.columns]:
                            for row in parts[mapping.array.flow.rows]:
                                at = {mapping.array.flow.columns: column, mapping.array.flow.rows: row}
                                at = {mapping.array.flow.time: parts[mapping.array.flow.time][0], **at}
                                m = (at["m"][0] + image * gemm_.m, at["m"][1])
                                expected.append((group, *m, *at["k"], *at["n"], steps))
                                steps += at[mapping.array.flow.time][1]
    found = list(passes_of(mapping, Region(groups=2, m=2 * gemm_.m, n=gemm_.n)))
    assert [(p.group, *p.m, *p.k, *p.n, p.stream_start) for p in found] == expected
    assert len(expected) > 20


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("limit", [1, 60, 150, 400, 1000])
def test_a_limit_cuts_the_layer_to_its_first_outputs(flow, limit, tmp_path):
    rng = np.random.default_rng(7)
    graph = conv(rng, groups=2, symmetric=False)
    accelerator, inputs = machine(flow, psum="int12:saturate", accumulator="int14:wrap"), images(rng, graph, 2)
    whole = written(graph, accelerator, inputs, tmp_path / "whole", formats=("npz",))
    part = written(graph, accelerator, inputs, tmp_path / "part", formats=("npz",), limit=limit)
    seen = recompute(part)
    assert (seen == 1).all()
    for name in ("psum", "accumulator", "sum", "result", "ifmap_matrix", "weight_matrix", "multiplier"):
        cut = part.arrays[name]
        full = whole.arrays[name][tuple(slice(size) for size in cut.shape)]
        np.testing.assert_array_equal(cut, full, err_msg=name)
    largest = max(array.size for name, array in part.arrays.items() if name != "passes")
    smallest_output = part.arrays["sum"].size == 1
    assert largest <= limit or smallest_output
    assert part.entry["written"]["whole"] is False
    sizes = part.entry["written"]["of"]
    assert [sizes[key][0] for key in ("groups", "m", "n")] == list(part.arrays["sum"].shape)
    assert [sizes[key][1] for key in ("groups", "m", "n")] == list(whole.arrays["sum"].shape)
    for role, size in {"input": 360, "weight": 144, "output": 240}.items():
        assert (role in part.entry["left_out"]) == (size > limit) == (role not in part.arrays)


def test_a_larger_limit_never_keeps_less():
    graph = conv(np.random.default_rng(1), groups=2)
    mapping = schedule(graph, machine(memory=300)).mappings["node"]
    whole, before = Region(groups=2, m=mapping.gemm.m, n=mapping.gemm.n), 0
    for limit in range(1, 2000, 7):
        part = region_within(mapping, whole, limit)
        outputs = part.groups * part.m * part.n
        assert words(mapping, part) <= limit or outputs == 1
        assert outputs >= before
        before = outputs
    assert before == whole.groups * whole.m * whole.n


def test_hex_and_npz_hold_the_same(tmp_path):
    rng = np.random.default_rng(11)
    graph = conv(rng, symmetric=False)
    found = written(graph, machine(requantizer="float32"), images(rng, graph, 1), tmp_path / "v")
    for name, about in found.entry["vectors"].items():
        word = read_hex(found.folder / found.entry["folder"] / f"{name}.hex")
        assert (word.bits, word.kind, list(word.values.shape)) == (about["bits"], about["kind"], about["shape"])
        np.testing.assert_array_equal(word.values, found.arrays[name])
    assert {"input", "weight", "bias", "output", "multiplier", "array_psum"} <= set(found.arrays)


@pytest.mark.parametrize("memory", [None, 100])
def test_the_order_of_k_leads_from_the_weights_to_what_is_multiplied(memory, tmp_path):
    """Also where one scale holds along k: tiles along k order the products of a convolution."""
    rng = np.random.default_rng(31)
    graph = conv(rng)
    found = written(graph, machine(memory=memory), images(rng, graph, 1), tmp_path, formats=("npz",))
    weight, order = found.arrays["weight"], found.arrays["k_order"]
    np.testing.assert_array_equal(found.arrays["weight_matrix"][0], weight.reshape(len(weight), -1).T[order])
    assert (found.entry["tile"]["k"] < len(order)) == (memory is not None)


def test_the_index_has_the_table_of_weights(tmp_path):
    rng = np.random.default_rng(37)
    graph = tables(rng, "pot4")
    found = written(graph, machine(), images(rng, graph, 2), tmp_path, formats=("npz",))
    number = graph.tensors["in1"].quant.format
    decoded = np.array(found.entry["tensors"]["weight"]["table"])[found.arrays["weight"]]
    np.testing.assert_array_equal(
        decoded / float(number.unit), found.arrays["weight_matrix"][0][np.argsort(found.arrays["k_order"])]
    )


def test_real_and_raw_results_are_stated(tmp_path):
    rng = np.random.default_rng(13)
    graph = gemm(rng)
    real = graph.with_changes(tensors=[replace(graph.tensors["out0"], quant=None)])
    found = written(real, machine(), images(rng, real, 2), tmp_path / "real", formats=("npz",))
    assert found.entry["output_stage"]["rule"] == "real"
    scaled = found.arrays["sum"].astype(np.float32) * found.arrays["unit_scale"][:, None, :]
    np.testing.assert_array_equal(found.arrays["result"], scaled)

    graph = matmul(rng)
    unit = float(np.float32(graph.tensors["in0"].quant.scales()[0] * graph.tensors["in1"].quant.scales()[0]))
    whole = QuantParams(format=IntFormat.parse("int32"), scale=(unit,))
    raw = graph.with_changes(tensors=[replace(graph.tensors["out0"], quant=whole)])
    found = written(raw, machine(), images(rng, raw, 1), tmp_path / "raw", formats=("npz",))
    assert found.entry["output_stage"]["rule"] == "raw"
    np.testing.assert_array_equal(found.arrays["result"], found.arrays["sum"])


def test_zero_points_of_the_run_are_those_of_the_vectors(tmp_path):
    """The node ``node`` of a product of codes that an inference quantizes itself."""
    rng = np.random.default_rng(29)
    shape = (1, 2, 4, 12)
    plain = QuantParams(format=IntFormat.parse("uint8"), scale=(1.0,))
    weight_grid = QuantParams(format=IntFormat.parse("int8"), scale=(1.0,))
    nodes = (
        Node(name="quantize", op="DynamicQuantizeLinear", inputs=("in0",), outputs=("codes", "scale", "zero")),
        Node(
            name="read", op="Reinterpret", inputs=("codes", "zero"), outputs=("read",),
            attributes={"factor": 1.0, "offset": 0.0},
        ),
        Node(name="node", op="MatMul", inputs=("read", "w"), outputs=("out0",)),
    )  # fmt: skip
    tensors = [
        Tensor(name="in0", shape=shape),
        Tensor(name="codes", shape=shape, quant=plain),
        Tensor(name="scale", shape=()),
        Tensor(name="zero", shape=(), quant=plain),
        Tensor(name="read", shape=shape, quant=replace(plain, is_found_at_run_time=True)),
        Tensor.of_codes("w", rng.integers(-128, 128, (12, 5)), weight_grid),
        Tensor(name="out0", shape=(1, 2, 4, 5), quant=QuantParams(format=IntFormat.parse("int32"), scale=(1.0,))),
    ]
    graph = Graph(
        name="one", nodes=nodes, tensors={tensor.name: tensor for tensor in tensors}, inputs=("in0",), outputs=("out0",)
    )
    inputs = {"in0": (rng.standard_normal(shape) + 0.7).astype(np.float32)}
    found = written(graph, machine(), inputs, tmp_path / "v", formats=("npz",), layers="node")
    assert (recompute(found) == 1).all()
    (zero,) = found.entry["tensors"]["input"]["zero_point"]
    centred = found.arrays["input"].astype(np.int64) - zero
    assert 0 < zero < 255
    assert centred.min() < 0 < centred.max()
    np.testing.assert_array_equal(found.arrays["result"][0], (centred @ found.arrays["weight"]).reshape(8, 5))
    both = {"in0": np.concatenate([inputs["in0"]] * 2)}
    with pytest.raises(HwsimError, match=r"those of each batch of 1; give that many images \(--images 1\), not 2"):
        written(graph, machine(), both, tmp_path / "w", layers="node")


def test_the_same_run_gives_the_same_bytes_and_another_run_leaves_nothing_behind(tmp_path):
    rng = np.random.default_rng(17)
    graph, accelerator = conv(rng), machine()
    inputs = images(rng, graph, 1)

    def contents(folder):
        return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    written(graph, accelerator, inputs, tmp_path / "a")
    first = contents(tmp_path / "a")
    written(graph, accelerator, inputs, tmp_path / "b")
    assert contents(tmp_path / "b") == first
    written(graph, accelerator, inputs, tmp_path / "a", formats=("npz",))
    assert not list((tmp_path / "a").rglob("*.hex"))
    written(graph, accelerator, inputs, tmp_path / "a")
    assert contents(tmp_path / "a") == first


def test_an_interrupted_run_says_so_and_can_be_repeated(tmp_path):
    name = "digits_resnet"
    graph = hwsim.quantize(hwsim.load(name), calibration=hwsim.dataset(name, "calibration"))
    image = {"image": hwsim.dataset(name, "test")["image"][:1]}
    names = [node.name for node in graph.nodes]

    def stop(layer):
        if layer == names[2]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_vectors(graph, machine(rows=16, columns=16), image, tmp_path, formats=("npz",), progress=stop)
    index = json.loads((tmp_path / "index.json").read_text("utf-8"))
    assert ([entry["layer"] for entry in index["layers"]], index["is_complete"]) == (names[:2], False)
    write_vectors(graph, machine(rows=16, columns=16), image, tmp_path, formats=("npz",), layers=names[5])
    index = json.loads((tmp_path / "index.json").read_text("utf-8"))
    assert ([entry["layer"] for entry in index["layers"]], index["is_complete"]) == (names[5:6], True)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [index["layers"][0]["folder"]]


def test_every_file_is_listed_with_its_hash(tmp_path):
    rng = np.random.default_rng(19)
    graph = conv(rng)
    found = written(graph, machine(), images(rng, graph, 1), tmp_path / "v")
    listed = {file["path"]: file["sha256"] for file in found.entry["files"]}
    home = found.folder / found.entry["folder"]
    assert {f"{home.name}/{path.name}" for path in home.iterdir()} == set(listed)
    for path, digest in listed.items():
        assert hashlib.sha256((found.folder / path).read_bytes()).hexdigest() == digest


def test_what_cannot_be_done_is_refused(tmp_path):
    rng = np.random.default_rng(23)
    graph, accelerator = gemm(rng), machine()
    inputs = images(rng, graph, 2)

    def refused(message, **options):
        target = options.pop("folder", tmp_path / "v")
        with pytest.raises(HwsimError, match=message):
            written(graph, accelerator, options.pop("inputs", inputs), target, **options)

    refused("batches of 2; give a multiple of that many images, not 3", inputs=images(rng, graph, 3))
    refused("no layer of one matches 'nod'; did you mean 'node'", layers="nod")
    refused("format 'hexx' is unknown; did you mean 'hex'", formats=("hexx",))
    refused("at least one format", formats=())
    refused("limit must be at least 1 word, not 0", limit=0)
    assert not (tmp_path / "v").exists()
    (tmp_path / "file").write_text("mine")
    refused("is a file", folder=tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.json").write_text("[]")
    refused("holds other files than golden vectors", folder=tmp_path / "other")
    assert (tmp_path / "other" / "index.json").read_text() == "[]"


def test_scales_per_row_are_refused_before_anything_is_written(tmp_path):
    quant = QuantParams(format=IntFormat(bits=8), scale=(0.1,))
    rows = replace(quant, scale=(0.1,) * 4, zero_point=(0,) * 4, granularity=Granularity(axis=1))
    graph = positioned_matmul(((2, 4, 6), rows), ((2, 6, 5), quant), ((2, 4, 5), quant))
    with pytest.raises(
        HwsimError, match="its sums are rescaled by scales of their own per row or head; write other layers"
    ):
        write_vectors(graph, machine(), images(np.random.default_rng(0), graph, 2), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_results_with_several_scales_are_refused_before_anything_is_written(tmp_path):
    rng = np.random.default_rng(0)
    graph = gemm(rng)
    result = graph.tensors[graph.outputs[0]]
    n = result.shape[1]
    each = replace(result.quant, scale=(0.1,) * n, zero_point=(1,) * n, granularity=Granularity(axis=1))
    changed = graph.with_changes(tensors=[replace(result, quant=each)])
    with pytest.raises(HwsimError, match="vectors have one output zero point, but its result has scales of its own"):
        write_vectors(changed, machine(), images(rng, graph, 2), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_elements_with_lanes_are_refused_before_anything_is_written(tmp_path):
    rng = np.random.default_rng(0)
    graph = gemm(rng, weights="int4", activations="int4")
    with pytest.raises(HwsimError, match=r"elements of one product a cycle, not for datapath\.mac = fusion:8"):
        write_vectors(graph, machine(mac="fusion:8"), images(rng, graph, 2), tmp_path / "new")
    assert not (tmp_path / "new").exists()
