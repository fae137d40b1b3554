"""The integers under every mode: those of processing elements filled one by one, with registers that saturate and wrap."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.errors import ExecutionError
from hwsim.execute.integer import Layer, check_executable, run_integer
from hwsim.execute.integer.sparse import active_products
from hwsim.graph import Graph, Node, Tensor
from hwsim.hardware.mac import MacShape
from hwsim.kernels.mac import accumulate_gemm
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import mac_shape
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.sparsity import Sparsity
from tests.cost.machines import FLOWS, conv, gemm, machine

PATTERN = Sparsity.parse("2:4")
UINT4, INT4, INT32 = (QuantParams(format=IntFormat.parse(text), scale=(1.0,)) for text in ("uint4", "int4", "int32"))
shapes = st.builds(MacShape, k_lanes=st.integers(1, 5)) | st.builds(
    MacShape, k_lanes=st.sampled_from([1, 2, 4]), keep=st.just(2), block=st.just(4)
)


def products_in_slots(a, w, mac):
    """What the multipliers give for one output and one tile: of sparse weights only the kept ones, with padding."""
    if not mac.is_sparse:
        return [int(x) * int(y) for x, y in zip(a, w, strict=True)]
    slots = []
    for start in range(0, len(a), mac.block):
        kept = [int(a[i]) * int(w[i]) for i in range(start, start + mac.block) if w[i]]
        slots += kept + [0] * (mac.keep - len(kept))
    return slots


def added(register, total, value):
    """The sum as a register of its width holds it."""
    total += value
    if register.bits is None:
        return total
    half = 1 << (register.bits - 1)
    if register.overflow == "saturate":
        return max(-half, min(total, half - 1))
    return (total + half) % (2 * half) - half


def by_elements(a, w, mapping, psum, accumulator):
    """One output, processing element by processing element."""
    array, mac, total = mapping.array, mapping.mac, 0
    for start in range(0, mapping.gemm.k, mapping.tile_k):
        stop = min(start + mapping.tile_k, mapping.gemm.k)
        slots = products_in_slots(a[start:stop], w[start:stop], mac)
        room = len(slots)
        if array.flow.rows == "k":
            room = array.rows * mac.k_lanes // mac.keep * mac.keep
        for fold in range(0, len(slots), room):
            held, sums = slots[fold : fold + room], 0
            for group in range(0, len(held), array.adder_tree * mac.k_lanes):
                sums = added(psum, sums, sum(held[group : group + array.adder_tree * mac.k_lanes]))
            total = added(accumulator, total, sums)
    return total


@pytest.mark.parametrize("flow", FLOWS)
@settings(max_examples=40, deadline=None)
@given(mac=shapes, data=st.data())
def test_the_executor_adds_as_the_elements_do(flow, mac, data):
    m, n, rows, tree = 3, 4, data.draw(st.integers(2, 5)), data.draw(st.sampled_from([1, 2]))
    k = data.draw(st.integers(1, 8)) * mac.block
    tile_k = data.draw(st.integers(1, k // mac.block)) * mac.block
    array = machine(array={"dataflow": flow, "rows": rows, "adder_tree": tree}).array
    mapping = Mapping(gemm=gemm(m, k, n), array=array, tile_m=m, tile_k=tile_k, tile_n=n, mac=mac)
    text = data.draw(st.sampled_from(["int6:saturate", "int7:wrap", "int8:saturate", "exact"]))
    psum, accumulator = (
        Accumulator.parse(text),
        Accumulator.parse(data.draw(st.sampled_from(["int8:saturate", "exact"]))),
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    a, w = rng.integers(0, 8, (m, k)), rng.integers(-8, 8, (k, n))
    w = PATTERN.pruned(w, 0) if mac.is_sparse else w
    found = accumulate_gemm(
        a, w, mapping.k_segments, psum=psum, accumulator=accumulator, a_range=(0, 15), tree=mapping.tree
    )
    expected = [[by_elements(a[i], w[:, j], mapping, psum, accumulator) for j in range(n)] for i in range(m)]
    assert found.values.tolist() == expected


def network(w, *, pattern=None):
    """y = x w in 4 bits, the result in full."""
    tensors = [
        Tensor(name="x", shape=(8, w.shape[0]), quant=UINT4),
        replace(Tensor.of_codes("w", w, INT4), sparsity=pattern),
        Tensor(name="y", shape=(8, w.shape[1]), quant=INT32),
    ]
    node = Node(name="fc", op="MatMul", inputs=("x", "w"), outputs=("y",))
    return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))


def run(graph, x, *, keys=(), rows=4):
    """Codes of y and the layer, on a mapping that knows the machine's mode."""
    registers = ["datapath.psum=int8:saturate", "datapath.accumulator=int10:saturate", f"array.rows={rows}"]
    accelerator = hwsim.accelerator("edge_16x16", overrides=[*registers, *keys])
    w = graph.tensors["w"]
    work = gemm(8, *w.shape, bits=(4, 4, 32), sparsity=w.sparsity)
    mac = mac_shape(work, accelerator.datapath_for("fc"))
    mapping = Mapping(gemm=work, array=accelerator.array, tile_m=8, tile_k=work.k, tile_n=work.n, mac=mac)
    layer = Layer.of(graph, graph.nodes[0], accelerator, mapping)
    return run_integer(graph, {"fc": layer}, {"x": x.astype(np.float32)})["y"], layer


