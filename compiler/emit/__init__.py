"""From circuit to text: the SPICE netlist with its manifest, JSON, Graphviz."""
