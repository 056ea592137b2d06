"""Real calls made again, with the prompt that was in force and with another version, side by side."""
