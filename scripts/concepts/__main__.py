"""Writes docs/pictures: `python -m scripts.concepts`, or with names only these."""

import argparse
from pathlib import Path

import jax

from scripts.concepts import drawings, paths

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PARTS = {
    "paths": paths.write,
    "storage": drawings.storage,
    "rounding": drawings.rounding,
    "layouts": drawings.layouts,
    "sharding": drawings.sharding,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    jax.config.update("jax_num_cpu_devices", 8)
    FOLDER.mkdir(exist_ok=True)
    for name in options.parse_args().parts or PARTS:
        PARTS[name](FOLDER)


if __name__ == "__main__":
    main()
