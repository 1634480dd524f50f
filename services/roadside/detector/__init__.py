"""Detector: finds the plates in frames."""
