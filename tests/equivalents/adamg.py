"""Of AdamG."""

EQUIVALENT = {
    "1/√t, of which it is the cap, is 1 at most": {
        "adamg-adamg: 1.0 -> 1.5",
    },
}
