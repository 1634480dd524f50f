"""Code generated from protos/roadside/v1: do not edit, run `make protos`."""
