"""Odoo's `hw_proxy` JSON-RPC, as its community payment-terminal module speaks it to a hardware proxy.

A browser calls it across origins, so it answers preflights for the origins in its options only.
"""
