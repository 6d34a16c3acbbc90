"""What ``dm-eval`` says of itself: the version, a metric's card, the list of names, the machine."""

from __future__ import annotations

# Each answer is imported only when it is asked for: the version must not wait for NumPy.


def about(name: str, *, list_names: bool, explain: str | None, doctor: bool, protocols: bool) -> str:
    """The answer to --explain, --list, ``--protocol list`` or ``doctor``; the version if none is given."""
    if explain is not None:
        from disentangle_metrics.kit.shell_words import in_shell_words
        from disentangle_metrics.metrics.cards import describe

        return in_shell_words(describe(explain))
    if list_names:
        from disentangle_metrics.cli.listing import listing

        return listing()
    if protocols:
        from disentangle_metrics.cli.listing import protocol_list

        return protocol_list()
    if doctor:
        from disentangle_metrics.cli.doctor import diagnosis

        return diagnosis()
    from disentangle_metrics.version import __version__

    return f"{name} {__version__}"
