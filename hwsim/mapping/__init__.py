"""From operators to array work: GEMM lowering, tiles, folds and their legality."""
