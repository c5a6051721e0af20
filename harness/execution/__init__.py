"""Work in units that other processes and machines can do, and what hands it out."""
