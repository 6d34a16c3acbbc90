"""From a request to a report: settings decided, metrics run, chance, ceiling and intervals added."""
