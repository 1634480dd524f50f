"""`make evaluate`: every figure that Roadside claims, measured on real photographs in one run."""
