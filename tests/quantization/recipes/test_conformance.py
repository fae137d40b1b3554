"""What every recipe found must do: end on grids that execute and are priced, the same each time, and not lose to its baseline."""

import importlib.util
import re

import numpy as np
import pytest

import hwsim
from hwsim.graph import runs_on_array
from hwsim.hardware.precision import PrecisionPlan
from hwsim.mapping.demands import demands_of
from hwsim.quantization.prepare import prepare
from hwsim.quantization.recipes import names, recipe_of
from hwsim.quantization.recipes.probe import IMAGES, probe_network
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State
from tests.execute.integer import independent
from tests.integers import every_tensor, layers_of

FEW = {"iterations": 30, "trials": 4}
SCHEME = Scheme(plan=PrecisionPlan(default={"weights": "int4"}))
HAS_TORCH = importlib.util.find_spec("torch") is not None
REAL = ("DynamicQuantize",)


@pytest.fixture(scope="module")
def machine():
    return hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"])


@pytest.fixture(scope="module")
def images():
    shape = probe_network().tensors["image"].shape[1:]
    return {"image": np.random.default_rng(1).random((IMAGES, *shape), dtype=np.float32)}


def finish(name, machine, images, seed=0):
    recipe = recipe_of(name)
    if recipe.needs_torch and not HAS_TORCH:
        pytest.skip('learns: pip install "hwsim[train]"')
    options = {option.name: FEW[option.name] for option in recipe.options if option.name in FEW}
    return run_recipe(name, probe_network(), SCHEME, machine, images, options=options, seed=seed)


@pytest.fixture(scope="module")
def ended(machine, images):
    known = {}

    def end(name):
        if name not in known:
            known[name] = finish(name, machine, images)
        return known[name]

    return end


@pytest.mark.parametrize("name", names())
def test_executes_bit_exactly(name, ended, machine, images):
    """Packed weights and the general path agree; where grids are plain an independent int64 model agrees, too."""
    graph = ended(name).graph
    ours = every_tensor(graph, machine, images)
    slow = every_tensor(graph, machine, images, layers=layers_of(graph, machine, lambda layer, product: None))
    for tensor, codes in slow.items():
        np.testing.assert_array_equal(ours[tensor], codes, err_msg=tensor)
    if is_plain(graph):
        for tensor, codes in independent.run(graph, images["image"], "fixed_point").items():
            np.testing.assert_array_equal(ours[tensor], codes, err_msg=tensor)
    assert len(np.unique(ours[graph.outputs[0]])) > 2


@pytest.mark.parametrize("name", names())
def test_is_priced(name, ended, machine):
    graph = ended(name).graph
    summary = hwsim.simulate(graph, machine).summary
    assert summary["cycles"] > 0
    assert summary["energy_pj"] > 0
    assert summary["area_mm2"] > 0
    assert demands_of(graph).products


@pytest.mark.parametrize("name", names())
def test_is_deterministic(name, ended, machine, images):
    first, second = ended(name), finish(name, machine, images)
    assert dict(first.losses) == dict(second.losses)
    for tensor in first.graph.tensors.values():
        again = second.graph.tensors[tensor.name]
        assert tensor.quant == again.quant, tensor.name
        if tensor.is_constant and tensor.quant is not None:
            np.testing.assert_array_equal(tensor.encoded(), again.encoded(), err_msg=tensor.name)


@pytest.mark.parametrize("name", names())
def test_is_never_worse_than_its_baseline_on_its_own_loss(name, ended):
    recipe, state = recipe_of(name), ended(name)
    own = recipe.loss(state)
    baseline = recipe.loss(ended(recipe.baseline)) if isinstance(recipe.baseline, str) else recipe.baseline(state)
    assert np.isfinite([own, baseline]).all()
    assert own <= baseline + 1e-9 * abs(baseline), f"{own} against {baseline}"


@pytest.mark.parametrize("multiple", [1.0, 4.0, 100.0])
def test_the_rule_of_mixquant_is_never_worse_than_a_uniform_network(multiple, machine, images):
    recipe = recipe_of("mixquant")
    state = run_recipe("mixquant", probe_network(), SCHEME, machine, images, options={"multiple": multiple})
    own, baseline = recipe.loss(state), recipe.baseline(state)
    assert 0 < own <= baseline * (1 + 1e-9)


def flagged(name):
    recipe = recipe_of(name)
    return [step for step in recipe.steps(recipe.chosen(name, None)) if getattr(step, "only_chooses_codes", False)]


@pytest.mark.parametrize("name", [name for name in names() if flagged(name)])
def test_steps_that_only_choose_codes_change_no_demand(name, ended, machine, images):
    """What ``probed`` leaves out."""
    recipe, graph = recipe_of(name), prepare(probe_network())
    state = State(reference=graph, graph=graph, calibration=images, scheme=SCHEME, machine=machine)
    for step in recipe.steps(recipe.chosen(name, None)):
        if step not in flagged(name):
            state = step(state)
    assert demands_of(state.graph) == demands_of(ended(name).graph)


@pytest.mark.parametrize("name", names())
def test_says_what_it_is(name):
    recipe = recipe_of(name)
    assert re.search(r"[12][0-9]{3}", recipe.paper), "the paper has a year"
    assert recipe.title == recipe.title.strip().rstrip(".")
    assert all(option.help for option in recipe.options)


def is_plain(graph):
    """Whether the independent model knows every operator and grid of the network."""
    for node in graph.nodes:
        if node.op not in independent.OPERATORS or any(graph.tensors[name].quant is None for name in node.inputs):
            return False
        if node.op in ("Conv", "Gemm") and not runs_on_array(graph, node):
            return False
    grids = [tensor.quant for tensor in graph.tensors.values()]
    return all(hasattr(grid.format, "signed") and grid.granularity.groups is None for grid in grids)
