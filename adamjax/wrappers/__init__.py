"""Around a whole optimizer: averages and second copies of the parameters, gradients elsewhere."""
