"""The compiled array equals the plain one in every register, at every cycle."""

import numpy as np
from hypothesis import given, settings

from hwsim.kernels.stepped import run
from hwsim.stepped import lanes
from hwsim.stepped.run import clocked, prepare, register_states
from hwsim.stepped.twin import Twin
from tests.stepped.work import work


def planes(twin):
    """The twin's registers, named and laid out as ``register_states`` does."""
    elements = twin.elements
    ages = {"operand": 1, "control": len(elements[0][0].controls), "vertical": twin.built.hop}
    ages |= {"link": twin.built.hop, "held": 2, "product": ages["control"]}
    pick = {
        "operand": lambda e, _: e.operand,
        "control": lambda e, age: e.controls[age],
        "vertical": lambda e, age: e.verticals[age],
        "link": lambda e, age: e.links[age],
        "held": lambda e, bank: e.held[bank],
        "product": lambda e, age: e.products[age],
    }
    found = {
        name: [[[pick[name](e, age) for e in line] for line in elements] for age in range(depth)]
        for name, depth in ages.items()
    }
    shown = twin.outputs[::-1] + [[(0, False)] * len(twin.outputs[0])] * (
        twin.built.latency + twin.built.multiplier + 1
    )
    found["output"] = [[value for value, _ in row] for row in shown[: twin.built.latency + 1]]
    found["valid"] = [[flag for _, flag in row] for row in shown[: twin.built.latency + twin.built.multiplier + 1]]
    return found


@settings(deadline=None, max_examples=60)
@given(work(most_folds=3))
def test_every_register_at_every_cycle(drawn):
    array, folds, psum = drawn
    ready = prepare(array, folds, psum=psum)
    if ready.lane is np.object_:  # wider than 64 bits: the plain array is the product
        return
    twin = Twin(ready.built, ready.plan, ready.feed, psum)
    wraps = psum.bits is None or ready.lane(0).itemsize * 8 > psum.bits
    for cycle, state in enumerate(register_states(ready)):
        twin.clock()
        for name, plane in planes(twin).items():
            expected = np.array(plane, object)
            if name == "product" and wraps:  # lanes may wrap a product where the sum behind it wraps anyway
                bits = ready.lane(0).itemsize * 8
                expected = (expected + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
            assert (state[name] == expected).all(), (cycle, name)
    assert twin.done


@settings(deadline=None, max_examples=30)
@given(work(limits=(128,)))
def test_in_pieces_or_at_once(drawn):
    """Clocking cycle by cycle leaves what clocking to the end leaves, the log included."""
    array, folds, psum = drawn
    ready = prepare(array, folds, psum=psum)
    where = lanes.layout(ready.built)[0]
    registers, log = lanes.reset(ready.built, ready.plan, ready.lane), lanes.log(ready.built, ready.plan, ready.lane)
    while not run(ready.built, where, ready.plan, ready.feed, registers, log, 1):
        pass
    for piecewise, whole in zip(log, clocked(ready, lanes.log(ready.built, ready.plan, ready.lane)), strict=True):
        np.testing.assert_array_equal(piecewise, whole)
