"""facepay: the face-pay terminal that plugs into the till a shop already has.

This package is the only one that knows the four leaves `hardware`, `liveness`, `keys` and
`pos_adapter`; ARCHITECTURE.md draws the arrows.
"""
