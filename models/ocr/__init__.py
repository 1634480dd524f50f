"""The reader: the net that reads a plate's strip, its training, calibration and export."""
