"""Tables in, figures out: charts (Altair), HTML tables, headline cards. A view never computes a measure."""
