"""What the work costs: cycles, accesses, energy and area, as a ledger that prices are joined to."""

from hwsim.cost.evaluate import CostReport, cost

__all__ = ["CostReport", "cost"]
