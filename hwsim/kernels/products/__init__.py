"""Sums of products by whatever multiplies: exactly, by a table, by a compiled function of the user.

``exact``, ``table`` and ``function`` offer the same three things to ``hwsim.kernels.mac``: sums in any order, bounds on
them, and ordered accumulation. ``choose`` finds the one for a multiplier and its operands' formats.
"""
