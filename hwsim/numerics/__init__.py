"""What a bit is: formats, grids, rounding, accumulators and requantizers, each with its definition on plain integers."""
