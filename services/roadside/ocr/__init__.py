"""OCR: reads the plates that were found."""
