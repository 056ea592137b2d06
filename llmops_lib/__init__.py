"""Loads the exports of LLM observability tools into tables of one schema, prices and measures them."""
