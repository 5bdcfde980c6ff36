"""A page for each diagnostic code, shown by `tellegen explain CODE`."""
