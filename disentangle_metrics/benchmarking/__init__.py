"""Many representations of the same factors, scored alike: one table, ranks, one picture."""
