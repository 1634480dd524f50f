"""The detector: the net that finds plates, its pruning, training, evaluation and export."""
