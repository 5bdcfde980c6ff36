"""Protocols of the plasticity rules: a module each, with a reference of the rule's own equation."""
