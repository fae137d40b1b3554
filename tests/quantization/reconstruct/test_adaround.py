from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.sparsity import Sparsity
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.reconstruct import AdaRound
from hwsim.quantization.rounding import neighbours
from tests.execute.integer import independent
from tests.integers import every_tensor
from tests.quantization.reconstruct.small import state_of, stored

pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

FEW = AdaRound(iterations=60, rate=5e-2, batch=8)
WEIGHT = "pointwise.conv.folded_weight"


def weights_of(graph):
    return {node.name: graph.tensors[node.inputs[1]] for node in graph.nodes if node.op in WEIGHTED}


@pytest.mark.parametrize("granularity", ["tensor", "channel", "group:8"])
@pytest.mark.parametrize("symmetry", ["symmetric", "asymmetric"])
def test_every_code_is_a_neighbour_and_the_loss_is_no_larger(granularity, symmetry):
    state = state_of(granularity=granularity, symmetry=symmetry)
    learned = FEW(state)
    assert learned.losses["adaround.loss"] < learned.losses["adaround.nearest"]
    for name, weight in weights_of(learned.graph).items():
        low, high = neighbours(weights_of(state.graph)[name])
        codes = weight.encoded()
        assert ((codes == low) | (codes == high)).all()
        assert codes.dtype == weight.quant.storage_dtype


def test_only_codes_of_weights_change():
    state = state_of()
    learned = FEW(state)
    for name, tensor in state.graph.tensors.items():
        assert learned.graph.tensors[name].quant == tensor.quant
        assert learned.graph.tensors[name].data is tensor.data
    assert learned.reference is state.reference
    assert {n.name for n in learned.graph.nodes} == {n.name for n in state.graph.nodes}


def test_the_integers_of_its_codes_are_executed():
    """The machine's integers against an independent int64 model, and nearer to the float network than nearest rounding."""
    state = state_of(images=64)
    learned = AdaRound(iterations=300, rate=2e-2)(state)
    images = state.calibration
    ours = every_tensor(learned.graph, state.machine, images)
    for name, codes in independent.run(stored(learned.graph), images["image"], "fixed_point").items():
        np.testing.assert_array_equal(ours[name], codes, err_msg=name)
    grid = state.graph.tensors["logits"].quant
    wanted = run_float(state.reference, images)["logits"]
    errors = [
        np.square(grid.decode(codes["logits"]) - wanted).mean()
        for codes in (every_tensor(state.graph, state.machine, images), ours)
    ]
    assert errors[1] < 0.6 * errors[0]


@pytest.mark.parametrize("text", ["ternary", "fp4e2m1", "power4:0.7@8"])
@pytest.mark.parametrize("granularity", ["tensor", "group:8"])
def test_any_granularity_and_format(granularity, text):
    state = state_of(weights=text, granularity=granularity)
    low, high = neighbours(state.graph.tensors[WEIGHT])
    learned = FEW(state)
    codes = learned.graph.tensors[WEIGHT].encoded()
    assert ((codes == low) | (codes == high)).all()
    assert (codes != state.graph.tensors[WEIGHT].encoded()).any()
    assert learned.losses["adaround.loss"] < learned.losses["adaround.nearest"]


def product_state(seed):
    """One product of ten inputs and three outputs, few enough to try every rounding of a column; inputs are correlated."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(10, 3)).astype(np.float32)
    grid = QuantParams(format=IntFormat.parse("int3"), scale=(float(np.float32(np.abs(weight).max() / 3)),))
    tensors = [
        Tensor(name="x", shape=(1, 10)),
        Tensor(name="w", shape=(10, 3), data=weight, quant=grid),
        Tensor(name="y", shape=(1, 3)),
    ]
    node = Node(name="product", op="Gemm", inputs=("x", "w"), outputs=("y",))
    graph = Graph(name="g", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))
    images = {"x": (rng.normal(size=(64, 3)) @ rng.normal(size=(3, 10)) + 0.5).astype(np.float32)}
    return state_of(images=1).with_(graph=graph, reference=graph, calibration=images)


@pytest.mark.parametrize("seed", range(3))
def test_it_comes_near_the_best_of_all_roundings(seed):
    """Against brute force over the 2^10 roundings of each column: most of what can be won is won."""
    state = product_state(seed)
    weight, x = state.graph.tensors["w"], state.calibration["x"].astype(np.float64)
    low, high = (weight.quant.decode(codes).astype(np.float64) for codes in neighbours(weight))
    choices = np.array(list(product((0, 1), repeat=10)), dtype=np.float64).T
    best = 0.0
    for column in range(3):
        all_columns = low[:, [column]] + choices * (high - low)[:, [column]]
        errors = x @ (all_columns - weight.data[:, [column]])
        best += np.square(errors).mean(axis=0).min() / 3
    learned = AdaRound(iterations=600, rate=2e-2)(state)
    nearest, loss = learned.losses["adaround.nearest"], learned.losses["adaround.loss"]
    assert best * 0.999 <= loss
    assert nearest - loss > 0.7 * (nearest - best)


def test_pruned_weights_stay_pruned():
    state = state_of()
    weight = state.graph.tensors[WEIGHT]
    codes = weight.encoded().copy()
    codes[:, ::2] = 0
    pruned = replace(weight, codes=codes, sparsity=Sparsity.parse("2:4"))
    learned = FEW(state.with_(graph=state.graph.with_changes(tensors=[pruned])))
    assert not learned.graph.tensors[WEIGHT].codes[:, ::2].any()
    assert (learned.graph.tensors[WEIGHT].codes != codes).any()


def test_it_only_chooses_codes():
    assert AdaRound.only_chooses_codes


def test_images_are_needed():
    with pytest.raises(HwsimError, match="adaround: needs calibration images"):
        AdaRound()(state_of().with_(calibration=None))
