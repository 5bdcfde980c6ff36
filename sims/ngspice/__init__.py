"""ngspice in this process: where it is, what it is given, one circuit that is solved again and again, transients and decks."""
