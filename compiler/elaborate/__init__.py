"""From syntax tree to circuit: names, units, arrays, connectivity, hierarchy."""
