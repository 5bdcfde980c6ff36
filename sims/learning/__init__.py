"""Learning by rules: from a `train` block to a plan, the circuit in its phases, the loop, gradients of light."""
