"""Weights on tables of values: scales for any grid, exponents and codebooks that fit the weights."""
