"""The reader of Tiger."""

from tests.reference import reads


@reads("tiger", "tiger")
def tiger(given):
    return {"b1": given.pop("beta")}