@pytest.fixture
def operands():
    rng = np.random.default_rng(7)
    return rng.integers(0, 16, (8, 64)), rng.integers(-8, 8, (64, 8))


def test_lanes_saturate_as_a_tree_over_more_rows(operands):
    x, w = operands
    lanes, layer = run(network(w), x, keys=["datapath.mac=fixed:4"], rows=4)
    tree, _ = run(network(w), x, keys=["array.adder_tree=4"], rows=16)
    plain, _ = run(network(w), x, rows=16)
    np.testing.assert_array_equal(lanes, tree)
    assert (lanes != plain).any()
    assert layer.counters.overflow_events


def test_fused_bricks_are_as_many_lanes_as_the_operands_leave_room_for(operands):
    x, w = operands
    fused, _ = run(network(w), x, keys=["datapath.mac=fusion:8"], rows=4)
    lanes, _ = run(network(w), x, keys=["datapath.mac=fixed:4"], rows=4)
    np.testing.assert_array_equal(fused, lanes)


@pytest.mark.parametrize(
    "mode",
    ["fixed", "fixed:3", "fusion:4", "fusion:8", "fusion:16", "serial:activation:16", "serial:both:5", "packed:8:k", "packed:16:n", "shared:27x18"],
)  # fmt: skip
@pytest.mark.parametrize("flow", FLOWS)
def test_every_mode_saturates_as_its_elements(operands, mode, flow):
    x, w = operands
    found, layer = run(network(w), x, keys=[f"datapath.mac={mode}", f"array.dataflow={flow}"])
    registers = [Accumulator.parse(text) for text in ("int8:saturate", "int10:saturate")]
    expected = [[by_elements(a, column, layer.mapping, *registers) for column in w.T] for a in x]
    assert found.tolist() == expected
    assert layer.counters.overflow_events


@pytest.mark.parametrize("mode", ["serial:weight:1", "packed:4:n", "shared:27x18"])
def test_modes_without_lanes_along_k_change_no_integer(operands, mode):
    x, w = operands
    np.testing.assert_array_equal(run(network(w), x, keys=[f"datapath.mac={mode}"])[0], run(network(w), x)[0])


def test_pruned_weights_give_the_same_integers_compressed_and_dense(operands):
    x, w = operands
    graph = network(PATTERN.pruned(w, 0), pattern=PATTERN)
    sparse, layer = run(graph, x, keys=["datapath.sparsity=2:4"], rows=4)
    dense, _ = run(graph, x, rows=8)  # as many products of the dense matrix in a fold
    np.testing.assert_array_equal(sparse, dense)
    assert layer.mapping.mac == MacShape(keep=2, block=4)


