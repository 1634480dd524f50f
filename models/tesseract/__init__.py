"""Tesseract's language `gb`: number plates, fine-tuned from the French model, and its recipe."""
