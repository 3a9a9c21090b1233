"""The pages: till, kiosk, enrolment, a shopper's account, the merchant's console, health.

`create_app` is given everything it needs and reads no settings. Flask is imported nowhere else above
the leaves.
"""

from facepay.web.app import create_app
from facepay.web.base import Good, Health, Part, Shop, WebDeps

__all__ = ["Good", "Health", "Part", "Shop", "WebDeps", "create_app"]
