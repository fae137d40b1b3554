"""Recipes that need layer normalizations, or residual sums beside them, on a small transformer without attention."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.metrics import sqnr_db
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.transforms.absorb import absorb
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from tests.integers import every_tensor, layers_of
from tests.quantization.transforms.graphs import Builder

IMAGES = {"x": np.random.default_rng(0).normal(size=(48, 5, 8)).astype(np.float32)}
MACHINE = hwsim.accelerator("edge_16x16")


def transformer(*, post_norm=False):
    """A network whose sum reads the first normalization, or one whose first normalization has an outlier.

    One channel behind the first normalization is 40 times as large as it was, its weights 40 times as small.
    """
    b = Builder(7, shape=(1, 5, 8))
    x = b.linear("x", 8)
    z = b.norm(x)
    y = b.linear(b.same("Relu", b.linear(z, 16)), 8)
    graph = b.graph(b.linear(b.norm(b.same("Add", y, z if post_norm else x)), 3))
    return graph if post_norm else absorb(graph, z, EdgeTransform.of(8, scale=[1 / 40, *[1.0] * 7]))


def run(name, graph, weights="int8", **options):
    scheme = Scheme(plan=PrecisionPlan(default={"weights": weights}))
    return run_recipe(name, graph, scheme, MACHINE, IMAGES, options=options)


def quality(network, state):
    """Return the SQNR of the machine's integers, computed twice."""
    (output,) = network.outputs
    ours = every_tensor(state.graph, MACHINE, IMAGES)[output]
    slow = layers_of(state.graph, MACHINE, lambda layer, product: None)
    np.testing.assert_array_equal(ours, every_tensor(state.graph, MACHINE, IMAGES, layers=slow)[output])
    return sqnr_db(run_float(network, IMAGES)[output], state.graph.tensors[output].quant.decode(ours))


def multiplications(graph):
    return [node.op for node in graph.nodes].count("Mul")


def test_smoothing_tames_an_outlier_channel_for_nothing_where_a_norm_absorbs_it():
    network = transformer()
    plain, smooth = run("mse", network), run("smooth_quant", network)
    assert quality(network, smooth) > quality(network, plain) + 3
    assert multiplications(smooth.graph) == multiplications(plain.graph)
    prices = [hwsim.simulate(state.graph, MACHINE).summary["energy_pj"] for state in (plain, smooth)]
    assert prices[0] == prices[1]


def test_what_a_residual_sum_reads_is_multiplied_and_paid_for():
    network = transformer(post_norm=True)
    states = [run("smooth_quant", network, explicit=explicit) for explicit in ("false", "true")]
    counts = [multiplications(state.graph) for state in states]
    prices = [hwsim.simulate(state.graph, MACHINE).summary["cycles"] for state in states]
    assert counts[1] == counts[0] + 1
    assert prices[1] > prices[0]


def test_alpha_one_half_all_but_closes_the_gap():
    """Edges in a row change one another's weights."""
    loss = recipe_of("smooth_quant").loss
    network = transformer()
    gaps = {alpha: loss(run("smooth_quant", network, alpha=alpha)) for alpha in (0.0, 0.5, 1.0)}
    assert gaps[0.5] < min(gaps[0.0], gaps[1.0], loss(run("mse", network))) / 4


def test_the_search_reports_what_it_gained():
    losses = run("smooth_quant", transformer(), search=True).losses
    assert losses["smooth.error"] < losses["smooth.unsmoothed"]
    with pytest.raises(HwsimError, match="alpha must be 0 to 1"):
        run("smooth_quant", transformer(), alpha=1.5)


def test_norm_tweaking_is_free_and_better():
    network, recipe = transformer(), recipe_of("norm_tweak")
    plain, tweaked = run("per_channel", network, "int3"), run("norm_tweak", network, "int3")
    assert 0 < recipe.loss(tweaked) < recipe.baseline(tweaked)
    assert quality(network, tweaked) > quality(network, plain)
    prices = [hwsim.simulate(state.graph, MACHINE).summary["energy_pj"] for state in (plain, tweaked)]
    assert prices[0] == prices[1]


def test_norm_tweaking_says_where_there_is_nothing_to_tweak():
    b = Builder(0)
    network = b.graph(b.head(b.conv("x")))
    images = {"x": np.random.default_rng(0).normal(size=(4, 3, 6, 6)).astype(np.float32)}
    state = run_recipe("norm_tweak", network, Scheme(), MACHINE, images)
    assert "norm tweaking: no quantized product reads a layer normalization; nothing was changed" in state.notes
    assert recipe_of("norm_tweak").loss(state) == 0.0
