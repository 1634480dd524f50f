"""What the trainings of the detector and of the reader have in common: settings, course, curves, pictures."""
