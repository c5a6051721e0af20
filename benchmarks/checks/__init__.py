"""What do the checks of `harness check` find, and what do they claim wrongly? Measured on seeded faults."""
