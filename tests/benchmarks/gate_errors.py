"""How often the gate lets a challenger pass whose true quality is known: the share of simulated trials.

Hits of two models are drawn for so many users, with the rates and the agreement that the table names, and the
whole gate judges. Settings are those of conf/base.yaml, the metric is hr@10:

    python tests/benchmarks/gate_errors.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from promote.simulated import GATE, share_passed, users_it_takes

SIZES = (20, 100, 1_000, 10_000)
# What it is, hit rates of the challenger and of its opponent, and of both on the same user.
PAIRS = [
    ("a third worse", 0.08, 0.12, 0.05),
    ("5 % worse", 0.114, 0.12, 0.10),
    ("equal", 0.12, 0.12, 0.10),
    ("5 % better", 0.126, 0.12, 0.10),
    ("5 % better, at a higher rate", 0.42, 0.40, 0.36),
    ("a half better", 0.18, 0.12, 0.10),
]
CASES = {
    "no champion, against counting": {"first": True, "fresher": False},
    "champion of the same data": {"first": False, "fresher": False},
    "champion of older data": {"first": False, "fresher": True},
}


@click.command()
@click.option("--trials", default=2000, show_default=True)
def main(trials: int) -> None:
    """Print one table for each case."""
    asked = f"{GATE.difference:.0%}, power {GATE.power}, false promotions {GATE.false_promotions}"
    print(f"asked: {asked}; {trials} trials")
    for title, case in CASES.items():
        print(f"\n| {title} | {' | '.join(f'{size:,} users' for size in SIZES)} |")
        print("| --- " * (len(SIZES) + 1) + "|")
        for name, own, other, both in PAIRS:
            shares = [share_passed(size, own, other, both, trials=trials, **case) for size in SIZES]
            print(
                f"| {name} ({own:g} against {other:g}) | {' | '.join(f'{share:.1%}' for share in shares)} |"
            )
    print("\n| just as many users as it takes | users |", *(f"{title} |" for title in CASES))
    print("| --- | --- " + "| --- " * len(CASES) + "|")
    for name, own, other, both in PAIRS[2:5]:
        users = users_it_takes(own, other, both)
        shares = [share_passed(users, own, other, both, trials=trials, **case) for case in CASES.values()]
        print(f"| {name} | {users:,} | {' | '.join(f'{share:.1%}' for share in shares)} |")


if __name__ == "__main__":
    main()
