"""What the same traffic might have cost, one idea per module, each with the assumption that it rests on."""
