"""Alerts: reviewed rules, what breaks them in the data, and one message for each episode."""
