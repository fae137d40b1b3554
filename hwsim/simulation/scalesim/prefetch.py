"""When SCALE-Sim's estimating buffer reads from DRAM, given what it reads.

The buffer is 100 sets of words, 50 of them active. The first 50 come before the array asks, at 10 words a cycle, a number that
the tool's own comment calls arbitrary; each later filling comes during the one before it. Hence the last word is there one
cycle after the buffer was last emptied. Only the first and the last cycle are reported.

Source: SCALE-Sim 3.0.0, read_buffer_estimate_bw.py.
"""

from __future__ import annotations

from hwsim.errors import HwsimError
from hwsim.interchange.scalesim import Access
from hwsim.kernels.scalesim import ReadReplay
from hwsim.units import ceil_div

SETS = 100
ACTIVE_SETS = 50
FIRST_WORDS_PER_CYCLE = 10


def set_words(size_bytes: int) -> int:
    """Return the words of one set.

    >>> set_words(65536)
    655
    """
    return size_bytes // SETS


def prefetched(replay: ReadReplay, size_bytes: int) -> Access:
    """Return the DRAM reads of an operand.

    Args:
        replay: its reads and fillings.
        size_bytes: of its SRAM.

    Raises:
        HwsimError: two fillings end in one cycle, where the tool divides by zero.
    """
    if replay.fillings_in_one_cycle:
        raise HwsimError(
            f"SCALE-Sim cannot estimate the bandwidth of an SRAM of {size_bytes} bytes that the array fills twice in one "
            "cycle: it divides by zero; take a larger SRAM or a smaller array"
        )
    words = set_words(size_bytes)
    if not replay.fillings:
        sets = ceil_div(replay.reads, words)
        return Access(words=replay.reads, start_cycle=-ceil_div(sets * words, FIRST_WORDS_PER_CYCLE), stop_cycle=-1)
    return Access(
        words=replay.reads,
        start_cycle=replay.first_cycle - ceil_div(ACTIVE_SETS * words, FIRST_WORDS_PER_CYCLE),
        stop_cycle=replay.last_filling_cycle + 1,
    )
