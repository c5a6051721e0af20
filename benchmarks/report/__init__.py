"""What a report costs: made results of any size, with hostile names and texts on demand."""
