"""The step: rules in the plan, a price that the whole network keeps, and what it refuses."""

import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.quantization import Scheme, quantize
from hwsim.quantization.allocate import Allocate, QemRule
from hwsim.quantization.set_grids import SetGrids
from tests.quantization.allocate.small import IMAGES, state


def price(done, name="energy_pj"):
    graph = SetGrids()(done).graph
    return hwsim.simulate(graph, done.machine).summary[name]


def bits_of(done):
    return {rule.match: rule.weights.bits for rule in done.scheme.plan.layer}


@pytest.mark.parametrize("sensitivity", ["round_off", "sqnr", "kl"])
@pytest.mark.parametrize(("cost", "name"), [("energy", "energy_pj"), ("cycles", "cycles")])
def test_allocated_network_keeps_its_budget(sensitivity, cost, name):
    start = state("bitfusion_like_16x32")
    done = Allocate(budget="int4", sensitivity=sensitivity, cost=cost, weights=(2, 4, 8))(start)
    uniform = quantize(start.graph, hwsim_scheme(start, 4), IMAGES)
    assert done.losses["allocate.budget"] == hwsim.simulate(uniform, start.machine).summary[name]
    assert price(done, name) == done.losses["allocate.price"] <= done.losses["allocate.budget"]
    assert set(bits_of(done)) == {"stem.conv", "depthwise.conv", "pointwise.conv", "logits"}
    assert done.notes[-1].startswith(f"allocate: {cost} ")
    assert done.graph is start.graph


def hwsim_scheme(start, bits):
    from hwsim.quantization.allocate.knobs import with_widths
    from tests.quantization.allocate.small import knobs

    return with_widths(start.scheme, knobs("stem.conv", "depthwise.conv", "pointwise.conv", "logits"), (bits,) * 4)


def test_same_options_same_widths():
    step = Allocate(budget="60%", sensitivity="kl", weights=(2, 3, 4, 8), activations=(4, 8))
    first, second = step(state()), step(state())
    assert first.scheme == second.scheme
    assert dict(first.losses) == dict(second.losses)
    assert any(rule.activations is not None for rule in first.scheme.plan.layer)


def test_fixed_layers_and_keys():
    done = Allocate(budget="90%", weights=(2, 4, 8), fixed=("stem.conv",), keys={"weight_granularity": "tensor"})(
        state()
    )
    assert "stem.conv" not in bits_of(done)
    assert done.scheme.plan.default.weight_granularity == "tensor"
    assert done.scheme.plan.for_layer("stem.conv").weights.bits == 8


def test_machine_that_multiplies_four_bits():
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.multiplier_weight_bits=4"])
    done = Allocate(budget="100%", weights=(2, 4, 8))(state(machine=machine))
    assert set(bits_of(done).values()) == {4}
    assert "allocate: stem.conv weights: 8 bits left out: wider than the machine takes everywhere" in done.notes


def test_without_images_weights_are_allocated_by_round_off():
    done = Allocate(budget="int4", weights=(2, 4, 8))(state(calibration=None))
    assert done.losses["allocate.price"] <= done.losses["allocate.budget"]
    with pytest.raises(HwsimError, match="kl: needs calibration images"):
        Allocate(budget="int4", sensitivity="kl")(state(calibration=None))


def test_search_is_not_worse_than_the_sum():
    pytest.importorskip("optuna", reason='searches: pip install "hwsim[search]"')
    step = Allocate(budget="int4", sensitivity="kl", weights=(2, 4, 8), solver="search", whole=True, trials=15)
    done = step(state("bitfusion_like_16x32"))
    assert done.losses["allocate.found"] <= done.losses["allocate.start"]
    assert price(done) == done.losses["allocate.price"] <= done.losses["allocate.budget"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "greedy"}, "solver must be exact or search, not 'greedy'"),
        ({"whole": True}, "whole=True asks for the loss of the whole network, which only a search reads"),
    ],
)
def test_refused(options, message):
    with pytest.raises(HwsimError, match=message):
        Allocate(budget=1, **options)


def test_unknown_sensitivity():
    with pytest.raises(HwsimError, match="sensitivity 'guess' is unknown"):
        Allocate(budget="int4", sensitivity="guess", weights=(4, 8))(state())


def test_rules_of_the_user_win():
    rules = (PrecisionRule(match="logits", weights="int8"), PrecisionRule(match="stem*", activations="uint8"))
    start = state(scheme=Scheme(plan=PrecisionPlan(default={"range": "mse"}, layer=rules)))
    done = Allocate(budget="98%", weights=(2, 4), activations=(4, 5))(start)
    plan = done.scheme.plan
    assert plan.for_layer("logits").weights.bits == 8
    assert plan.for_layer("stem.conv").activations.bits == 8
    assert plan.for_layer("stem.conv").weights.bits in (2, 4)
    assert price(done) == done.losses["allocate.price"] <= done.losses["allocate.budget"]
    assert (
        "allocate: the plan's rules state stem.conv activations, logits weights, which keep their widths" in done.notes
    )


def test_nothing_is_free_where_rules_state_everything():
    start = state(scheme=Scheme(plan=PrecisionPlan(layer=(PrecisionRule(match="*", weights="int8"),))))
    with pytest.raises(HwsimError, match=r"no layer whose width is free; the plan's rules state stem\.conv weights"):
        Allocate(budget="60%")(start)


@pytest.mark.parametrize("weights", ["pot4", "codebook4"])
def test_nothing_is_free_where_weights_are_no_integers(weights):
    plan = PrecisionPlan(default={"weights": weights})
    message = rf"no layer whose width is free; stem\.conv weights, (\S+ weights, )?\S+ weights( and \d+ more)? stay {weights}\S*, no"
    with pytest.raises(HwsimError, match=message):
        Allocate(budget="60%")(state(scheme=Scheme(plan=plan)))
    with pytest.raises(HwsimError, match=message):
        QemRule(multiple=2.0)(state(scheme=Scheme(plan=plan)))


def test_layers_that_are_no_integers_keep_their_formats():
    rule = PrecisionRule(match="pointwise*", weights="pot4")
    done = Allocate(budget="98%", weights=(2, 4))(state(scheme=Scheme(plan=PrecisionPlan(layer=(rule,)))))
    assert str(done.scheme.plan.for_layer("pointwise.conv").weights) == "pot4"
    assert done.scheme.plan.for_layer("logits").weights.bits in (2, 4)
    assert "allocate: the plan's rules state pointwise.conv weights, which keep their widths" in done.notes
    pot4 = state(scheme=Scheme(plan=PrecisionPlan(default={"weights": "pot4"})))
    done = Allocate(budget="98%", weights=(2, 4), activations=(4, 5))(pot4)
    assert str(done.scheme.plan.for_layer("logits").weights) == "pot4"
    assert done.scheme.plan.for_layer("sum").activations.bits in (4, 5)
    weighted = "stem.conv weights, depthwise.conv weights, pointwise.conv weights and 1 more"
    assert f"allocate: {weighted} stay pot4, no integers of any width" in done.notes
