"""Decoupled Weight Decay Regularization. Loshchilov and Hutter, 2017. arXiv:1711.05101.

Adam with decoupled weight decay. Unlike an L2 term of the gradient, it is not divided by √v.

    u = m̂ / (√v̂ + ε) + λ p
"""

from adamjax.registry import Paper, Reduction, register
from adamjax.variants.adam import STYLES, scale_by_adam

ADAMW = register(
    scale_by_adam,
    Paper(
        "Decoupled Weight Decay Regularization",
        "Loshchilov, Ilya and Hutter, Frank",
        2017,
        "International Conference on Learning Representations, 2019",
        arxiv="1711.05101",
    ),
    name="adamw",
    module=__name__,
    summary="Adam with decoupled weight decay",
    learning_rate=1e-3,
    weight_decay=1e-2,
    styles=STYLES,
    reduces_to=(Reduction({"weight_decay": 0.0}, "adam", {}),),
)
adamw = ADAMW.optimizer
