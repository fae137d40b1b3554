"""Hex files of Verilog's ``$readmemh`` (IEEE 1364-2005, 17.2.9): writer and reader of one format.

A word is written with ``ceil(bits / 4)`` digits, negative ones in two's complement at their true width, real numbers as
their IEEE 754 bit patterns. One line is one row of the last axis; ``$readmemh`` fills a memory of ``product(shape)`` words in the same order.
The comment in front says name, shape, width and order, and is what ``read_hex`` goes by.
"""

from __future__ import annotations

import re
from math import prod
from pathlib import Path

import numpy as np

from hwsim.errors import HwsimError
from hwsim.interchange.vectors.vector import FLOATS, MAX_BITS, Vector

WORD_DIGITS = 16
CHUNK_WORDS = 1 << 16
_HEX = re.compile("[0-9a-fA-F]+")
_HEADER = re.compile(
    r"// (?P<name>\S+): (?P<about>.*)\n"
    r"// shape: (?P<shape>[0-9 ]*) \((?P<axes>[^)]*)\), the last axis fastest\n"
    r"// word: (?P<bits>\d+) bits, (?P<kind>signed|unsigned|float32|float64)\n"
)


def header(vector: Vector) -> str:
    """Return the comment lines in front of the words."""
    shape = " ".join(map(str, vector.values.shape))
    return (
        f"// {vector.name}: {vector.about}\n"
        f"// shape: {shape} ({', '.join(vector.axes)}), the last axis fastest\n"
        f"// word: {vector.bits} bits, {vector.kind}\n"
    )


def digits(bits: int) -> int:
    """Return the hex digits of a word of ``bits`` bits."""
    return -(-bits // 4)


def write_hex(path: Path, vector: Vector) -> None:
    """Write one array; the memory needed is a small part of the array's."""
    columns = vector.values.shape[-1] if vector.values.ndim else 1
    words = np.ascontiguousarray(vector.values).reshape(-1)
    width = digits(vector.bits)
    with path.open("wb") as file:
        file.write(header(vector).encode())
        for start in range(0, words.size, CHUNK_WORDS):
            part = words[start : start + CHUNK_WORDS]
            ends = (np.arange(start + 1, start + 1 + part.size) % columns) == 0
            file.write(_text(_patterns(part, vector), width, ends))


def _patterns(words: np.ndarray, vector: Vector) -> np.ndarray:
    """Return the words as bit patterns, big-endian uint64."""
    if vector.is_float:
        return words.view(f"u{words.itemsize}").astype(">u8")
    return (words.astype(np.uint64) & np.uint64((1 << vector.bits) - 1)).astype(">u8")


def _text(patterns: np.ndarray, width: int, ends: np.ndarray) -> bytes:
    """Return ``width`` digits for each pattern, a line break behind those where ``ends`` is true and a space elsewhere."""
    letters = np.frombuffer(patterns.tobytes().hex().encode(), np.uint8).reshape(-1, WORD_DIGITS)
    text = np.empty((len(patterns), width + 1), np.uint8)
    text[:, :width] = letters[:, WORD_DIGITS - width :]
    text[:, width] = np.where(ends, ord("\n"), ord(" "))
    return text.tobytes()


def read_hex(path: Path) -> Vector:
    """Return the array of a file that ``write_hex`` wrote: int64, uint64 for unsigned words of 64 bits, or real numbers.

    Raises:
        HwsimError: a missing or foreign header, words of another width, or not as many as the shape says.
    """
    text = path.read_text("utf-8", errors="replace")
    head = _HEADER.match(text)
    if head is None:
        raise HwsimError(
            f"{path}: does not start with the comment lines of a golden vector; write it with hwsim vectors"
        )
    bits, kind = int(head["bits"]), head["kind"]
    shape = tuple(int(size) for size in head["shape"].split())
    words = text[head.end() :].split()
    if len(words) != prod(shape):
        raise HwsimError(f"{path}: holds {len(words)} words, but its shape {list(shape)} asks for {prod(shape)}")
    patterns = np.array([_pattern(path, word, bits) for word in words], np.uint64)
    return Vector(
        name=head["name"],
        values=_values(patterns, bits, kind).reshape(shape),
        bits=bits,
        signed=kind == "signed",
        axes=tuple(filter(None, head["axes"].split(", "))),
        about=head["about"],
    )


def _pattern(path: Path, word: str, bits: int) -> int:
    """Return a word as a number; raise HwsimError where it is none of ``bits`` bits."""
    if len(word) != digits(bits):
        raise HwsimError(f"{path}: {word!r} must be a word of {digits(bits)} hex digits ({bits} bits)")
    if not _HEX.fullmatch(word):
        raise HwsimError(f"{path}: {word!r} is no hex number")
    pattern = int(word, 16)
    if pattern >> bits:
        raise HwsimError(f"{path}: {word!r} does not fit {bits} bits")
    return pattern


def _values(patterns: np.ndarray, bits: int, kind: str) -> np.ndarray:
    """Return what the bit patterns stand for."""
    if kind in FLOATS:
        return patterns.astype(f"u{FLOATS[kind] // 8}").view(kind)
    if kind == "unsigned":
        return patterns if bits == MAX_BITS else patterns.astype(np.int64)
    spare = np.uint64(MAX_BITS - bits)
    return (patterns << spare).view(np.int64) >> spare.astype(np.int64)
