"""What a report looks like: one view of it, rendered for terminal, notebook, page and paper."""
