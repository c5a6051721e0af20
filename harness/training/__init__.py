"""Training: recipes, what is known of a training before and after it, and how a candidate is made."""
