"""Payment providers: where the money is. One Protocol, one contract, several kinds of money."""
