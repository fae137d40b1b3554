"""The cost of one array layer in plain loops: every tile, every fold, every load, one after the other."""

from dataclasses import dataclass, field
from itertools import accumulate, pairwise


def spans(start, stop, step):
    return [(at, min(at + step, stop)) for at in range(start, stop, step)]


def tiles_of(gemm, dim, tile):
    """Tiles along one dimension; of an image's rows they end with the image, along k with a segment wherever one ends in them."""
    window, size = gemm.window, gemm.shape[dim]
    if dim == "k" and len(gemm.segments) > 1:
        found, at = [], 0
        while at < size:
            ends = [end for end in accumulate(gemm.segments) if at < end <= at + tile]
            found.append((at, ends[-1] if ends else at + tile))
            at = found[-1][1]
        return found
    if dim == "m" and window and tile < window.image:
        return [
            cut
            for image in range(window.batch)
            for cut in spans(image * window.image, (image + 1) * window.image, tile)
        ]
    return spans(0, size, tile)


def parts_of(gemm, k):
    """What a tile along k shares with each segment."""
    bounds = [0, *accumulate(gemm.segments or (gemm.k,))]
    shared = [(max(a, k[0]), min(b, k[1])) for a, b in pairwise(bounds)]
    return [(a, b) for a, b in shared if a < b]


def pixels(gemm, m_span, k_span):
    """The distinct ifmap elements under the output pixels and channels of a tile, whole rows."""
    window = gemm.window
    if window is None:
        return (m_span[1] - m_span[0]) * (k_span[1] - k_span[0])
    rows = set()
    for m in range(*m_span):
        image, row = m // window.image, m % window.image // window.out_width
        for tap in range(window.kernel[0]):
            y = row * window.strides[0] + tap * window.dilations[0] - window.pads[0]
            if 0 <= y < window.in_height and y % window.spread[0] == 0:
                rows.add((image, y))
    width = len(range(0, window.in_width, window.spread[1]))
    return len(rows) * width * (k_span[1] - k_span[0]) // window.taps


@dataclass
class Step:
    folds: list  # streamed length of each fold
    loads: dict  # elements from DRAM by operand
    reads: dict = field(default_factory=lambda: {"ifmap": 0, "weight": 0, "psum": 0, "scale": 0})
    stores: int = 0
    rows: int = 0  # rows and columns of a finished output tile
    columns: int = 0


def scales_of(gemm, n):
    """How many scales a fold of ``n`` columns, or a part of a tile, has."""
    if len(gemm.segments) < 2:
        return 0
    return 1 if gemm.shares_scales else n


def steps_of(mapping):
    """The steps of one group."""
    gemm, array = mapping.gemm, mapping.array
    flow = array.flow
    cuts = {dim: tiles_of(gemm, dim, getattr(mapping, f"tile_{dim}")) for dim in "mkn"}
    resident, steps = {}, []
    for outer in cuts[mapping.order[0]]:
        for inner in cuts[mapping.order[1]]:
            for k in cuts["k"]:
                span = {mapping.order[0]: outer, mapping.order[1]: inner, "k": k}
                m, n = span["m"], span["n"]
                step = Step(folds=[], loads={"ifmap": 0, "weight": 0, "scale": 0})
                if resident.get("ifmap") != (m, k):
                    step.loads["ifmap"] = pixels(gemm, m, k)
                if resident.get("weight") != (k, n):
                    step.loads["weight"] = (k[1] - k[0]) * (n[1] - n[0])
                    step.loads["scale"] = len(parts_of(gemm, k)) * scales_of(gemm, n[1] - n[0])
                resident = {"ifmap": (m, k), "weight": (k, n)}
                for part in parts_of(gemm, k):
                    inside = span | {"k": part}
                    for rows in spans(*inside[flow.rows], array.rows):
                        for columns in spans(*inside[flow.columns], array.columns):
                            held = {flow.rows: rows, flow.columns: columns, flow.time: inside[flow.time]}
                            size = {dim: held[dim][1] - held[dim][0] for dim in "mkn"}
                            step.folds.append(size[flow.time])
                            step.reads["ifmap"] += size["m"] * size["k"]
                            step.reads["weight"] += size["k"] * size["n"]
                            step.reads["psum"] += size["m"] * size["n"]
                            step.reads["scale"] += scales_of(gemm, size["n"])
                if k[1] == gemm.k:
                    step.rows, step.columns = m[1] - m[0], n[1] - n[0]
                    step.stores = step.rows * step.columns
                steps.append(step)
    return steps


def array_end(array, folds):
    """When the last result leaves, memory never waiting: folds one by one."""
    in_time = array.flow.reduces_in_time
    drain = {"none": 0, "down": array.rows, "right": array.columns}[array.drain] if in_time else 0
    adder = array.adder_latency_cycles
    hops = 1 if in_time else array.vertical_hop_registers + adder
    latency = array.pipeline_latency_cycles + array.multiplier_latency_cycles + adder
    skew = hops * (array.rows - 1) + array.columns - 1 + latency + drain
    load = 0 if in_time else array.rows
    start = end = None
    for stream in folds:
        if start is None:
            start = load
        else:
            loaded = (start if array.overlap_load else end) + load
            start = max(end, loaded, emptied_for(array, end, drain, stream, skew))
        block = blocks(array, stream)
        left = start + (block if in_time else stream) + skew  # the last result
        end = start + block if array.overlap_drain else max(start + block, left)
    return left


def blocks(array, stream):
    while stream % array.stream_block:
        stream += 1
    return stream


def emptied_for(array, end, drain, stream, skew):
    """When the results before are far enough out of an output-stationary array for the next fold to start."""
    if not array.overlap_drain or not array.flow.reduces_in_time:
        return end
    if array.drain_start == "when_complete":
        return end if stream >= array.rows - 1 + array.columns - 1 + drain else end + skew
    return end + drain - blocks(array, stream)


def events(load, preload, idle, busy, store, latency, tail, double_buffered, output_buffered, repeats):
    """The recurrence, step by step with every time kept, no step skipped."""
    load, preload, idle, busy, store = (list(part) * repeats for part in (load, preload, idle, busy, store))
    count, channel = len(load), 0
    done, end = [], 0
    for i in range(count):
        start = done[i - 1] + idle[i] if i else 0
        if load[i]:
            freed = i - 2 if double_buffered else i - 1
            channel = max(channel, done[freed] if freed >= 0 else 0) + load[i]
            start = max(start, channel + latency + preload[i])
        if i and store[i - 1]:
            channel = max(channel, done[i - 1] + tail) + store[i - 1]
            end = channel
            if not output_buffered:
                start = max(start, channel)
        done.append(start + busy[i])
    if store[-1]:
        end = max(channel, done[-1] + tail) + store[-1]
    return max(end, done[-1] + tail)
