"""Trains the weights that come with facepay: small students of openly licensed teachers.

An extra (`pip install '.[training]'`); the product never imports it. `training/README.md` has the commands.
"""
