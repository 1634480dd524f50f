"""The plates service: stores sightings, answers questions about them, and takes people's reviews."""
