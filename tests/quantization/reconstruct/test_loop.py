"""One loop for every kind of parameter, scope and loss."""

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.reconstruct.loop import Fit, reconstruct
from hwsim.quantization.reconstruct.losses import kl, moments, mse
from hwsim.quantization.reconstruct.parameters import (
    ActivationScale,
    ClippedWeight,
    RealConstant,
    RoundedWeight,
    StraightThroughWeight,
)
from hwsim.quantization.reconstruct.parameters.adaround import Hardening
from hwsim.quantization.reconstruct.scopes import blocks, layers, net, weights_of
from tests.quantization.reconstruct.small import state_of

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

FIT = Fit(iterations=40, batch=8)


def of_weights(kind, **options):
    return lambda graph, scope: [kind(tensor, **options) for tensor in weights_of(graph, scope)]


def of_activations(graph, scope):
    names = [name for name in scope.outputs if weights_of(graph, scope)]
    return [ActivationScale(graph.tensors[name], rate=0.01) for name in names]


ROUNDED = of_weights(RoundedWeight, rate=0.05, hardening=Hardening())
CLIPPED = of_weights(ClippedWeight, rate=0.05)
MOVED = of_weights(StraightThroughWeight, rate=0.05)
CALLS = {
    "layers of rounded weights": {"scopes": layers, "parameters": ROUNDED, "loss": mse},
    "blocks of rounded weights by Fisher": {"scopes": blocks, "parameters": ROUNDED, "loss": mse, "fisher": True},
    "layers of clipped weights": {"scopes": layers, "parameters": CLIPPED, "loss": mse},
    "blocks of moved weights by moments": {"scopes": blocks, "parameters": MOVED, "loss": moments},
    "the net of moved weights by divergence": {"scopes": net, "parameters": MOVED, "loss": kl},
    "blocks of activation scales": {"scopes": blocks, "parameters": of_activations, "loss": mse},
}


@pytest.fixture(scope="module")
def start():
    return state_of(activations="uint4")


def same(first: Graph, second: Graph) -> bool:
    return all(
        tensor.quant == second.tensors[name].quant
        and (tensor.quant is None or tensor.data is None or (tensor.encoded() == second.tensors[name].encoded()).all())
        for name, tensor in first.tensors.items()
    )


@pytest.mark.parametrize("call", CALLS)
def test_learning_makes_the_loss_smaller(call, start):
    learned = reconstruct(start, name="x", fit=FIT, **CALLS[call])
    assert 0 < learned.losses["x.loss"] < learned.losses["x.start"]
    assert not same(start.graph, learned.graph)


@pytest.mark.parametrize("call", [call for call in CALLS if not call.startswith("blocks of rounded")])
def test_the_reported_loss_is_that_of_the_graph_it_leaves(call, start):
    """Learning nothing more on the result starts where the first call ended (of one scope: later inputs differ)."""
    once = reconstruct(start, name="x", fit=FIT, **{**CALLS[call], "scopes": net, "fisher": False})
    again = reconstruct(once, name="y", fit=Fit(iterations=1), **{**CALLS[call], "scopes": net, "fisher": False})
    assert again.losses["y.start"] == pytest.approx(once.losses["x.loss"], rel=1e-6)


def test_a_norm_is_learned_by_its_moments():
    """LayerNormalization behind a coarse product: gamma and beta win back what rounding the weights moved."""
    state = normalized()

    def gains(graph, scope):
        names = [name for node in scope.nodes if node.op == "LayerNormalization" for name in node.inputs[1:]]
        return [RealConstant(graph.tensors[name], rate=0.01) for name in names]

    learned = reconstruct(
        state, name="x", scopes=net, parameters=gains, fit=Fit(iterations=100, batch=64), loss=moments
    )
    assert learned.losses["x.loss"] < 0.5 * learned.losses["x.start"]
    assert not np.array_equal(learned.graph.tensors["gamma"].data, state.graph.tensors["gamma"].data)
    assert learned.graph.tensors["w"] is state.graph.tensors["w"]


