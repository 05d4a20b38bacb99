"""Which variants break which law, and why; `tests/test_laws*.py` show that each does."""

# What breaks a law: variants with all their styles, or single styles and forms.
NOTHING = {}
COUPLED = {
    "adafactor": "row and column means, and the root mean square of the leaf",
    "c_adamw": "moves the further, the less of the leaf moves",
    "c_lion": "moves the further, the less of the leaf moves",
    "mars_adamw": "the norm of a matrix, which no other leaf has taken of it",
    "mars_lion": "the norm of a matrix, which no other leaf has taken of it",
    "muon": "makes a matrix orthogonal",
    "soap": "turns a matrix",
    "grokadamw": "clips a leaf by its norm, and knows its position",
    "apollo": "one length, and one product with the last step, for the whole leaf",
    "amos": "the expected scale of a leaf depends on its shape",
    "lamb": "norms of the leaf",
    "novograd": "the norm of the gradient of the leaf",
    "stable_adamw": "the root mean square of the leaf",
    "came": "row and column means, and the root mean square of the leaf",
    "adam_mini": "one v for many elements",
    "adamp": "the angle between a whole leaf and its gradient",
    "sgdp": "the angle between a whole leaf and its gradient",
    "adashift": "the largest square of the leaf",
}
NOT_ODD = {
    "amos": "decays by itself",
}
WITH_UNITS = {
    "mars_adamw": "no corrected gradient is longer than 1",
    "mars_lion": "no corrected gradient is longer than 1",
    "grokadamw": "no gradient of a leaf is longer than 1",
    "soap": "any eigenvectors will do in a null space, and a scale chooses among them",
    "adabelief-author": "momentum, in the units of the gradient, until s can be trusted",
    "sgd": "the step has the units of the gradient",
    "adadelta": "ε gives the step its units; without it there is none",
    "radam-torch": "momentum, in the units of the gradient, until v can be trusted",
    "radam-optax": "the same",
    "adabound": "the bounds are numbers without units, their product with m is not",
    "amsbound": "the same",
    "padam": "the denominator is raised to another power",
    "diffgrad": "the change of the gradient goes through a sigmoid",
    "acprop": "the first step is the gradient",
    "sophia": "a gradient over a curvature",
    "madgrad": "under a cube root",
    "adamg": "the step size is a power of v",
    "apollo": "a gradient over a curvature, and a least curvature",
    "sgdp": "the step has the units of the gradient",
    "adai": "the step has the units of the gradient",
}
# Of those coupled, what yet has no units element by element.
UNITLESS_ALL_THE_SAME = {"c_adamw", "c_lion", "amos", "lamb", "stable_adamw"}
WITH_UNITS_OF_ITS_ELEMENTS = {
    **WITH_UNITS,
    **{label: why for label, why in COUPLED.items() if label not in UNITLESS_ALL_THE_SAME},
}
BOUNDED_ALL_THE_SAME = {"soap", "mars_adamw", "mars_lion", "diffgrad", "sophia"}
UNBOUNDED = {
    **{label: why for label, why in WITH_UNITS.items() if label not in BOUNDED_ALL_THE_SAME},
    "adabelief-paper": "the surprise of a constant gradient goes to 0",
    "adabelief-amsgrad": "the largest surprise stays, its weight grows",
    "rmsprop-centered": "the variance of a constant gradient goes to 0",
    "rmsprop-momentum": "a sum of normalised steps",
    "adafactor": "proportional to the parameter, and v is made of means",
    "lamb": "proportional to the parameter",
    "came": "the distance of a constant update from its average goes to 0",
    "adam_mini": "v is made of means",
    "adashift": "divides by what it does not know",
    "adamp": "taking the mean out makes some elements longer",
}
# Settings at which it shows, where the usual ones hide it.
REVEALING = {
    ("has_no_units", "adadelta"): {"eps": 1e-6},
    ("is_bounded", "adadelta"): {"eps": 1e6},
    ("is_bounded", "adafactor"): {"size": 100.0, "momentum": 0.0},
    ("is_bounded", "lamb"): {"size": 100.0},
    ("is_concatenation", "adamp"): {"delta": 1e9},
    ("is_concatenation", "sgdp"): {"delta": 1e9},
    ("has_no_units", "adamp"): {"delta": 1.0},
    ("is_bounded", "adamp"): {"delta": 1.0},
}

