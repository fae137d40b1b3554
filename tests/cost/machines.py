"""Small machines and drawn work for the tests of mapping, cost and schedule."""

from itertools import pairwise

from hypothesis import strategies as st

from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.gemm import Gemm, Window
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.formats import IntFormat

FLOWS = ("weight_stationary", "output_stationary", "input_stationary")


def machine(array=None, size=1 << 20, dram=None, datapath=None, vector=None, port=4096, buffered=True, **changes):
    """Return an Accelerator: one memory per operand of ``size`` bytes with ports of ``port`` bits."""
    flags = {"read_bits_per_cycle": port, "write_bits_per_cycle": port, "size_bytes": size}
    return Accelerator(
        name="small",
        clock_mhz=500.0,
        array={"dataflow": "weight_stationary", "rows": 4, "columns": 4, **(array or {})},
        datapath=datapath or {},
        vector=vector or {"requantizer_lanes": 4096},
        dram={"bits_per_cycle": 64, "latency_cycles": 10, **(dram or {})},
        memory=[
            {"name": f"{operand}s", "holds": [operand], "double_buffered": buffered and operand != "psum", **flags}
            for operand in ("ifmap", "weight", "ofmap", "psum")
        ],
        **changes,
    )


def gemm(m, k, n, *, bits=(8, 8, 8), **keys):
    """Return a Gemm on unsigned activations and signed weights."""
    x, w, y = bits
    return Gemm(
        m=m, k=k, n=n, ifmap=IntFormat(bits=x, signed=False), weight=IntFormat(bits=w),
        ofmap=IntFormat(bits=y, signed=False), **keys,
    )  # fmt: skip


def conv(window, n=3, **keys):
    return gemm(window.batch * window.image, window.channels * window.taps, n, window=window, **keys)


arrays = st.fixed_dictionaries(
    {
        "dataflow": st.sampled_from(FLOWS),
        "rows": st.integers(1, 6),
        "columns": st.integers(1, 6),
        "vertical_hop_registers": st.integers(1, 3),
        "pipeline_latency_cycles": st.integers(0, 3),
        "multiplier_latency_cycles": st.integers(0, 2),
        "adder_latency_cycles": st.integers(0, 2),
        "drain": st.sampled_from(["none", "down", "right"]),
        "overlap_load": st.booleans(),
        "overlap_drain": st.booleans(),
    }
)


@st.composite
def windows(draw):
    kernel, strides, dilations = (tuple(draw(st.integers(1, 3)) for _ in "hw") for _ in range(3))
    pads = tuple(draw(st.integers(-1, 2)) for _ in range(4))
    spread = tuple(draw(st.sampled_from([1, 1, 2])) for _ in "hw")
    out = tuple(draw(st.integers(1, 4)) for _ in "hw")
    reach = [(out[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 for i in (0, 1)]
    sizes = [max(reach[i] - pads[i] - pads[i + 2], 1) for i in (0, 1)]
    return Window(
        batch=draw(st.integers(1, 3)), channels=draw(st.integers(1, 3)), in_height=sizes[0], in_width=sizes[1],
        out_height=out[0], out_width=out[1], kernel=kernel, strides=strides, dilations=dilations, pads=pads, spread=spread,
    )  # fmt: skip


@st.composite
def gemms(draw):
    flags = {
        name: draw(st.booleans())
        for name in ("ifmap_asymmetric", "weight_asymmetric", "weight_is_activation", "has_bias", "scales_columns")
    }
    flags |= {"groups": draw(st.integers(1, 4)), "bits": tuple(draw(st.sampled_from([2, 4, 8, 16])) for _ in range(3))}
    if draw(st.booleans()):
        window = draw(windows())
        return conv(window, n=draw(st.integers(1, 7)), **flags, **draw(segments(window.channels, window.taps)))
    m, k, n = (draw(st.integers(1, 13)) for _ in "mkn")
    flags |= {"scales_rows": draw(st.sampled_from([1, draw(st.integers(1, m))])), "scales_groups": draw(st.booleans())}
    return gemm(m, k, n, **flags, **draw(segments(k)))


@st.composite
def segments(draw, channels, taps=1):
    """Keys of a Gemm whose channels fall into segments of any length and order; none at all in half of the cases."""
    if draw(st.booleans()):
        return {}
    cuts = sorted({0, channels, *draw(st.lists(st.integers(0, channels), max_size=4))})
    order = tuple(draw(st.permutations(range(channels)))) if draw(st.booleans()) else ()
    sizes = tuple((stop - start) * taps for start, stop in pairwise(cuts))
    return {"segments": sizes, "channel_order": order, "shares_scales": draw(st.booleans())}


@st.composite
def mappings(draw, array):
    work = draw(gemms())
    window = work.window
    if window is None:
        tile_m, tile_k = draw(st.integers(1, work.m)), draw(st.integers(1, work.k))
    else:
        rows = draw(st.integers(1, window.out_height)) * window.out_width
        tile_m = draw(st.sampled_from([rows, draw(st.integers(1, window.batch)) * window.image]))
        tile_k = draw(st.integers(1, window.channels)) * window.taps
    return Mapping(
        gemm=work, array=array, tile_m=tile_m, tile_k=tile_k, tile_n=draw(st.integers(1, work.n)),
        order=draw(st.sampled_from(["mnk", "nmk"])),
    )  # fmt: skip
