"""Transients that Python takes part in while ngspice runs."""
