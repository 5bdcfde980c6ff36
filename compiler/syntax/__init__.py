"""From source text to syntax tree: `parse` reads, `tree` holds, `format` prints it back."""
