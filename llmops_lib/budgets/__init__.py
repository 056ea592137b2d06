"""Budgets and breaker policies: what they are, which window holds, how a breaker decides, how spend goes on.

Measures never import each other and the endpoint client imports no measure; what they share lives here.
"""
