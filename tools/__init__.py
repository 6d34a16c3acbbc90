"""What makes a page, a table or a stub; each with ``--check``, which says whether it would change."""
