"""How an answer is judged: one module per kind, each a function from a case and an answer to a verdict."""
