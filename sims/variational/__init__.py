"""Variational circuits: the phases of a mesh are varied until a cost that detectors measure is least."""

from tellegen.sims.variational.ansatz import Ansatz, VariationalError
from tellegen.sims.variational.costs import (
    Cost,
    Setting,
    classifying,
    compiling,
    hermitian,
    operator,
    pauli_sum,
)
from tellegen.sims.variational.minimisation import Evaluation, Found, Stopped, adam, minimise

__all__ = [
    "Ansatz", "Cost", "Evaluation", "Found", "Setting", "Stopped", "VariationalError", "adam", "classifying",
    "compiling", "hermitian", "minimise", "operator", "pauli_sum",
]  # fmt: skip
