from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.quantization.reconstruct.fisher import fisher_weights
from hwsim.quantization.reconstruct.flow import Flow
from hwsim.quantization.reconstruct.losses import kl
from hwsim.quantization.reconstruct.part import Part
from hwsim.quantization.reconstruct.scopes import Scope
from tests.quantization.reconstruct.small import state_of

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')


@pytest.fixture(scope="module")
def setting():
    state = state_of(images=5)
    graph = state.graph
    first = Scope.of(graph, graph.nodes[:3])
    rest = Scope.of(graph, graph.nodes[3:])
    flow = Flow.of(graph, state.calibration, quantized=True)
    with torch.no_grad():
        real = Part.real(graph, rest)(
            Part.real(graph, first)(Flow.of(graph, state.calibration, quantized=False).values)
        )
    return graph, first, rest, flow, real["logits"]


def test_weights_are_squared_slopes_of_the_divergence(setting):
    graph, first, rest, flow, logits = setting
    part, after = Part.quantized(graph, first), Part.real(graph, rest)
    weights = fisher_weights(graph, flow, part, [rest], logits)
    assert set(weights) == set(first.outputs)
    with torch.no_grad():
        results = part(flow.values)
    name = first.outputs[0]
    rng, slopes, found = np.random.default_rng(0), [], []
    for _ in range(6):
        place = tuple(rng.integers(size) for size in results[name].shape)
        ends = []
        for step in (1e-2, -1e-2):
            moved = {key: value.clone() for key, value in results.items()}
            moved[name][place] += step
            with torch.no_grad():
                ends.append(float(kl(after(moved)["logits"].double(), logits.double(), None)) * len(logits))
        slopes.append(((ends[0] - ends[1]) / 2e-2) ** 2)
        found.append(float(weights[name][place]) - 1.0)
    unit = np.dot(slopes, found) / np.dot(slopes, slopes)
    np.testing.assert_allclose(found, np.multiply(slopes, unit), rtol=0.1, atol=0.02 * max(found))


def test_their_mean_is_two_and_none_is_below_one(setting):
    graph, first, rest, flow, logits = setting
    for weight in fisher_weights(graph, flow, Part.quantized(graph, first), [rest], logits).values():
        assert float(weight.mean()) == pytest.approx(2.0, rel=1e-4)
        assert float(weight.min()) >= 1.0


def test_chunks_of_images_do_not_show(setting, monkeypatch):
    graph, first, rest, flow, logits = setting
    part = Part.quantized(graph, first)
    whole = fisher_weights(graph, flow, part, [rest], logits)
    monkeypatch.setattr("hwsim.quantization.reconstruct.fisher.CHUNK", 2)
    for name, weight in fisher_weights(graph, flow, part, [rest], logits).items():
        np.testing.assert_allclose(weight.numpy(), whole[name].numpy(), rtol=1e-3, atol=1e-4)


def test_a_network_without_logits_is_refused(setting):
    graph, first, rest, flow, _ = setting
    with pytest.raises(HwsimError, match=r'Fisher weights need logits \[images, classes\].*choose loss = "mse"'):
        fisher_weights(graph, flow, Part.quantized(graph, first), [rest], torch.zeros(5, 10, 2, 2))


def test_a_scope_that_the_logits_do_not_read_has_equal_weights():
    state = state_of(images=5)
    graph = replace(state.graph, outputs=("flatten", "logits"))
    place = [node.name for node in graph.nodes].index("logits")
    first, last = Scope.of(graph, graph.nodes[:place]), Scope.of(graph, graph.nodes[place:])
    flow = Flow.of(graph, state.calibration, quantized=True)
    flow.advance(Part.quantized(graph, first), [last])
    weights = fisher_weights(graph, flow, Part.quantized(graph, last), [], flow.values["flatten"])
    assert set(weights) == {"logits"}
    assert weights["logits"].shape == (5, 10)
    assert (weights["logits"] == 1).all()
