"""Where many models stand: which differ beyond noise, and how they rank over tasks."""
