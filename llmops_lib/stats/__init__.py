"""Statistics that measures share: functions of numbers, each with the source of its formula."""
