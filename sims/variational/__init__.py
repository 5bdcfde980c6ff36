"""Phases of light that are varied until a measured cost is least."""
