"""The twin's own cycles on channel, ports and array, from its loops over tiles and folds."""

from hwsim.mapping.widths import accumulator_bits
from tests.cost import twin


def chunks(accelerator, mapping, parts):
    """The groups of one tile each, cut into chunks of 2, 4, ... that fit the memories."""
    work, psum = mapping.gemm, accumulator_bits(mapping.gemm, accelerator.datapath)
    copies = 2 if accelerator.memory_of("ifmap").double_buffered else 1
    bits = [
        (copies, twin.pixels(work, (0, work.m), (0, work.k)) * work.ifmap.bits),
        (copies, work.k * work.n * work.weight.bits),
        (copies, work.m * work.n * work.ofmap.bits),
        (1, work.m * work.n * psum),
    ]
    for count in (2, 4, 8):
        fit = all(copy * -(-count * size // 8) <= accelerator.memory[0].size_bytes for copy, size in bits)
        if count < 2 * work.groups and fit:
            sizes = [min(count, work.groups - at) for at in range(0, work.groups, count)]
            yield {
                **parts,
                "load": [parts["load"][0] * size for size in sizes],
                "preload": parts["preload"] * len(sizes),
                "idle": parts["idle"] * len(sizes),
                "busy": [parts["busy"][0] * size + parts["idle"][0] * (size - 1) for size in sizes],
                "store": [parts["store"][0] * size for size in sizes],
            }


def timing(accelerator, mapping, steps):
    """The twin's own cycles on channel, ports and array for each step."""
    array, work, dram, port = mapping.array, mapping.gemm, accelerator.dram, accelerator.memory[0].read_bits_per_cycle
    datapath, psum = accelerator.datapath, accumulator_bits(mapping.gemm, accelerator.datapath)
    constant = work.has_bias or (work.ifmap_asymmetric and datapath.zero_point == "folded")
    extra = constant and datapath.bias == "start"
    stationary = array.flow.stationary
    in_time = stationary == "psum"
    tail = 0
    if array.overlap_drain:  # one fold of one vector, less that vector and its load
        tail = twin.array_end(array, [1]) - 1 - (0 if in_time else array.rows)

    def cycles(bits, width):
        return -(-bits // width)

    parts = {name: [] for name in ("load", "preload", "idle", "busy", "store")}
    for index, step in enumerate(steps):
        weight = step.loads["weight"] * work.weight.bits + (work.n * 32 if constant and not index else 0)
        ifmap = step.loads["ifmap"] * work.ifmap.bits
        parts["load"].append(
            max(cycles(ifmap + weight, dram.bits_per_cycle), cycles(ifmap, port), cycles(weight, port))
        )
        new = index == 0 or (not in_time and step.loads[stationary] > 0)
        parts["preload"].append(array.rows if new and not in_time else 0)
        before = steps[index - 1].folds[-1]
        alone = twin.array_end(array, step.folds)
        # what this step adds behind a fold of the step before, by difference
        follows = twin.array_end(array, [before, *step.folds]) - twin.array_end(array, [before])
        start = 0 if in_time else array.rows
        busy = alone - tail - start
        parts["idle"].append(follows - busy)
        sums = (step.reads["psum"] + (step.stores if extra else 0)) * psum
        moved = [
            step.reads["ifmap"] * work.ifmap.bits, step.stores * work.ofmap.bits, sums,
            step.reads["weight"] * work.weight.bits + (step.columns * 32 if constant else 0),
        ]  # fmt: skip
        lanes = cycles(step.stores, accelerator.vector.requantizer_lanes)
        parts["busy"].append(max(busy, lanes, *(cycles(bits, port) for bits in moved)))
        parts["store"].append(
            max(cycles(step.stores * work.ofmap.bits, width) for width in (dram.bits_per_cycle, port))
        )
    buffered = accelerator.memory_of("ifmap").double_buffered
    return parts | {
        "latency": dram.latency_cycles, "tail": tail, "double_buffered": buffered, "output_buffered": buffered,
    }  # fmt: skip
