"""Layers that provably cannot overflow: packed and finished in one pass, with the integers and counters of the general path."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.execute.integer import run_integer
from hwsim.execute.integer.prepared import PLANS
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from tests.integers import every_tensor, layers_of


def run(graph, machine, inputs, *, general):
    layers = layers_of(graph, machine)
    for layer in layers.values():
        if general:
            layer.memory["prepared"] = None
    for _ in range(2):  # the second call finds the weights packed
        found = every_tensor(graph, machine, inputs, layers=layers)
    return found, {name: layer.counters for name, layer in layers.items()}, layers


def grid(rng, text, count=1, axis=None, symmetric=False):
    number = IntFormat.parse(text)
    zero = [0 if symmetric else int(rng.integers(number.minimum, number.maximum + 1)) for _ in range(count)]
    scale = tuple(float(np.float32(s)) for s in rng.uniform(0.5, 2.0, count))
    return QuantParams(format=number, scale=scale, zero_point=tuple(zero), granularity=Granularity(axis=axis))


def convolution(rng, *, groups, channels, outputs, kernel, stride, dilation, size, activations, weights, clamp):
    x = Tensor(name="x", shape=(1, channels * groups, size, size), quant=grid(rng, activations))
    w_grid = grid(rng, weights, outputs * groups, 0, symmetric=True)
    number = w_grid.format
    codes = rng.integers(number.minimum, number.maximum + 1, (outputs * groups, channels, *kernel))
    bias_grid = QuantParams(
        format=IntFormat(bits=32),
        scale=tuple(float(s) for s in x.quant.scales() * w_grid.scales()),
        zero_point=(0,) * (outputs * groups),
        granularity=Granularity(axis=0),
    )
    depth = channels * kernel[0] * kernel[1]
    spread = float(np.sqrt(depth) * x.quant.format.levels * number.levels / 2000)
    y_grid = QuantParams(format=IntFormat.parse("int8"), scale=(max(spread, 0.5),), zero_point=(-3,))
    pads = (kernel[0] - 1, 1, 0, kernel[1] - 1)
    attributes = {
        "kernel": kernel, "strides": stride, "pads": pads, "dilations": dilation, "groups": groups, "clamp": clamp,
    }  # fmt: skip
    reach = [dilation[i] * (kernel[i] - 1) for i in (0, 1)]
    out = [(size + pads[i] + pads[i + 2] - reach[i] - 1) // stride[i] + 1 for i in (0, 1)]
    tensors = [
        x,
        Tensor.of_codes("w", codes, w_grid),
        Tensor.of_codes("b", rng.integers(-2000, 2000, outputs * groups), bias_grid),
        Tensor(name="y", shape=(1, outputs * groups, *out), quant=y_grid),
    ]
    node = Node(name="conv", op="Conv", inputs=("x", "w", "b"), outputs=("y",), attributes=attributes)
    graph = Graph(
        name="one",
        nodes=(node,),
        tensors={t.name: t for t in tensors},
        inputs=("x",),
        outputs=("y",),
        code_inputs=("x",),
    )
    low, high = x.quant.format.minimum, x.quant.format.maximum
    return graph, {"x": rng.integers(low, high + 1, (3, *x.shape[1:]))}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    groups=st.sampled_from([1, 2, 5]),
    channels=st.integers(2, 9),
    outputs=st.integers(1, 20),
    kernel=st.sampled_from([(1, 1), (3, 3), (2, 3)]),
    stride=st.sampled_from([(1, 1), (2, 1)]),
    dilation=st.sampled_from([(1, 1), (1, 2)]),
    activations=st.sampled_from(["uint8", "int8", "int4", "uint12"]),
    weights=st.sampled_from(["int8", "int3", "int8n", "int12"]),
    zero_point=st.sampled_from(["folded", "subtracted"]),
    bias=st.sampled_from(["start", "end"]),
    scheme=st.sampled_from(["float32", "fixed_point:32:half_up", "fixed_point:12:half_even", "power_of_two"]),
    clamp=st.sampled_from([(None, None), (0.0, None), (0.0, 6.0)]),
)
def test_codes_and_counters_are_those_of_the_general_path(
    seed, groups, channels, outputs, kernel, stride, dilation, activations, weights, zero_point, bias, scheme, clamp
):
    rng = np.random.default_rng(seed)
    graph, inputs = convolution(
        rng, groups=groups, channels=channels, outputs=outputs, kernel=kernel, stride=stride, dilation=dilation, size=6,
        activations=activations, weights=weights, clamp=clamp,
    )  # fmt: skip
    if scheme == "power_of_two":
        tensors = [
            Tensor(name=t.name, shape=t.shape, data=t.data, codes=t.codes, quant=power_of_two(t.quant))
            for t in graph.tensors.values()
        ]
        graph = graph.with_changes(tensors=tensors)
    keys = (f"zero_point={zero_point}", f"bias={bias}", f"requantizer={scheme}", "psum=exact", "accumulator=int32:wrap")
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.{key}" for key in keys])
    fast, counted, layers = run(graph, machine, inputs, general=False)
    slow, expected, _ = run(graph, machine, inputs, general=True)
    assert np.array_equal(fast["y"], slow["y"])
    assert fast["y"].dtype == slow["y"].dtype
    assert counted == expected
    if scheme != "power_of_two":
        assert layers["conv"].memory["prepared"] is not None


def power_of_two(params):
    scale = tuple(2.0 ** np.round(np.log2(s)) for s in params.scale)
    return QuantParams(format=params.format, scale=scale, zero_point=params.zero_point, granularity=params.granularity)


@pytest.mark.parametrize("register", ["psum=int12:saturate", "accumulator=int12:wrap"])
def test_what_is_not_proven_takes_the_general_path(register):
    rng = np.random.default_rng(1)
    graph, inputs = convolution(
        rng, groups=1, channels=8, outputs=4, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), size=6,
        activations="uint8", weights="int8", clamp=(None, None),
    )  # fmt: skip
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.{register}"])
    _, counted, layers = run(graph, machine, inputs, general=False)
    assert layers["conv"].memory["prepared"] is None
    assert counted["conv"].overflow_events > 0


@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
def test_whole_networks(network):
    images = {name: array[:6] for name, array in hwsim.dataset(network, "test").items() if name != "labels"}
    graph = hwsim.quantize(hwsim.load(network), calibration=hwsim.dataset(network, "calibration"))
    machine = hwsim.accelerator("edge_16x16")
    fast, counted, _ = run(graph, machine, images, general=False)
    slow, expected, _ = run(graph, machine, images, general=True)
    assert fast.keys() == slow.keys()
    assert all(np.array_equal(fast[name], slow[name]) for name in slow)
    assert counted == expected


def test_batches_of_any_size_take_turns_and_results_stay():
    """Plans are kept per shape, and few of them; what was returned is never written again."""
    rng = np.random.default_rng(5)
    graph, inputs = convolution(
        rng, groups=1, channels=3, outputs=6, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), size=6,
        activations="uint8", weights="int8", clamp=(None, None),
    )  # fmt: skip
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.accumulator=int32:wrap"])
    layers = layers_of(graph, machine)
    images = rng.integers(0, 256, (7, *inputs["x"].shape[1:]))
    whole = run_integer(graph, layers, {"x": images})["y"]
    before = whole.copy()
    for count in (1, 7, 2, 3, 4, 5, 6, 1, 7):
        assert np.array_equal(run_integer(graph, layers, {"x": images[:count]})["y"], before[:count])
    assert np.array_equal(whole, before)
    assert 1 < len(layers["conv"].memory["prepared"].plans) <= PLANS
