"""The machine as a noun: array, datapath, memories, and its files."""
