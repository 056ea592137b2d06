"""Which calls of production are looked at, with chances that are known."""
