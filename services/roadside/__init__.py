"""Roadside reads number plates with cheap cameras and tells whether each vehicle paid its vignette."""

__version__ = "0.1.0"
