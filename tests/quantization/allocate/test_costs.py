"""Prices of knobs: differences of whole networks, and what the machine refuses."""

import pytest

import hwsim
from hwsim.errors import HwsimError, MappingError
from hwsim.quantization.allocate.costs import COSTS, Pricer, cost_of, executable, separable
from tests.quantization.allocate.small import variants

WIDTHS = (2, 4, 8)


@pytest.mark.parametrize("name", COSTS)
def test_each_knob_alone(name):
    found = variants()
    choices = found.choices({"weights": WIDTHS})
    pricer = Pricer(found, hwsim.accelerator("edge_16x16"), cost_of(name))
    table = separable(pricer, choices)
    assert table.base == pricer.price(choices.knobs, choices.widest)
    for i, widths in enumerate(choices.bits):
        for b in widths:
            bits = (*choices.widest[:i], b, *choices.widest[i + 1 :])
            assert table.total(bits) == pytest.approx(pricer.price(choices.knobs, bits), rel=1e-12)
    assert pricer.count == 1 + 4 * 2  # the reference, and two other widths of four knobs: each once


def test_weight_bytes_by_hand():
    found = variants()
    choices = found.choices({"weights": WIDTHS})
    pricer = Pricer(found, hwsim.accelerator("edge_16x16"), COSTS["weights"])
    counts = [found.tensor(knob, 8).size for knob in choices.knobs]
    bits = (2, 8, 4, 2)
    assert pricer.price(choices.knobs, bits) == sum(n * b for n, b in zip(counts, bits, strict=True)) / 8


def test_scales_of_groups_are_weights_too():
    """16 bits of multiplier per segment and column (``segment_scaling = fixed_point:16:8``)."""
    machine = hwsim.accelerator("edge_16x16")
    priced = {}
    for granularity in ("channel", "group:8"):
        graph = hwsim.quantize(hwsim.load("digits_resnet"), weights="int4", weight_granularity=granularity)
        priced[granularity] = COSTS["weights"].read(hwsim.simulate(graph, machine), machine)
    shapes = [
        tensor.shape for tensor in graph.tensors.values() if tensor.quant and tensor.quant.granularity.by is not None
    ]
    scales = sum(n * -(-c // 8) if len(rest) == 2 else -(-n // 8) * c for n, c, *rest in shapes)
    assert len(shapes) == 8
    assert priced["group:8"] - priced["channel"] == scales * 16 / 8


def test_widths_that_the_machine_does_not_multiply_are_left_out():
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.multiplier_weight_bits=4"])
    found = variants()
    choices, notes = executable(Pricer(found, machine, COSTS["energy"]), found.choices({"weights": WIDTHS}))
    assert choices.bits == ((2, 4),) * 4
    assert len(notes) == 4
    assert notes[0] == "stem.conv weights: 8 bits left out: wider than the machine takes everywhere"


def test_machine_that_takes_no_width():
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.multiplier_activation_bits=4"])
    found = variants()
    with pytest.raises(MappingError, match="do not fit the machine's 4"):  # the network input has 8 bits
        executable(Pricer(found, machine, COSTS["energy"]), found.choices({"weights": WIDTHS}))


class Refusing(Pricer):
    """A machine that takes no 2-bit weights in the first layer."""

    def price(self, knobs, bits):
        if bits[0] == 2:
            raise MappingError("no 2 bits here")
        return super().price(knobs, bits)


def test_a_width_that_one_layer_refuses_is_left_out_there():
    found = variants()
    pricer, choices = (
        Refusing(found, hwsim.accelerator("edge_16x16"), COSTS["energy"]),
        found.choices({"weights": WIDTHS}),
    )
    kept, notes = executable(pricer, choices)
    assert kept.bits == ((4, 8), (2, 4, 8), (2, 4, 8), (2, 4, 8))
    assert notes == ("stem.conv weights: 2 bits left out: no 2 bits here",)
    assert separable(pricer, choices).values[0][0] == max(separable(pricer, kept).values[0])


def test_unknown_cost():
    with pytest.raises(HwsimError, match="cost 'watts' is unknown; known: area, cycles, dram, energy, weights"):
        cost_of("watts")