def normalized():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(6, 8)).astype(np.float32)
    coarse = QuantParams(format=IntFormat.parse("int2"), scale=(float(np.float32(np.abs(weight).max())),))
    tensors = [
        Tensor(name="x", shape=(1, 5, 6)),
        Tensor(name="w", shape=(6, 8), data=weight, quant=coarse),
        Tensor(name="gamma", shape=(8,), data=np.ones(8, np.float32)),
        Tensor(name="beta", shape=(8,), data=np.zeros(8, np.float32)),
        Tensor(name="y", shape=(1, 5, 8)),
        Tensor(name="z", shape=(1, 5, 8)),
    ]
    attributes = {"axis": 2, "epsilon": 1e-5}
    nodes = (
        Node(name="product", op="MatMul", inputs=("x", "w"), outputs=("y",)),
        Node(
            name="norm", op="LayerNormalization", inputs=("y", "gamma", "beta"), outputs=("z",), attributes=attributes
        ),
    )
    graph = Graph(name="g", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("z",))
    images = {"x": rng.normal(size=(64, 5, 6)).astype(np.float32)}
    return state_of(images=1).with_(graph=graph, reference=graph, calibration=images)


def test_the_start_is_kept_where_learning_is_worse(start):
    wild = of_weights(StraightThroughWeight, rate=1e4)
    learned = reconstruct(start, name="x", scopes=layers, parameters=wild, fit=Fit(iterations=1), loss=mse)
    assert learned.losses["x.loss"] == learned.losses["x.start"]
    assert same(start.graph, learned.graph)


def test_the_seed_decides(start):
    def run(seed):
        return reconstruct(start.with_(seed=seed), name="x", scopes=layers, parameters=ROUNDED, fit=FIT).graph

    first = run(0)
    assert same(first, run(0))
    assert not same(first, run(1))


def test_nothing_outside_is_touched(start):
    before = {name: (tensor.quant, tensor.codes) for name, tensor in start.graph.tensors.items()}
    images = start.calibration["image"].copy()
    torch.set_num_threads(2)
    torch.manual_seed(7)
    random = torch.get_rng_state().clone()
    reconstruct(start, name="x", scopes=layers, parameters=ROUNDED, fit=Fit(iterations=2))
    assert torch.get_num_threads() == 2
    assert torch.equal(torch.get_rng_state(), random)
    assert (start.calibration["image"] == images).all()
    assert all((tensor.quant, tensor.codes) == before[name] for name, tensor in start.graph.tensors.items())


def test_nothing_to_learn_changes_nothing(start):
    learned = reconstruct(start, name="x", scopes=layers, parameters=lambda graph, scope: [], fit=FIT)
    assert same(start.graph, learned.graph)
    assert learned.losses["x.loss"] == learned.losses["x.start"] == 0.0


def test_an_exact_layer_stays_as_it_is():
    """Weights on their grid and inputs that are exact: the loss is 0 before, and no division by it."""
    state = normalized()
    weight = state.graph.tensors["w"]
    exact = Tensor(name="w", shape=weight.shape, data=weight.quant.decode(weight.encoded()), quant=weight.quant)
    state = state.with_(graph=state.graph.with_changes(tensors=[exact]))
    learned = reconstruct(state, name="x", scopes=layers, parameters=ROUNDED, fit=FIT)
    assert learned.losses["x.loss"] == learned.losses["x.start"] == 0.0


def test_grids_and_images_are_needed(start):
    bare = start.with_(graph=start.reference)
    with pytest.raises(HwsimError, match="x: probe has no grids yet"):
        reconstruct(bare, name="x", scopes=layers, parameters=ROUNDED, fit=FIT)
    with pytest.raises(HwsimError, match="x: needs calibration images"):
        reconstruct(start.with_(calibration=None), name="x", scopes=layers, parameters=ROUNDED, fit=FIT)


@pytest.mark.parametrize("fit", [{"iterations": 0}, {"iterations": 1, "batch": 0}])
def test_a_fit_has_steps_and_images(fit):
    with pytest.raises(HwsimError, match="iterations and batch must be 1 or more"):
        Fit(**fit)
