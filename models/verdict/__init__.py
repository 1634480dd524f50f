"""What the verdict is worth: a year of traffic, sampled from how the reader really errs."""
