"""The REST wire: facepay's own, for tills that have no terminal protocol yet.

JSON over HTTP, amounts in minor units, an idempotency key on everything that moves money, problem
documents (RFC 9457) for every error, news by server-sent events and by signed webhooks (Standard
Webhooks). The document at `/openapi.json` is the contract; `openapi.json` beside this file is it.
"""
