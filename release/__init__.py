"""What makes a release: one version everywhere, artefacts that were built, checked and listed."""
