"""Amos, of which a matrix keeps a mean for each column, a vector one mean."""

from tests.reference import reads


def mean_of_each_column(shape):
    return (1, *shape[1:])


@reads("amos", "amos")
def amos(given):
    given.choose({(0.0,): None}, "extra_l2")
    scales = {1: given.pop("eta_vector"), 2: given.pop("eta_matrix")}
    own = {key: given.pop(key) for key in ("c", "d")}
    return own | {
        "b2": given.pop("beta"),
        "eta_fn": _ByAxes(tuple(scales.items())),
        "shape_fn": mean_of_each_column,
    }


class _ByAxes(tuple):
    """A function of the shape, equal to another one with the same values."""

    def __call__(self, shape):
        return dict(self)[len(shape)]
