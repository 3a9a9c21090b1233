"""What shopper and cashier see of a sale, and what they answer.

The checkout shows views and waits for answers; the pages of till and kiosk draw the views and
deliver the answers. Neither knows the other.
"""

from facepay.counter.answers import Answer, Answers
from facepay.counter.board import Counter
from facepay.counter.view import IDLE, Phase, SaleView

__all__ = ["IDLE", "Answer", "Answers", "Counter", "Phase", "SaleView"]
