"""What reads as its number where one is wanted: in ``float()``, in ``round()`` and in a format."""

from __future__ import annotations


class AsNumber:
    """Has a number, its `value`."""

    value: float

    def __float__(self) -> float:
        return self.value

    def __round__(self, digits: int | None = None) -> float:
        return round(self.value, digits)

    def __format__(self, form: str) -> str:
        return format(self.value, form) if form else str(self)
