"""The energy floor: what one hardware action (pJ) and one component (um2, mW) costs at a bit-width, node and voltage.

>>> table = load_table("generic_45nm")
>>> table.multiply_pj(4, 4) < table.multiply_pj(8, 8)
True
"""

from hwsim.energy.activity import data_activity
from hwsim.energy.compose import REQUANTIZE_SCHEMES, VECTOR_KINDS
from hwsim.energy.load import load_table, table_names
from hwsim.energy.records import DramType, Override, ProvenanceRow, SramClass, Technology
from hwsim.energy.table import EnergyTable

__all__ = [
    "REQUANTIZE_SCHEMES",
    "VECTOR_KINDS",
    "DramType",
    "EnergyTable",
    "Override",
    "ProvenanceRow",
    "SramClass",
    "Technology",
    "data_activity",
    "load_table",
    "table_names",
]