def test_weights_that_break_their_pattern_are_refused(operands):
    _, w = operands
    accelerator = hwsim.accelerator("edge_16x16", overrides=["datapath.sparsity=2:4"])
    broken = PATTERN.pruned(w, 0)
    broken[:4, 3], broken[8:12, 0] = 1, 7
    with pytest.raises(ExecutionError) as caught:
        check_executable(network(broken, pattern=PATTERN), accelerator)
    assert str(caught.value) == (
        "one: layer 'fc': 2 blocks of 4 weights have more than 2 nonzero codes, against sparsity 2:4; prune them (quantize the "
        'float network with sparsity = "2:4"), or state sparsity = "dense" for this layer'
    )
    check_executable(network(PATTERN.pruned(w, 0), pattern=PATTERN), accelerator)
    check_executable(network(broken), accelerator)  # nothing is claimed
    check_executable(network(broken, pattern=PATTERN), hwsim.accelerator("edge_16x16"))  # nothing is relied on


def test_blocks_of_channels_stay_together_in_the_order_of_the_array():
    window = gemm_window(channels=8)
    pattern, rng = PATTERN, np.random.default_rng(3)
    work = conv(window, n=5, sparsity=pattern)
    kernels = pattern.pruned(rng.integers(-8, 8, (5, 8, 2, 3)), 1)
    for channels in (4, 8):
        array = machine().array
        mapping = Mapping(
            gemm=work,
            array=array,
            tile_m=work.m,
            tile_k=channels * window.taps,
            tile_n=5,
            mac=MacShape(keep=2, block=4),
        )
        ordered = kernels.reshape(5, -1)[:, mapping.k_permutation]
        assert pattern.excess(ordered, 1) == 0
        ends = np.cumsum(mapping.k_segments)
        assert all(end % 4 == 0 for end in ends)


def gemm_window(channels):
    from hwsim.mapping.gemm import Window

    return Window(
        batch=1, channels=channels, in_height=3, in_width=4, out_height=2, out_width=2,
        kernel=(2, 3), strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 0),
    )  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.sampled_from(["activation", "weight", "both"]), st.booleans())
def test_products_that_toggle_one_by_one(seed, gating, sparse):
    rng = np.random.default_rng(seed)
    a, w = rng.integers(0, 3, (2, 3, 8)), rng.integers(-1, 2, (2, 8, 4))
    mac = MacShape(keep=2, block=4) if sparse else MacShape()
    w = PATTERN.pruned(w, 1) if sparse else w
    active = every = 0
    for g, i, j in np.ndindex(2, 3, 4):
        pairs = [(a[g, i, k], w[g, k, j]) for k in range(8)]
        if sparse:
            pairs = [pair for pair in pairs if pair[1]]
            pairs += [(1, 0)] * (4 - len(pairs))  # places that keep a zero weight, beside an activation that is not
        every += len(pairs)
        active += sum((gating == "weight" or x != 0) and (gating == "activation" or y != 0) for x, y in pairs)
    assert active_products(a, w, gating, mac) == (active, every)


@pytest.mark.parametrize("gating", ["activation", "weight", "both"])
def test_an_execution_counts_what_toggles(operands, gating):
    x, w = operands
    plain, silent = run(network(w), x)
    found, layer = run(network(w), x, keys=[f"datapath.zero_gating={gating}"])
    np.testing.assert_array_equal(found, plain)
    zero_x, zero_w = (x == 0)[:, :, None], (w == 0)[None]
    stopped = {"activation": zero_x & (w == w), "weight": zero_w & (x == x)[:, :, None], "both": zero_x | zero_w}[
        gating
    ]
    assert layer.counters.products == x.shape[0] * w.size
    assert layer.counters.products - layer.counters.active_products == np.count_nonzero(stopped)
    assert (silent.counters.products, silent.counters.active_products) == (0, 0)
