"""Other tools' records of a study, kept in step: followers of the log that hold nothing of their own."""
