"""Training the corner net: from a detection's box to the four corners of the plate."""
