import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization import Scheme, prepare, quantize
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.rounding import StochasticRounding, neighbours
from hwsim.quantization.rounding.stochastic import _output_error, _rounded
from hwsim.quantization.state import State
from tests.quantization.reconstruct.small import state_of

NETWORK = prepare(hwsim.load("digits_resnet"))
IMAGES = {"image": hwsim.dataset("digits_resnet", "calibration")["image"][:16]}


@pytest.fixture(scope="module")
def state():
    graph = quantize(NETWORK, Scheme(), IMAGES)
    machine = hwsim.accelerator("edge_16x16")
    return State(reference=NETWORK, graph=graph, calibration=IMAGES, scheme=Scheme(), machine=machine, seed=3)


def codes(state):
    graph = state.graph
    return {n.name: graph.tensors[n.inputs[1]].encoded() for n in graph.nodes if n.op in WEIGHTED}


def test_every_code_is_one_of_the_two_neighbours(state):
    found = codes(StochasticRounding()(state))
    for node in state.graph.nodes:
        if node.op in WEIGHTED:
            low, high = neighbours(state.graph.tensors[node.inputs[1]])
            assert ((found[node.name] == low) | (found[node.name] == high)).all()


def test_codes_are_right_on_average():
    """floor(W / s + u): the mean of many draws is the weight, within five deviations of it."""
    data = np.linspace(-0.9, 0.9, 19).astype(np.float32)
    grid = QuantParams(format=IntFormat.parse("int4"), scale=(0.25,))
    tensor = Tensor(name="w", shape=data.shape, data=data, quant=grid)
    random = np.random.default_rng(0)
    draws = np.mean([_rounded(tensor, random).codes for _ in range(4000)], axis=0)
    np.testing.assert_allclose(draws * 0.25, data, atol=5 * 0.25 * 0.5 / np.sqrt(4000))


def test_the_seed_decides(state):
    first, again = codes(StochasticRounding()(state)), codes(StochasticRounding()(state))
    other = codes(StochasticRounding()(state.with_(seed=4)))
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


def test_grids_and_data_stay(state):
    rounded = StochasticRounding()(state).graph
    for name, tensor in state.graph.tensors.items():
        assert rounded.tensors[name].quant == tensor.quant
        assert rounded.tensors[name].data is tensor.data


def error(state, graph):
    return _output_error(graph, IMAGES, run_float(state.graph, IMAGES))


def test_the_best_of_several_draws_is_kept(state):
    best = StochasticRounding(trials=4)(state)
    assert best.losses["stochastic.loss"] == pytest.approx(error(state, best.graph))
    assert best.losses["stochastic.loss"] <= error(state, StochasticRounding()(state).graph)
    assert "stochastic.nearest" not in best.losses


def test_rounding_to_nearest_may_compete(state):
    """Two draws of an int8 network rarely beat it, and many of a small one do."""
    done = StochasticRounding(trials=2, nearest=True)(state)
    assert done.losses["stochastic.nearest"] == pytest.approx(error(state, state.graph))
    assert done.losses["stochastic.loss"] == pytest.approx(error(state, done.graph))
    assert done.losses["stochastic.loss"] <= done.losses["stochastic.nearest"]
    small = state_of(images=16)
    many = StochasticRounding(trials=60, nearest=True)(small)
    assert many.losses["stochastic.loss"] < many.losses["stochastic.nearest"]
    assert many.notes == ()


def test_that_no_draw_was_better_is_said(state):
    done = StochasticRounding(trials=1, nearest=True)(state)
    assert (done.graph is state.graph) == (done.notes == ("stochastic: none of 1 draws beat rounding to nearest",))


def test_one_draw_needs_no_images_and_several_do(state):
    bare = state.with_(calibration=None)
    assert StochasticRounding()(bare).graph is not None
    with pytest.raises(HwsimError, match="stochastic: needs calibration images"):
        StochasticRounding(trials=2)(bare)


def test_trials_are_counted():
    with pytest.raises(HwsimError, match="trials must be 1 or more, not 0"):
        StochasticRounding(trials=0)
