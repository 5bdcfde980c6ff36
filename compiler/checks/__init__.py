"""What is wrong with a circuit that elaborates: a check a function, each reporting to the sink."""
