"""Caisse-AP v3 over IP: French tills and Odoo's French module; TCP 8888.

ASCII tag-length-value, one request, one answer, one connection. No transaction id, no status query.
"""
