"""Worker processes: how they are started and spoken to, what runs in them, and their signs of life."""
