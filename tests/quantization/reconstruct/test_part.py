"""A scope with grids computes what the integers decode to."""

import numpy as np
import pytest

from hwsim.execute.float32 import run_float
from hwsim.graph import passes_grid
from hwsim.quantization.reconstruct.flow import Flow, computed
from hwsim.quantization.reconstruct.part import Part
from hwsim.quantization.reconstruct.scopes import blocks, layers, net
from tests.integers import every_tensor
from tests.quantization.reconstruct.small import state_of

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
@pytest.mark.parametrize("symmetry", ["symmetric", "asymmetric"])
@pytest.mark.parametrize("cut", [layers, blocks, net])
def test_quantized_scopes_agree_with_the_executed_integers(cut, symmetry, granularity):
    """At most one step apart, and in few places: a requantizer's fixed-point multiplier rounds ties otherwise than float32."""
    state = state_of(granularity=granularity, symmetry=symmetry)
    graph = state.graph
    codes = every_tensor(graph, state.machine, state.calibration)
    flow, scopes, checked = Flow.of(graph, state.calibration, quantized=True), cut(graph), 0
    for index, scope in enumerate(scopes):
        flow.advance(
            Part.quantized(graph, scope), [*scopes[index + 1 :], scopes[-1]] if index < len(scopes) - 1 else []
        )
        for name in scope.outputs:
            if name in flow.values:
                steps = flow.values[name].numpy() / graph.tensors[name].quant.scales()
                wanted = codes[name].astype(np.int64) - graph.tensors[name].quant.zero_point[0]
                difference = np.abs(steps - wanted)
                assert difference.max() < 1.01, name
                assert (difference > 0.01).mean() < 0.01, name
                checked += 1
    assert checked or cut is net


def test_the_real_scopes_are_the_float_network():
    state = state_of()
    graph, images = state.graph, state.calibration
    flow, scopes = Flow.of(graph, images, quantized=False), blocks(graph)
    for index, scope in enumerate(scopes[:-1]):
        flow.advance(Part.real(graph, scope), scopes[index + 1 :])
    found = computed(Part.real(graph, scopes[-1]), flow.inputs(scopes[-1]))
    np.testing.assert_allclose(found["logits"].numpy(), run_float(graph, images)["logits"], rtol=1e-4, atol=1e-5)


def test_what_no_later_scope_reads_is_forgotten_but_for_the_outputs():
    state = state_of()
    graph = state.graph
    flow, scopes = Flow.of(graph, state.calibration, quantized=True), layers(graph)
    for index, scope in enumerate(scopes):
        flow.advance(Part.quantized(graph, scope), scopes[index + 1 :])
        made = {name for done in scopes[: index + 1] for name in done.outputs}
        assert set(flow.values) == (made & set(graph.outputs)) | {
            name for later in scopes[index + 1 :] for name in later.inputs if name not in
            {name for other in scopes[index + 1 :] for name in other.outputs}
        }  # fmt: skip


def test_results_can_be_left_real():
    state = state_of()
    graph = state.graph
    scope = layers(graph)[0]
    (name,) = scope.outputs
    assert name in Part.quantized(graph, scope).quantizers
    assert name not in Part.quantized(graph, scope, real={name}).quantizers
    assert not any(passes_grid(node) for node in scope.nodes)
