"""Concert E and E+: the French serial wire between till and payment terminal.

Half duplex, 9600 baud 8N1 (older gear 7E1). The till opens with ENQ, sends one frame, closes with EOT;
the terminal answers the same way. No transaction id, no status query, no cancel.
"""
