"""A layer computed again from its hex files and the index alone: plain Python integers, floats rounded by ``struct``."""

import json
import struct
from itertools import product


def words(path, about):
    """The words of one file as Python numbers, and how to find one by its place."""
    text = "".join(line for line in path.read_text("utf-8").splitlines(keepends=True) if not line.startswith("//"))
    found = []
    for word in text.split():
        pattern = int(word, 16)
        if about["kind"] == "float32":
            found.append(struct.unpack("<f", struct.pack("<I", pattern))[0])
        else:
            is_negative = about["kind"] == "signed" and pattern >> (about["bits"] - 1)
            found.append(pattern - (1 << about["bits"]) if is_negative else pattern)

    def at(*place):
        position = 0
        for index, size in zip(place, about["shape"], strict=True):
            assert 0 <= index < size
            position = position * size + index
        return found[position]

    return at


class Files:
    """The arrays of the one layer of a folder."""

    def __init__(self, folder):
        (self.entry,) = json.loads((folder / "index.json").read_text("utf-8"))["layers"]
        home = folder / self.entry["folder"]
        self.at = {name: words(home / f"{name}.hex", about) for name, about in self.entry["vectors"].items()}
        self.shape = {name: about["shape"] for name, about in self.entry["vectors"].items()}


def f32(value):
    """The float32 nearest to a float64; sums and products of two float32 numbers are so rounded as if once."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def held(value, register):
    """What a register ``exact``, ``intN:wrap`` or ``intN:saturate`` keeps."""
    if register == "exact":
        return value
    name, rule = register.split(":")
    bits = int(name.removeprefix("int"))
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if rule == "saturate":
        return min(max(value, low), high)
    assert rule == "wrap"
    return (value - low) % (1 << bits) + low


def shifted(value, places, rounding):
    """``value / 2^places``, rounded."""
    if places <= 0:
        return value << -places
    down, rest = value >> places, value & ((1 << places) - 1)
    half = 1 << (places - 1)
    up = {
        "half_up": rest >= half,
        "half_even": rest > half or (rest == half and down & 1),
        "half_away": rest > half or (rest == half and value > 0),
        "floor": False,
    }[rounding]
    return down + bool(up)


def replay(folder):
    """Check every register of the layer after every fold; return its results by (group, m, n)."""
    files = Files(folder)
    at, entry = files.at, files.entry
    datapath, stage = entry["datapath"], entry["output_stage"]
    scaling = datapath["segment_scaling"].split(":")
    is_real = scaling[0] == "float32"
    groups, rows, columns = files.shape["sum"]
    found = {}
    for place in product(range(groups), range(rows), range(columns)):
        total = _accumulated(files, place, None if is_real else scaling[-1])
        assert total == at["sum"](*place)
        found[place] = _result(at, stage, place, total)
        assert found[place] == at["result"](*place)
    return found


def _accumulated(files, place, rounding):
    at, datapath = files.at, files.entry["datapath"]
    g, i, j = place
    constant = at["column_constant"](g, j)
    total, position = 0, 0
    if datapath["bias"] == "start":
        total = constant if rounding is None else held(constant, datapath["accumulator"])
    for fold, length in enumerate(files.entry["k_segments"]):
        segment = at["fold_segment"](fold)
        assert _segment_at(files, position) == _segment_at(files, position + length - 1) == segment
        psum = 0
        for k in range(position, position + length):
            psum = held(psum + at["ifmap_matrix"](g, i, k) * at["weight_matrix"](g, k, j), datapath["psum"])
        position += length
        assert psum == at["psum"](fold, *place)
        if "fold_ifmap_sum" in at:
            psum -= at["fold_ifmap_sum"](fold, g, i) * at["segment_weight_zero_point"](segment, g, j)
        assert psum == at["fold_sum"](fold, *place)
        if rounding is None:
            term = f32(f32(psum) * at["segment_scale"](segment, g, j))
            total = f32(total + term)
        else:
            scaled = psum * at["segment_multiplier"](segment, g, j)
            term = shifted(scaled, at["segment_shift"](segment, g, j), rounding)
            total = held(total + term, datapath["accumulator"])
        assert term == at["term"](fold, *place)
        assert total == at["accumulator_after_fold"](fold, *place)
    assert total == at["accumulator"](*place)
    if datapath["bias"] == "start":
        return total
    return f32(total + constant) if rounding is None else total + constant


def _segment_at(files, k):
    segment, end = 0, files.at["segment_lengths"](0)
    while k >= end:
        segment += 1
        end += files.at["segment_lengths"](segment)
    return segment


def _result(at, stage, place, total):
    g, _, j = place
    if stage["rule"] == "requantize":
        assert (stage["scheme"], stage["overflow"]) == ("fixed_point", "saturate")
        code = shifted(total * at["multiplier"](g, j), at["shift"](g, j), stage["rounding"]) + stage["zero_point"]
        return min(max(code, stage["clamp_low"]), stage["clamp_high"])
    real = f32(f32(total) * at["unit_scale"](g, j))
    if stage["rule"] == "real":
        return real
    assert (stage["rule"], stage["order"], stage["rounding"]) == ("quantize", "round_then_offset", "half_even")
    code = round(f32(real / f32(stage["scale"]))) + stage["zero_point"]
    return min(max(code, stage["clamp_low"]), stage["clamp_high"])
