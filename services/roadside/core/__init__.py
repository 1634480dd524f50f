"""The pure part of Roadside: values and functions without clock, input, output or logging."""
