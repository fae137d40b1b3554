"""Which grids belong together, and what is left when some are switched off."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.quantization.diagnose.quantizers import only, quantizers_of
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme
from tests.quantization.transforms.graphs import Builder

IMAGES = {"x": np.random.default_rng(0).normal(size=(4, 3, 6, 6)).astype(np.float32)}


def network():
    b = Builder(1)
    x = b.pool(b.conv("x", clamp=(0.0, None)))
    constant = b.constant("k", np.ones((1, 4, 1, 1)))
    return quantize(b.graph(b.head(b.same("Add", x, constant))), Scheme(), IMAGES)


def test_every_grid_but_those_of_biases_belongs_to_one_quantizer():
    graph = network()
    found = quantizers_of(graph)
    names = [name for quantizer in found for name in quantizer.tensors]
    assert len(names) == len(set(names))
    assert {name for name, tensor in graph.tensors.items() if tensor.quant} - set(names) == {"b0", "b5"}
    assert [(quantizer.layer, quantizer.kind) for quantizer in found] == [
        ("x", "activations"),
        ("n_conv0", "weights"),
        ("n_conv0", "activations"),
        ("n_add2", "activations"),
        ("n_globalaveragepool3", "activations"),
        ("n_gemm5", "weights"),
        ("n_gemm5", "activations"),
    ]
    by_layer = {quantizer.layer: quantizer for quantizer in found if quantizer.kind == "activations"}
    assert by_layer["n_conv0"].followers == ("maxpool1",)
    assert by_layer["n_add2"].followers == ("k",)


def test_a_bias_is_an_integer_only_beside_both_operands():
    graph = network()
    image, weight = quantizers_of(graph)[:2]
    assert only(graph, [image, weight]).tensors["b0"].quant is not None
    for kept in ([image], [weight], []):
        assert only(graph, kept).tensors["b0"].quant is None
    assert not only(graph, []).is_quantized
    everything = only(graph, quantizers_of(graph))
    assert {n: t.quant for n, t in everything.tensors.items()} == {n: t.quant for n, t in graph.tensors.items()}


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_one_quantizer_alone_is_its_rounding_in_the_float_network(place):
    """What the executor makes of one grid among real numbers is what rounding that tensor by hand makes."""
    from hwsim.quantization.diagnose.bench import Bench, with_exact_registers
    from hwsim.simulation.metrics import accuracy

    graph = network()
    quantizer = quantizers_of(graph)[place]
    bench = Bench(graph, with_exact_registers(hwsim.accelerator("edge_16x16")), IMAGES, None, accuracy)
    bare = only(graph, [])
    tensor = graph.tensors[quantizer.tensor]
    if quantizer.kind == "weights":
        rounded = hwsim.graph.Tensor(name=tensor.name, shape=tensor.shape, data=tensor.quant.decode(tensor.encoded()))
        expected = run_float(bare.with_changes(tensors=[rounded]), IMAGES)
    else:
        seen = {}
        run_float(bare, IMAGES, observe=seen.__setitem__)
        value = tensor.quant.decode(tensor.quant.encode(seen[tensor.name]))
        if quantizer.tensor == "x":
            expected = run_float(bare, {"x": value})
        else:
            first = next(i for i, node in enumerate(bare.nodes) if quantizer.tensor in node.outputs) + 1
            tail = hwsim.graph.Graph(
                name="tail",
                nodes=bare.nodes[first:],
                tensors=bare.tensors,
                inputs=(quantizer.tensor,),
                outputs=bare.outputs,
            )
            if quantizer.layer == "n_add2":
                constant = graph.tensors["k"]
                assert np.array_equal(constant.quant.decode(constant.encoded()), constant.data)  # ones are on its grid
            expected = run_float(tail, {quantizer.tensor: value})
    wanted = bench.score(expected)
    found = bench.measure([quantizer])
    assert found.sqnr_db == pytest.approx(wanted.sqnr_db, abs=1e-3)
    assert found.max_error == pytest.approx(wanted.max_error, rel=1e-3)


def test_a_corrected_bias_stays_corrected_beside_the_weights_that_it_corrects():
    graph = network()
    bias = graph.tensors["b0"]
    codes = bias.encoded() + 5
    graph = graph.with_changes(tensors=[replace(bias, codes=codes)])
    weight = next(quantizer for quantizer in quantizers_of(graph) if quantizer.tensor == graph.nodes[0].inputs[1])
    beside = only(graph, [weight]).tensors["b0"]
    np.testing.assert_array_equal(beside.data, bias.quant.decode(codes))
    assert beside.quant is beside.codes is None
    activations = [quantizer for quantizer in quantizers_of(graph) if quantizer.kind == "activations"]
    np.testing.assert_array_equal(only(graph, activations).tensors["b0"].data, bias.data)
