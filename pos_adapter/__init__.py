"""pos_adapter: the till's side of facepay; speaks payment-terminal protocols to unmodified tills."""