# With ε = 0 and a constant gradient, u is its sign: all averages are free of their bias.
NOT_ITS_SIGN = {
    "c_lion-author": "counts one element more than move",
    "mars_adamw-author": "compares the first gradient with 0",
    "soap--": "does not move at first",
    "grokadamw--": "corrects all averages alike, and later leaves have shorter ones",
    "muon-author": "makes matrices orthogonal",
    "muon-optax": "makes matrices orthogonal",
    "muon-keras": "makes matrices orthogonal",
    "adam-mlx": "has no bias correction",
    "amsgrad-paper": "has no bias correction",
    "radam-torch": "is momentum until v can be trusted",
    "radam-optax": "is momentum until v can be trusted",
    "radam-author": "does not move until v can be trusted",
    "yogi-tensorflow": "moves v by shares of g², which add up to no average",
    "yogi-optax": "moves v by shares of g², which add up to no average",
    "adabelief-author": "is momentum until s can be trusted",
    "adabelief-paper": "divides by the surprise, of which there is little",
    "adabelief-amsgrad": "divides by the largest surprise",
    "adam_atan2--": "is an angle",
    "adabound--": "has bounds",
    "amsbound--": "has bounds",
    "nadam-torch": "corrects m by another product than that of b1",
    "nadam-keras": "corrects m by another product than that of b1",
    "nadam-optax": "corrects m by a product that holds for a constant b1 alone",
    "nadam-mlcommons": "adds the gradient in a share that holds for a constant b1 alone",
    "padam-author": "is no quotient of like powers",
    "padam-pytorch_optimizer": "is no quotient of like powers",
    "adamod--": "averages its step sizes from zero",
    "diffgrad--": "halves its step where the gradient stays",
    "acprop-author": "is the gradient first, and divides by what it does not know",
    "acprop-optax": "is the gradient first, and divides by what it does not know",
    "adopt--": "does not move at first, and has no bias correction",
    "ademamix-author": "adds a long average that is not corrected",
    "ademamix-optax": "adds a long average that is not corrected",
    "simplified_ademamix--": "sums up gradients",
    "adamg--": "carries a step size",
    "apollo--": "is a quasi-Newton step",
    "lamb-paper": "is as long as the parameter",
    "lamb-torch_optimizer": "is as long as the parameter",
    "novograd-paper": "sums up gradients over norms",
    "novograd-tensorflow": "sums up gradients over norms",
    "novograd-openseq2seq": "sums up gradients over norms",
    "came--": "divides by a distance, of which there is little",
}
# Whose decay is not added to each step: it moves a point of which the parameters follow an average,
# or starts at the second step.
NOT_ADDED = {"schedule_free_adamw", "schedule_free_radam", "schedule_free_sgd", "soap"}
# Whose steps change in size with v at a constant learning rate, and their decay with them.
RATE_MOVES = {"schedule_free_radam"}
# What mu is where it is not the average with b1 of the gradients.
NOT_AN_AVERAGE_OF_GRADIENTS = {
    "laprop-author": "of gradients over their size",
    "laprop-paper": "of gradients over their size",
    "lion--": "with b2",
    "soap--": "in another basis",
    "grokadamw--": "of gradients that have their average added",
    "c_lion-author": "with b2",
    "c_lion-timm": "with b2",
    "grokfast_adamw--": "of gradients that have their average added",
    "mars_adamw-author": "of corrected gradients",
    "mars_adamw-timm": "of corrected gradients",
    "mars_lion--": "of corrected gradients",
    "adopt--": "of gradients over their size",
    "simplified_ademamix--": "their sum",
    "adamg--": "of gradients that carry a step size",
    "apollo--": "which is free of its bias already",
    "novograd-paper": "a sum of gradients over norms",
    "novograd-tensorflow": "a sum of gradients over norms",
    "novograd-openseq2seq": "a sum of gradients over norms",
    "came--": "of gradients over their size",
}
# What a step on CPU does not do in one loop over a leaf.
LOOPS_OF_ITS_OWN = "what stands in front of Adam or around it has a loop of its own"
SEVERAL_LOOPS = {
    "adafactor": "means of rows and columns",
    "adai": "the mean of the whole tree",
    "adam_mini": "means of squares",
    "adashift": "a window, and the largest element of the leaf",
    "apollo": "a length and a product of the whole leaf",
    "c_adamw": "the share of the leaf that moves",
    "c_lion": "the share of the leaf that moves",
    "came": "means of rows and columns",
    "dadapt_adam": "sums over all leaves",
    "focus": "XLA computes the average of the parameters twice",
    "grokadamw": "a norm of the leaf",
    "grokfast_adamw": LOOPS_OF_ITS_OWN,
    "lamb": "norms of the leaf",
    "lookahead_adam": LOOPS_OF_ITS_OWN,
    "novograd": "a norm of the leaf",
    "prodigy": "sums over all leaves",
    "ranger": LOOPS_OF_ITS_OWN,
    "schedule_free_adamw": LOOPS_OF_ITS_OWN,
    "schedule_free_radam": LOOPS_OF_ITS_OWN,
    "schedule_free_sgd": LOOPS_OF_ITS_OWN,
    "sgdp": "the angle between a leaf and its gradient",
    "soap": "products of matrices",
    "sophia": "copies the curvature, where there is no estimate",
    "stable_adamw": "a root mean square of the leaf",
}
# Of which an L2 term in the gradient of one leaf moves the others, too.
L2_OF_OTHER_LEAVES = {
    "adai": "the mean of all squares",
}
