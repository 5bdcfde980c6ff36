"""`simulate` blocks: their waveforms, controllers and runs."""
