"""Of Sophia."""

EQUIVALENT = {
    "matters for averages below it alone, on which test_the_least_denominator looks": {
        "sophia-scale_by_sophia: 1e-15 -> 1.5000000000000001e-15",
        "sophia-sophia: 1e-15 -> 1.5000000000000001e-15",
    },
}
