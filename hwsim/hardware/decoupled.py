"""Load, execute and store units that run on their own, each behind a queue of commands (decoupled access and execute)."""

from __future__ import annotations

from pydantic import Field

from hwsim.hardware.fields import NotNegative, Positive, Record


class DecoupledUnits(Record):
    """What the command-level cost model needs to know beside array, memories and DRAM.

    Counts are sizes of queues; the keys in cycles are pipeline stages, each between two events of one command. The defaults
    are those of Gemmini's generator.
    """

    load_queue: Positive = Field(default=8, description="Load commands that wait or run at a time.")
    execute_queue: Positive = Field(default=16, description="Execute commands that wait or run at a time.")
    store_queue: Positive = Field(default=4, description="Store commands that wait or run at a time.")
    moves_in_flight: Positive = Field(
        default=2, description="Load commands, and store commands, that move data at a time."
    )
    requests_in_flight: Positive = Field(
        default=16, description="Bus requests without their answer, reads and writes each."
    )
    request_bytes: Positive = Field(
        default=64, description="Largest bus request; requests are aligned powers of two of beats."
    )
    prefetch_rows: Positive = Field(default=6, description="Rows of load commands that wait in front of the bus.")
    minimum_vectors: Positive = Field(
        default=4, description="Fewest vectors that an execute command takes the time of."
    )
    loop_commands: Positive = Field(default=6, description="Commands with which the host describes a hardware loop.")
    command_cycles: NotNegative = Field(default=4, description="From the host's command to its place in a queue.")
    loop_cycles: NotNegative = Field(default=6, description="The same for the first command of a hardware loop.")
    loop_turn_cycles: NotNegative = Field(
        default=8, description="From the last command of one loop to the first in its place."
    )
    release_cycles: NotNegative = Field(
        default=1, description="From the end of a command to a new one in its place in the queue."
    )
    loop_release_cycles: NotNegative = Field(
        default=2, description="The same where a hardware loop gives out the new one."
    )
    request_cycles: NotNegative = Field(default=6, description="From a load command's row to its request on the bus.")
    reuse_cycles: NotNegative = Field(
        default=7, description="From the last beat of an answer to a request in its place."
    )
    operand_write_cycles: NotNegative = Field(
        default=5, description="From a merged row of operands to its write on chip."
    )
    sum_write_cycles: NotNegative = Field(
        default=3, description="From a merged row of partial sums to its write on chip."
    )
    start_cycles: NotNegative = Field(default=2, description="From an execute command that may run to its first read.")
    read_cycles: NotNegative = Field(default=5, description="From an operand's read to its entry into the array.")
    store_cycles: NotNegative = Field(default=15, description="From the read of a result row to its first beat.")
    scale_slots: Positive = Field(default=5, description="Result rows in the requantizer at a time.")
    scale_cycles: NotNegative = Field(default=8, description="Cycles of the requantizer.")
    result_rows: Positive = Field(
        default=10, description="Result rows between their read and the bus, the requantizer included."
    )
    finish_cycles: NotNegative = Field(default=2, description="From the last answer until the machine is idle.")
