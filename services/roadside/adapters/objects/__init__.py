"""Places where encrypted pictures lie: a folder, and S3-compatible services."""
