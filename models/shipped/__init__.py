"""The weights that Roadside comes with and statistics of the reader's errors; in a wheel they are roadside.weights."""
