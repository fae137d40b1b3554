"""The definition of the stepped array: every register of every element a Python int, one element after the other.

Slow and plain. The kernel is compared with it register by register; it runs by itself where 64 bits are too few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hwsim.kernels.stepped import Feed, Geometry, Schedule
from hwsim.kernels.stepped.records import CHAIN, FIRST, PARALLEL, RESULT, RIGHT, SHIFT, USE
from hwsim.numerics.accumulator import Accumulator
from hwsim.stepped.sequencer import Command, Sequencer


@dataclass(slots=True, kw_only=True)
class Element:
    """The registers of one processing element; lists are shift registers, newest first."""

    operand: int
    controls: list[int]
    products: list[int]
    verticals: list[int]
    links: list[int]
    held: list[int]
    total: int = 0


class Twin:
    """A stepped array in plain Python; call ``clock`` until it is ``done``."""

    def __init__(self, built: Geometry, plan: Schedule, feed: Feed, psum: Accumulator) -> None:
        self.built, self.feed, self.psum = built, feed, psum
        self.sequencer = Sequencer(built, plan)
        self.commands: list[Command] = []
        late, hop = built.multiplier + 1, built.hop
        self.elements = [
            [
                Element(
                    operand=0,
                    held=[0, 0],
                    controls=[0] * late,
                    products=[0] * late,
                    verticals=[0] * hop,
                    links=[0] * hop,
                )
                for _ in range(built.columns)
            ]
            for _ in range(built.rows)
        ]
        self.outputs: list[list[tuple[int, bool]]] = []  # what each cycle put behind the output registers
        self.results: list[list[tuple[int, int]]] = []  # (value, cycle) by port
        self.stream_cycles: list[list[int]] = [[0, 0] for _ in feed.left]

    @property
    def done(self) -> bool:
        """Whether all results have left."""
        return self.sequencer.done

    def said(self, cycle: int) -> Command:
        """Return the command of a cycle, or none before the first."""
        return self.commands[cycle] if cycle >= 0 else Command()

    def edges(self, cycle: int) -> dict[str, list[int]]:
        """Return what enters in a cycle: operands and control at the left, operands and chain above."""
        built, feed = self.built, self.feed
        rows, columns = range(built.rows), range(built.columns)
        here = [self.said(cycle - built.hop * r) for r in rows]
        late = 0 if built.accumulates else built.multiplier
        above = [self.said(cycle - c - late).vector for c in columns]
        chain = [self.said(cycle - c - (built.multiplier - late)).row for c in columns]
        for place, command in ((0, here[0]), (1, here[-1])):
            if command.vector is not None:
                self.stream_cycles[command.vector][place] = cycle
        return {
            "left": [0 if here[r].vector is None else int(feed.left[here[r].vector, r]) for r in rows],
            "control": [command.bits for command in here],
            "top": [0 if v is None or not len(feed.top) else int(feed.top[v, c]) for c, v in enumerate(above)],
            "chain": [0 if row is None else int(feed.chain[row, c]) for c, row in enumerate(chain)],
        }

    def clock(self) -> dict[str, list[int]]:
        """Go one cycle on; return its edges, the outputs among them."""
        cycle = len(self.commands)
        self.commands.append(self.sequencer.step(cycle))
        edges, old, built = self.edges(cycle), self.elements, self.built
        new: list[list[Element]] = []
        for r in range(built.rows):
            line: list[Element] = []
            for c in range(built.columns):
                beside = old[r][c - 1]
                operand, control = (
                    (beside.operand, beside.controls[0]) if c else (edges["left"][r], edges["control"][r])
                )
                above = edges["top"][c] if r == 0 else old[r - 1][c].verticals[-1]
                if built.exit == RIGHT:
                    entering = beside.links[-1] if c else 0
                else:
                    entering = edges["chain"][c] if r == 0 else old[r - 1][c].links[-1]
                line.append(self._element(old[r][c], operand, control, above, entering))
            new.append(line)
        self.elements = new
        edges["output"], edges["valid"] = self._leave(cycle)
        return edges

    def _element(self, old: Element, operand: int, control: int, above: int, entering: int) -> Element:
        built, controls = self.built, [control, *old.controls[:-1]]
        product = operand * (above if built.accumulates else old.held[control & USE])
        products = [product, *old.products[:-1]]
        at_chain = controls[-1] if built.accumulates else control
        held = list(old.held)
        if built.accumulates:
            use = at_chain & USE
            total = self.psum.reduce((0 if at_chain & FIRST else old.held[use]) + products[-1])
            held[use], down = total, above
        else:
            total = down = self.psum.reduce(above + products[-1])
        bank = 1 if at_chain & CHAIN else 0
        if at_chain & SHIFT:
            held[bank] = entering
        return Element(
            operand=operand,
            controls=controls,
            products=products,
            verticals=[down, *old.verticals[:-1]],
            links=[old.held[bank], *old.links[:-1]],
            held=held,
            total=total,
        )

    def _leave(self, cycle: int) -> tuple[list[int], list[int]]:
        built = self.built
        if built.exit == PARALLEL:
            last = [element for line in self.elements for element in line]
        elif built.exit == RIGHT:
            last = [line[-1] for line in self.elements]
        else:
            last = self.elements[-1]
        by_adder = built.exit == PARALLEL or not built.accumulates
        shown = [(e.total if by_adder else e.links[0], bool(e.controls[0] & RESULT)) for e in last]
        self.outputs.append(shown)
        blank: list[tuple[int, bool]] = [(0, False)] * len(shown)
        values, valid = (
            self.outputs[cycle - delay] if cycle >= delay else blank
            for delay in (built.latency, built.latency + built.multiplier)
        )
        self.results = self.results or [[] for _ in shown]
        for port, ((value, _), (_, is_result)) in enumerate(zip(values, valid, strict=True)):
            if is_result:
                self.results[port].append((value, cycle))
                self.sequencer.missing -= 1
        return [value for value, _ in values], [int(flag) for _, flag in valid]


def run_twin(built: Geometry, plan: Schedule, feed: Feed, psum: Accumulator) -> tuple[Twin, list[dict[str, Any]]]:
    """Clock a twin until it is done; return it and the edges of every cycle."""
    twin = Twin(built, plan, feed, psum)
    edges = []
    while not twin.done:
        edges.append(twin.clock())
    return twin, edges
