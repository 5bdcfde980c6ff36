"""Simulation and learning: the ngspice session, tasks, rules, the loop, runs and reports."""
