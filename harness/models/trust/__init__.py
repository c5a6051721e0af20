"""What a model folder may not do unasked: unpickle, bring code, or lead elsewhere."""
