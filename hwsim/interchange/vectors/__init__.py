"""Golden vectors: the integers of a layer as files that a Verilog test bench reads, and reads back for checks."""
