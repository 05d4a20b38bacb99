"""Writes docs/pictures: `python -m scripts.concepts`, or with names only these."""

import argparse
from pathlib import Path

from scripts.concepts import paths

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PARTS = {"paths": paths.write}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    FOLDER.mkdir(exist_ok=True)
    for name in options.parse_args().parts or PARTS:
        PARTS[name](FOLDER)


if __name__ == "__main__":
    main()
