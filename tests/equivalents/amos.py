"""Of Amos."""

EQUIVALENT = {
    "an axis of size 1 has the same means either way, and an empty leaf has no numbers": {
        "amos-expected_scale: max(1, math.prod(shape[:-1])) -> math.prod(shape[:-1])",
    },
    "matters for squares below it alone, on which test_the_least_second_moment_of_amos looks": {
        "amos-scale_by_amos: 2 ** (-125) -> 3 ** (-125)",
        "amos-scale_by_amos: 125 -> 126",
        "amos-amos: 2 ** (-125) -> 3 ** (-125)",
        "amos-amos: 125 -> 126",
    },
}
