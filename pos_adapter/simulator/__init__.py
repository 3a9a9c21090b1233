"""Simulators people can run: a payment host without a face, and the till's side of each wire."""
