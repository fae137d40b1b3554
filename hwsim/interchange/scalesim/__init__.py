"""SCALE-Sim's files: configurations and topologies are read, its three reports are written."""

from hwsim.interchange.scalesim.config import ScaleSimConfig, read_config
from hwsim.interchange.scalesim.layer import ScaleSimLayer
from hwsim.interchange.scalesim.machine import machine_of, read_scalesim_machine
from hwsim.interchange.scalesim.network import network_of, read_scalesim
from hwsim.interchange.scalesim.reports import Access, LayerReport, write_reports
from hwsim.interchange.scalesim.topology import Topology, read_topology

__all__ = [
    "Access",
    "LayerReport",
    "ScaleSimConfig",
    "ScaleSimLayer",
    "Topology",
    "machine_of",
    "network_of",
    "read_config",
    "read_scalesim",
    "read_scalesim_machine",
    "read_topology",
    "write_reports",
]
