"""How often do intervals and tests of `harness` err? Simulated on families of data, cell by cell."""
