"""Figures as people read them."""

from __future__ import annotations

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def grouped(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{number:,}"


def size(number: int) -> str:
    """Return bytes in the largest unit that leaves a whole number before the point."""
    value, unit = float(number), 0
    while round(value, 1) >= 1000 and unit < len(_SIZES) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_SIZES[unit]}" if unit else f"{number} B"


def duration(seconds: int) -> str:
    """Return a span of time in its two largest units."""
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} days {hours} h"
