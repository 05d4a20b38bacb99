"""Sophia-G."""

from tests.reference import betas, reads


@reads("sophia", "sophia")
def sophia(given):
    fed = {"hessian_every": given.pop("hessian_every"), "hessian_share": given.pop("batch_size")}
    return betas(given) | fed | {"rho": given.pop("rho")}
