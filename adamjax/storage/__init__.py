"""Few bits: for moments between steps (`store`), and small updates to bfloat16 parameters."""
