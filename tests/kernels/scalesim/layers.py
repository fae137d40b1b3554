"""Random layers and arrays for SCALE-Sim's model."""

from hypothesis import strategies as st

from hwsim.interchange.scalesim import ScaleSimConfig, ScaleSimLayer


@st.composite
def layers(draw, most=9):
    """Return a small convolution or product, with windows that may leave the image, or lie wholly beyond it."""
    if draw(st.booleans()):
        m, k, n = (draw(st.integers(1, 4 * most)) for _ in range(3))
        return ScaleSimLayer(
            name="",
            ifmap_height=m,
            ifmap_width=k,
            filter_height=1,
            filter_width=k,
            channels=1,
            filters=n,
            stride=1,
            is_gemm=True,
        )
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    return ScaleSimLayer(
        name="",
        ifmap_height=height + draw(st.integers(0, most)),
        ifmap_width=width + draw(st.integers(0, most)),
        filter_height=height,
        filter_width=width,
        channels=draw(st.integers(1, 4)),
        filters=draw(st.integers(1, 2 * most)),
        stride=draw(st.integers(1, 5)),
    )


@st.composite
def configs(draw, mode="CALC"):
    """Return a small array with the smallest SRAMs."""
    return ScaleSimConfig(
        run_name="random",
        rows=draw(st.integers(1, 9)),
        columns=draw(st.integers(1, 9)),
        ifmap_sram_kb=1,
        filter_sram_kb=1,
        ofmap_sram_kb=1,
        dataflow=draw(st.sampled_from(["ws", "os", "is"])),
        mode=mode,
        words_per_cycle=10,
    )


def takes_one_cycle(config, layer):
    """Whether SCALE-Sim divides by zero, its total being one less than the cycles that pass."""
    sizes = {config.rows, config.columns, layer.m, layer.k, layer.n}
    return config.dataflow == "os" and sizes == {1}
