"""Roadside reads number plates with cheap cameras and tells whether each vehicle paid its vignette."""

from roadside._version import __version__ as __version__
