"""Which activations could stay on chip between layers, and from when to when they are needed.

Views (Reshape and the like) are the same data under another name: the tensor that they view stands for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hwsim.graph import Graph
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.tasks import Task, VectorWork
from hwsim.units import BITS_PER_BYTE, ceil_div


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """An activation that a layer writes and later ones read.

    Args:
        tensor: its name.
        first, last: indices of the tasks that write it and read it last.
        size_bytes: its storage.
        reads: how often it is read.
    """

    tensor: str
    first: int
    last: int
    size_bytes: int
    reads: int


def viewed(graph: Graph, tasks: Iterable[Task]) -> dict[str, str]:
    """Return for every tensor the one whose data it is: itself, but for views."""
    names = {name: name for name in graph.tensors}
    for task in tasks:
        if task.work is None:
            for output in task.writes:
                names[output] = names[task.reads[0]]
    return names


def lifetimes(graph: Graph, tasks: tuple[Task, ...]) -> list[Lifetime]:
    """Return the activations between layers, in the order in which they are written.

    Left out are inputs and outputs of the network, which are outside, and operands that enter the array as weights.
    """
    names = viewed(graph, tasks)
    written: dict[str, int] = {}
    reads: dict[str, list[int]] = {}
    outside = {names[name] for name in (*graph.inputs, *graph.outputs)}
    for i, task in enumerate(tasks):
        if task.work is None:
            continue
        for position, name in enumerate(task.reads):
            if isinstance(task.work, Gemm) and position == 1:
                outside.add(names[name])
            reads.setdefault(names[name], []).append(i)
        written |= dict.fromkeys(task.writes, i)
    return [
        Lifetime(
            tensor=name,
            first=first,
            last=reads[name][-1],
            size_bytes=ceil_div(graph.tensors[name].size * graph.tensors[name].bits, BITS_PER_BYTE),
            reads=len(reads[name]),
        )
        for name, first in written.items()
        if name not in outside and name in reads
    ]


def on_chip(task: Task, resident: Iterable[str], names: dict[str, str]) -> Task:
    """Return a task of the vector unit with the streams of ``resident`` tensors marked; other tasks as they are."""
    if not isinstance(task.work, VectorWork):
        return task
    kept = set(resident)
    reads = tuple(
        replace(stream, on_chip=names[name] in kept) for stream, name in zip(task.work.reads, task.reads, strict=True)
    )
    writes = tuple(
        replace(stream, on_chip=names[name] in kept) for stream, name in zip(task.work.writes, task.writes, strict=True)
    )
    return replace(task, work=replace(task.work, reads=reads, writes=writes))
