"""Capture: takes frames from one source and hands them on."""
