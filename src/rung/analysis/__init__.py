"""Reading a study: rankings, records, columns."""
