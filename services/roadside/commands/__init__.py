"""The commands of `roadside`, one module each; `roadside.cli` names them."""
