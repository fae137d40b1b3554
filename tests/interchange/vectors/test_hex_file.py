"""Hex files: whatever is written is read back, by our reader and by the rules of $readmemh; broken files say what is wrong."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.interchange.vectors.hex_file import read_hex, write_hex
from hwsim.interchange.vectors.vector import Vector


def readmemh(text, bits, signed):
    """What $readmemh puts into a memory of ``bits``-bit words, as numbers: comments and white space skipped, in order."""
    words = [int(word, 16) for word in re.sub(r"//[^\n]*", "", text).split()]
    assert all(word < 1 << bits for word in words), "a word is wider than its memory"
    return [word - (1 << bits) if signed and word >> (bits - 1) else word for word in words]


def vector(values, bits, signed, name="x"):
    values = np.asarray(values)
    axes = tuple(f"a{axis}" for axis in range(values.ndim))
    return Vector(name=name, values=values, bits=bits, signed=signed, axes=axes, about="a test: (of) words, 7 bits")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("hex") / "x.hex"


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", range(1, 65))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_every_width_comes_back(path, bits, signed, data):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    shape = tuple(data.draw(st.lists(st.integers(0, 4), max_size=3)))
    count = int(np.prod(shape))
    drawn = data.draw(
        st.lists(st.one_of(st.integers(low, high), st.sampled_from([low, high])), min_size=count, max_size=count)
    )
    values = np.array(drawn, np.int64 if signed else np.uint64).reshape(shape)
    write_hex(path, vector(values, bits, signed))
    text = path.read_text("ascii")
    back = read_hex(path)
    assert (back.bits, back.signed, back.values.shape) == (bits, signed, shape)
    assert back.values.reshape(-1).tolist() == readmemh(text, bits, signed) == drawn
    body = [line.split() for line in text.splitlines() if not line.startswith("//")]
    assert all(len(word) == (bits + 3) // 4 for line in body for word in line)
    if count:
        assert [len(line) for line in body] == [shape[-1] if shape else 1] * (count // (shape[-1] if shape else 1))


@pytest.mark.parametrize("bits", [32, 64])
@settings(deadline=None)
@given(data=st.data())
def test_real_numbers_are_their_bit_patterns(path, bits, data):
    words = data.draw(st.lists(st.integers(0, (1 << bits) - 1), min_size=1, max_size=20))
    values = np.array(words, f"u{bits // 8}").view(f"f{bits // 8}")
    write_hex(path, vector(values, bits, True))
    assert readmemh(path.read_text("ascii"), bits, False) == words
    back = read_hex(path)
    assert back.kind == f"float{bits}"
    assert back.values.view(f"u{bits // 8}").tolist() == words


def test_an_array_of_many_parts(path):
    values = np.random.default_rng(0).integers(-(1 << 19), 1 << 19, (321, 457))
    write_hex(path, vector(values, 20, True))
    np.testing.assert_array_equal(read_hex(path).values, values)
    assert [len(line.split()) for line in path.read_text("ascii").splitlines()[3:]] == [457] * 321


def test_the_text_is_fixed(path):
    write_hex(path, vector([[-1, 5], [-512, 511]], 10, True, name="psum"))
    assert path.read_text("ascii") == (
        "// psum: a test: (of) words, 7 bits\n// shape: 2 2 (a0, a1), the last axis fastest\n// word: 10 bits, signed\n"
        "3ff 005\n200 1ff\n"
    )


@pytest.mark.parametrize(
    ("bits", "signed", "value"), [(8, True, 128), (8, True, -129), (8, False, -1), (8, False, 256), (1, True, 1)]
)
def test_words_that_do_not_fit_are_refused(bits, signed, value):
    with pytest.raises(HwsimError, match=rf"'x' holds 0\.\.{value}|'x' holds {value}\.\.0"):
        vector([0, value], bits, signed)


def test_other_faults_of_a_vector():
    with pytest.raises(HwsimError, match=r"1\.\.64 bits wide, not 65"):
        vector([0], 65, True)
    with pytest.raises(HwsimError, match="must be float32 or float64"):
        vector([0.5], 32, True)
    with pytest.raises(HwsimError, match="has 1 axes but names"):
        Vector(name="x", values=np.zeros(3, np.int64), bits=8, signed=True, axes=("a", "b"), about="")
    with pytest.raises(HwsimError, match="must hold integers or real numbers"):
        vector([True], 1, False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("// x:", "x:", "does not start with the comment lines"),
        ("shape: 2 2", "shape: 2 3", r"holds 4 words, but its shape \[2, 3\] asks for 6"),
        ("0ff", "00ff", "'00ff' must be a word of 3 hex digits"),
        ("0ff", "0fg", "'0fg' is no hex number"),
        ("0ff", "dff", "'dff' does not fit 10 bits"),
    ],
)
def test_a_broken_file_says_what_is_wrong(path, old, new, message):
    write_hex(path, vector([[1, 2], [3, 255]], 10, True))
    text = path.read_text("ascii")
    assert old in text
    path.write_text(text.replace(old, new), "ascii")
    with pytest.raises(HwsimError, match=message):
        read_hex(path)
