"""Opening clips is a change of the function that is measured."""

import numpy as np

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.numerics.metrics import sqnr_db
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State
from hwsim.quantization.transforms.clip_to_relu import ClipToRelu, clip_to_relu
from tests.quantization.transforms.graphs import Builder, assert_same_function

RNG = np.random.default_rng(0)


def network(high):
    b = Builder(1)
    x = b.add("Clip", (b.pool(b.conv("x", clamp=(0.0, high))),), (1, 4, 5, 5), minimum=0.0, maximum=high)
    return b.graph(b.conv(x, clamp=(-1.0, 1.0)))


def test_clamps_and_clips_from_zero_lose_their_upper_end():
    opened = clip_to_relu(network(0.5))
    assert opened.nodes[0].clamp == (0.0, None)
    assert opened.nodes[2].attributes["maximum"] is None
    assert opened.nodes[3].clamp == (-1.0, 1.0)
    assert clip_to_relu(network(0.5), ["n_conv0"]).nodes[2].attributes["maximum"] == 0.5


def test_where_nothing_is_clipped_the_function_stays():
    graph = network(1e6)
    assert_same_function(graph, clip_to_relu(graph), 0)


def test_the_step_reports_the_error_of_the_outputs():
    graph = network(0.5)
    x = {"x": RNG.normal(size=(6, 3, 6, 6)).astype(np.float32)}
    machine = hwsim.accelerator("edge_16x16")
    state = State(reference=graph, graph=graph, calibration=x, scheme=Scheme(), machine=machine)
    done = ClipToRelu()(state)
    first, second = (next(iter(run_float(each, x).values())) for each in (graph, done.graph))
    assert done.losses["clip_to_relu.sqnr_db"] == np.float64(sqnr_db(first, second))
    assert f"{done.losses['clip_to_relu.sqnr_db']:.1f} dB" in done.notes[0]
    assert ClipToRelu()(done).notes == done.notes
