"""Rendered number plates and a rendered street, for training and for demonstrations without real photographs."""
