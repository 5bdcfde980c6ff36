"""What a block asks, read with diagnostics: data, what drives the inputs, what the outputs shall be."""
