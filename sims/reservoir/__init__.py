"""A circuit as a reservoir, and the read-outs that are learned of its states."""
