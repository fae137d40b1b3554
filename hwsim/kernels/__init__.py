"""Compiled loops, one file per unit; every one has a definition on unbounded integers in ``hwsim.numerics`` or its tests."""
