"""Cells as data: libraries of SPICE subcircuits whose headers say what they are.

A cell is one SPICE file with a header (`docs/cells.md`); a library is a folder of cells. From the
header the compiler learns what it may connect, set and program, and the session what to write and
read.
"""

from tellegen.cells.cell import (
    Cell,
    Expectation,
    Library,
    Limit,
    Observable,
    Parameter,
    Port,
    Programmable,
    SelfTest,
)
from tellegen.cells.library import available, find_library, load_all, search_path
from tellegen.cells.probe import Probe

__all__ = [
    "Cell",
    "Expectation",
    "Library",
    "Limit",
    "Observable",
    "Parameter",
    "Port",
    "Probe",
    "Programmable",
    "SelfTest",
    "available",
    "find_library",
    "load_all",
    "search_path",
]
