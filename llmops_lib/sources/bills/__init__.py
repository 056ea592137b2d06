"""What providers billed: usage and cost reports of their administration APIs, as BILLS."""
