"""Design-space exploration: sweeps that resume, Pareto fronts."""
