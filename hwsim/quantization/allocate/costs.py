"""What an allocation costs: hwsim's own price of the network, of each knob alone and of the whole.

The price of one layer's width is the price of the whole network with that layer at it and all others at their widest, so that
neighbours, what stays on chip and the weights that come early are in it. What several layers change together is not: their
sum is a prediction, and the network at the allocation is priced as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hwsim.errors import ExecutionError, HwsimError, MappingError, did_you_mean
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.plan import Plan
from hwsim.mapping.widths import scale_bits, stored_weight_bits
from hwsim.quantization.allocate.knobs import KEYS, Assignment, Knob
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable
from hwsim.schedule import Options
from hwsim.simulation.result import Result
from hwsim.simulation.simulate import simulate
from hwsim.units import BITS_PER_BYTE

INFEASIBLE = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A price that a budget can limit.

    Args:
        unit: of it.
        read: from a cost-only result and its machine.
        adds_up: over layers, nearly; else it is decided by the widest layer.
    """

    unit: str
    read: Callable[[Result, Accelerator], float]
    adds_up: bool = True


def weight_bytes(plan: Plan, machine: Accelerator) -> float:
    """Return the bytes in which the constant weights of all array layers are stored, compressed where they are sparse.

    Scales of segments along k lie beside them and are counted; scales per output column, biases and the tables of codebooks,
    which the same layer has at any width of its codes, are not.
    """
    bits = (_weight_bits(mapping, machine.datapath_for(layer)) for layer, mapping in plan.mappings.items())
    return sum(bits) / BITS_PER_BYTE


def _weight_bits(mapping: Mapping, datapath: Datapath) -> int:
    gemm = mapping.gemm
    if gemm.weight_is_activation:
        return 0
    scales = len(gemm.segments) * (1 if gemm.shares_scales else gemm.n) * scale_bits(gemm, datapath)
    return int((mapping.mac.kept(gemm.k) * gemm.n * stored_weight_bits(mapping) + scales) * gemm.groups)


def _weight_bytes(result: Result, machine: Accelerator) -> float:
    assert result.plan is not None
    return weight_bytes(result.plan, machine)


def _summed(key: str) -> Callable[[Result, Accelerator], float]:
    return lambda result, machine: float(result.summary[key])


COSTS = {
    "cycles": Cost(unit="cycles", read=_summed("cycles")),
    "energy": Cost(unit="pJ", read=_summed("energy_pj")),
    "dram": Cost(unit="bytes", read=_summed("dram_bytes")),
    "weights": Cost(unit="bytes", read=_weight_bytes),
    "area": Cost(unit="mm2", read=_summed("area_mm2"), adds_up=False),
}


def cost_of(name: str) -> Cost:
    """Return the cost of that name; raise HwsimError if there is none."""
    if name not in COSTS:
        raise HwsimError(f"allocate: cost {name!r} is unknown{did_you_mean(name, COSTS)}")
    return COSTS[name]


class Pricer:
    """The true price of a network at any allocation, each priced once.

    Args:
        variants: the network at any widths.
        machine: on which it is priced.
        cost: what is read.
        scheduling: how the network will be scheduled; None: by the default options, as ``hwsim.simulate`` does.

    ``count`` says how many networks were priced.
    """

    def __init__(self, variants: Variants, machine: Accelerator, cost: Cost, scheduling: Options | None = None):
        self.variants = variants
        self.machine = machine
        self.cost = cost
        self.scheduling = scheduling
        self.count = 0
        self._known: dict[tuple[tuple[Knob, ...], Assignment], float | HwsimError] = {}

    def price(self, knobs: tuple[Knob, ...], bits: Assignment) -> float:
        """Return the price of the whole network at these widths.

        Raises:
            MappingError, ExecutionError: the machine does not multiply, hold or requantize them.
        """
        key = knobs, bits
        if key not in self._known:
            self.count += 1
            try:
                graph = self.variants.priced(knobs, bits)
                found = simulate(graph, self.machine, scheduling=self.scheduling)
                self._known[key] = float(self.cost.read(found, self.machine))
            except (MappingError, ExecutionError) as error:
                self._known[key] = error
        known = self._known[key]
        if isinstance(known, HwsimError):
            raise known
        return known

    def price_or_inf(self, knobs: tuple[Knob, ...], bits: Assignment) -> float:
        """Return the price; infinite where the machine does not take these widths."""
        try:
            return self.price(knobs, bits)
        except (MappingError, ExecutionError):
            return INFEASIBLE


def executable(pricer: Pricer, choices: Choices) -> tuple[Choices, tuple[str, ...]]:
    """Return the choices that the machine takes, and a note for every width that it refuses.

    The widest width that the machine takes everywhere is the reference; a layer's other widths are tried beside it.

    Raises:
        MappingError, ExecutionError: there is no such reference.
    """
    reference = _reference(pricer, choices)
    refused: dict[Knob, dict[int, str]] = {}
    for i, (knob, widths) in enumerate(zip(choices.knobs, choices.bits, strict=True)):
        for b in widths:
            if b > reference[i]:
                refused.setdefault(knob, {})[b] = "wider than the machine takes everywhere"
                continue
            try:
                pricer.price(choices.knobs, (*reference[:i], b, *reference[i + 1 :]))
            except (MappingError, ExecutionError) as error:
                refused.setdefault(knob, {})[b] = str(error)
    kept = choices.only(lambda knob, b: b not in refused.get(knob, {}))
    notes = tuple(f"{knob}: {b} bits left out: {why}" for knob, found in refused.items() for b, why in found.items())
    return kept, notes


def _reference(pricer: Pricer, choices: Choices) -> Assignment:
    """Return the widest assignment with one limit per key that can be priced; weights are narrowed first."""
    weights, activations = (choices.of_key(key) or (0,) for key in KEYS)
    limits = [(w, a) for a in reversed(activations) for w in reversed(weights)]
    refused: HwsimError | None = None
    for w, a in limits:
        bits = choices.nearest({"weights": w, "activations": a})
        try:
            pricer.price(choices.knobs, bits)
        except (MappingError, ExecutionError) as error:
            refused = refused or error
        else:
            return bits
    assert refused is not None
    raise refused


def separable(pricer: Pricer, choices: Choices) -> WidthTable:
    """Return the price of each knob's widths, as the difference to the network with every knob at its widest.

    A width that the machine refuses there costs what the dearest other one of its knob does.
    """
    widest = choices.widest
    base = pricer.price(choices.knobs, widest)
    rows = []
    for i, widths in enumerate(choices.bits):
        prices = [pricer.price_or_inf(choices.knobs, (*widest[:i], b, *widest[i + 1 :])) - base for b in widths]
        rows.append(tuple(min(price, max(p for p in prices if p < INFEASIBLE)) for price in prices))
    return WidthTable(choices=choices, values=tuple(rows), unit=pricer.cost.unit, base=base)
