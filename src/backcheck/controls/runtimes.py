"""When Lambda runtimes are deprecated: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, 2026-11."""

from __future__ import annotations

from datetime import date

DEPRECATED_ON = {
    "nodejs24.x": date(2028, 4, 30),
    "nodejs22.x": date(2027, 4, 30),
    "nodejs20.x": date(2026, 4, 30),
    "python3.14": date(2029, 6, 30),
    "python3.13": date(2029, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.11": date(2027, 6, 30),
    "python3.10": date(2026, 10, 31),
    "java25": date(2029, 6, 30),
    "java21": date(2029, 6, 30),
    "java17": date(2027, 6, 30),
    "java11": date(2027, 6, 30),
    "java8.al2": date(2027, 6, 30),
    "dotnet10": date(2028, 11, 14),
    "dotnet8": date(2026, 11, 10),
    "ruby3.4": date(2028, 3, 31),
    "ruby3.3": date(2027, 3, 31),
    "ruby3.2": date(2026, 3, 31),
    "provided.al2023": date(2029, 6, 30),
    "provided.al2": date(2026, 7, 31),
}
"""The page's table of supported runtimes."""


def deprecated(runtime: str, today: date) -> bool | None:
    """Whether AWS has deprecated a runtime; None for one that the page did not have. Empty: a container image."""
    if not runtime:
        return False
    if runtime in DEPRECATED_ON:
        return DEPRECATED_ON[runtime] < today
    return True if runtime in GONE else None


GONE = frozenset(
    {
        "dotnet5.0",
        "dotnet6",
        "dotnet7",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "go1.x",
        "java8",
        "nodejs",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "nodejs16.x",
        "nodejs18.x",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "provided",
        "python2.7",
        "python3.6",
        "python3.7",
        "python3.8",
        "python3.9",
        "ruby2.5",
        "ruby2.7",
    }
)
"""The page's table of deprecated runtimes."""
