"""SCALE-Sim's demand matrices and buffers as their definitions say, in plain Python: every cycle, every word, every set.

A demand is a list of cycles, each a list of addresses, None where a lane asks for nothing.
"""

SETS, ACTIVE = 100, 50


def operands(layer):
    """Return the address matrices ``ifmap[m][k]`` (None beyond the image) and ``filter[k][n]``."""
    ifmap = []
    for y in range(layer.ofmap_height):
        for x in range(layer.ofmap_width):
            window = []
            for tap_y in range(layer.filter_height):
                for tap_x in range(layer.filter_width):
                    row, column = y * layer.stride + tap_y, x * layer.stride + tap_x
                    inside = row < layer.ifmap_height and column < layer.ifmap_width
                    for channel in range(layer.channels):
                        pixel = (row * layer.ifmap_width + column) * layer.channels + channel
                        window.append(pixel if inside else None)
            ifmap.append(window)
    return ifmap, [[n * layer.k + k for n in range(layer.n)] for k in range(layer.k)]


def blocks(size, step):
    return [range(start, min(start + step, size)) for start in range(0, size, step)]


def skewed(rows, lanes):
    """Delay lane i by i cycles."""
    return [
        [rows[time - lane][lane] if 0 <= time - lane < len(rows) else None for lane in range(lanes)]
        for time in range(len(rows) + lanes - 1)
    ]


def filled(values, lanes):
    return [*values, *[None] * (lanes - len(values))]


def demands(dataflow, rows, columns, layer):
    """Return the demands of ifmap, filter and ofmap; an ofmap entry is True where a result leaves."""
    ifmap, weights = operands(layer)
    pixels, taps, filters = range(layer.m), range(layer.k), range(layer.n)
    found = {"ifmap": [], "filter": [], "ofmap": []}
    unrolled = {"ws": (layer.k, layer.n), "is": (layer.k, layer.m), "os": (layer.m, layer.n)}[dataflow]
    for c in blocks(unrolled[1], columns):
        for r in blocks(unrolled[0], rows):
            if dataflow == "os":
                parts = {
                    "ifmap": skewed([filled([ifmap[m][k] for m in r], rows) for k in taps], rows),
                    "filter": skewed([filled([weights[k][n] for n in c], columns) for k in taps], columns),
                    "ofmap": [[None] * columns] * (layer.k - 1)
                    + skewed(
                        [filled([True for _ in c] if i < len(r) else [], columns) for i in reversed(range(rows))],
                        columns,
                    ),
                }
            else:
                stationary, moving = ("filter", "ifmap") if dataflow == "ws" else ("ifmap", "filter")
                held = (lambda k, i: weights[k][i]) if dataflow == "ws" else (lambda k, i: ifmap[i][k])
                asked = (lambda k, t: ifmap[t][k]) if dataflow == "ws" else (lambda k, t: weights[k][t])
                stream = pixels if dataflow == "ws" else filters
                load = [filled([held(k, i) for i in c], columns) for k in r]
                load += [[None] * columns for _ in range(rows - len(load))]
                parts = {
                    stationary: load[::-1],
                    moving: [[None] * rows] * rows
                    + skewed([filled([asked(k, t) for k in r], rows) for t in stream], rows),
                    "ofmap": [[None] * columns] * (2 * rows - 1)
                    + skewed([filled([True for _ in c], columns) for _ in stream], columns),
                }
            length = max(len(part) for part in parts.values())
            if dataflow == "os":
                length = layer.k + rows + columns - 2
            for name, part in parts.items():
                lanes = len(part[0])
                found[name] += part + [[None] * lanes] * (length - len(part))
    return found


class Estimator:
    """The read buffer of the estimating mode: a list of sets, of which the last 50 full ones and the one being filled count."""

    def __init__(self, set_words):
        self.set_words, self.current, self.full = set_words, set(), []
        self.first_set, self.words, self.fillings = 0, 0, []
        self.first_request, self.last_request, self.span = None, None, None
        self.dram_start = self.dram_stop = None

    def prefetch(self, start, stop, count, low, high):
        """Read sets ``low .. high - 1`` in cycles ``start .. stop``; the answer comes a cycle later."""
        if self.dram_start is None:
            self.dram_start = start + 1
        assert -(-count * self.set_words // (stop - start + 1)) >= 0  # divides by zero as the tool does
        self.words += sum(len(each) for each in self.full[low:high])
        self.dram_stop = stop + 1

    def request(self, cycle, address):
        if any(address in each for each in self.full[self.first_set :]) or address in self.current:
            return
        self.current.add(address)
        if len(self.current) < self.set_words:
            return
        self.full.append(self.current)
        self.current = set()
        if len(self.full) == self.first_set + ACTIVE:
            if self.span is None:
                stop = self.first_request - 2
                self.prefetch(stop - -(-ACTIVE * self.set_words // 10) + 1, stop, ACTIVE, 0, ACTIVE)
                self.span = stop + 1, cycle
            else:
                self.prefetch(*self.span, ACTIVE, self.first_set, self.first_set + ACTIVE)
                self.span = self.span[1] + 1, cycle
            self.first_set += ACTIVE
            self.fillings.append(cycle)

    def run(self, demand):
        for cycle, row in enumerate(demand):
            for address in row:
                if address is not None:
                    self.first_request = cycle if self.first_request is None else self.first_request
                    self.last_request = cycle
                    self.request(cycle, address)
        if self.current:
            self.full.append(self.current)
        count = len(self.full) - self.first_set
        if self.span is None:
            self.prefetch(-2 - -(-count * self.set_words // 10) + 1, -2, count, 0, len(self.full))
        else:
            self.prefetch(*self.span, count, self.first_set, len(self.full))
        return self


class WriteBuffer:
    """The write buffer: lines of words, the last one begun; a drain closes it, and counts the padding of all lines but its last."""

    def __init__(self, capacity, line_words):
        self.drain_words, self.line_words = capacity // 2, line_words
        self.least_free, self.free = capacity - capacity // 2, capacity
        self.lines, self.line, self.drained = [], [], 0
        self.busy_until, self.words, self.drains, self.stalls = 0, 0, [], 0

    def close(self):
        if self.line:
            self.lines.append(self.line)
            self.line = []

    def drain(self, cycle):
        last = min(self.drained + -(-self.drain_words // self.line_words), len(self.lines))
        words = (last - self.drained) * self.line_words - (self.line_words - len(self.lines[last - 1]))
        self.words += words
        self.free += words
        self.drains += range(cycle, cycle + last - self.drained)
        self.busy_until = cycle + last - self.drained - 1
        self.drained = last

    def write(self, cycle):
        """Take one word and return the cycle in which it is taken."""
        self.line.append(True)
        self.free -= 1
        if len(self.line) == self.line_words:
            self.close()
        if cycle < self.busy_until:
            if self.free <= 0:
                return self.busy_until
        elif self.free < self.least_free:
            self.close()
            self.drain(cycle)
        return cycle

    def run(self, demand):
        taken = []
        for row, results in enumerate(demand):
            cycle = row + self.stalls
            for result in results:
                if result is not None:
                    cycle = self.write(cycle)
                    taken.append(cycle)
            self.stalls = cycle - row
        self.first, self.last = taken[0], taken[-1]
        end = len(demand) - 1 + self.stalls
        self.close()
        while self.drained < len(self.lines):
            self.drain(end)
            end = self.busy_until + 1
        return self
