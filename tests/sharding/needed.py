"""Communication that the shards of a parameter need. Other variants need none."""

# By variant: how many sums and maxima, of the leaves of `plans.PARAMS` divided by rows, and why.
# A norm that cannot overflow is two: the largest element, then the sum of squares.
REDUCED = {
    "adafactor": (8, "means of columns, and root mean squares of parameter and direction"),
    "adai": (3, "the mean of the whole tree"),
    "adam_mini": (2, "means of squares"),
    "adamp": (32, "norms and cosines of rows and of leaves, for direction and for decay"),
    "adashift": (3, "the largest element of the leaf"),
    "apollo": (12, "a length and a product of the whole leaf"),
    "c_adamw": (3, "the share of the leaf that moves"),
    "c_lion": (3, "the share of the leaf that moves"),
    "came": (7, "means of columns, and root mean squares"),
    "dadapt_adam": (6, "sums over all leaves"),
    "grokadamw": (6, "norms of leaves"),
    "lamb": (12, "norms of the leaf and of its direction"),
    "mars_adamw": (2, "norms of matrices"),
    "mars_lion": (2, "norms of matrices"),
    "novograd": (3, "norms of leaves"),
    "prodigy": (6, "sums over all leaves"),
    "ranger": (2, "means over the inputs of each neuron"),
    "sgdp": (32, "norms and cosines of rows and of leaves, for direction and for decay"),
    "stable_adamw": (3, "root mean squares of leaves"),
}
# The compiler chooses the transfers of matrix products, so tests limit their size alone.
POLAR = ("adamuon", "muon", "muown", "normuon", "scion")
MATRICES = {
    **dict.fromkeys(POLAR, "powers of a momentum's Gram matrix"),
    **dict.fromkeys(("kl_shampoo", "kl_soap", "soap"), "eigenvectors of both sides"),
}
