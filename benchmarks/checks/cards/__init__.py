"""Cards of real small trainings, and the script that makes them."""
