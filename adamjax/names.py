"""Public names of the variants. A variant is imported when one of its names is first used.

An import of all of them takes as long as that of the rest of adamjax.
"""

import importlib
from typing import Any

# The names by the file in `adamjax/variants`.
FILES = {
    "acprop": "acprop scale_by_acprop",
    "adabelief": "adabelief scale_by_adabelief",
    "adabound": "adabound amsbound scale_by_adabound scale_by_amsbound",
    "adadelta": "adadelta scale_by_adadelta",
    "adafactor": "adafactor scale_by_adafactor",
    "adagrad": "adagrad scale_by_adagrad",
    "adai": "adai scale_by_adai",
    "adam": "adam scale_by_adam",
    "adam_atan2": "adam_atan2 scale_by_adam_atan2",
    "adam_mini": "adam_mini scale_by_adam_mini",
    "adamax": "adamax adamaxw scale_by_adamax",
    "adamc": "adamc",
    "adamg": "adamg scale_by_adamg",
    "adamod": "adamod scale_by_adamod",
    "adamp": "adamp scale_by_adamp",
    "adamuon": "adamuon scale_by_adamuon",
    "adamw": "adamw",
    "adan": "adan scale_by_adan",
    "adashift": "adashift scale_by_adashift",
    "ademamix": "ademamix scale_by_ademamix",
    "adopt": "adopt scale_by_adopt",
    "amos": "amos scale_by_amos",
    "amsgrad": "amsgrad scale_by_amsgrad",
    "ano": "ano scale_by_ano",
    "apollo": "apollo scale_by_apollo",
    "c_adamw": "c_adamw scale_by_c_adamw",
    "c_lion": "c_lion scale_by_c_lion",
    "came": "came scale_by_came",
    "dadapt_adam": "dadapt_adam",
    "diffgrad": "diffgrad scale_by_diffgrad",
    "focus": "focus scale_by_focus",
    "grams": "grams scale_by_grams",
    "grokadamw": "grokadamw scale_by_grokadamw",
    "grokfast_adamw": "grokfast_adamw scale_by_grokfast_adamw",
    "kl_shampoo": "kl_shampoo scale_by_kl_shampoo",
    "kl_soap": "kl_soap scale_by_kl_soap",
    "lamb": "lamb scale_by_lamb",
    "laprop": "laprop scale_by_laprop",
    "lion": "lion scale_by_lion",
    "lookahead_adam": "lookahead_adam",
    "madgrad": "madgrad scale_by_madgrad",
    "mars_adamw": "mars_adamw mars_lion scale_by_mars_adamw scale_by_mars_lion",
    "muon": "muon scale_by_muon",
    "muown": "muown scale_by_muown",
    "nadam": "nadam nadamw scale_by_nadam",
    "normuon": "normuon scale_by_normuon",
    "novograd": "novograd scale_by_novograd",
    "padam": "padam scale_by_padam",
    "prodigy": "prodigy",
    "qhadam": "qhadam scale_by_qhadam",
    "radam": "radam scale_by_radam",
    "ranger": "ranger",
    "rmsprop": "rmsprop scale_by_rmsprop",
    "schedule_free_adamw": "schedule_free_adamw",
    "schedule_free_radam": "schedule_free_radam",
    "schedule_free_sgd": "schedule_free_sgd",
    "scion": "scion scale_by_scion",
    "sgd": "sgd scale_by_sgd",
    "sgdp": "sgdp scale_by_sgdp",
    "simplified_ademamix": "simplified_ademamix scale_by_simplified_ademamix",
    "soap": "soap scale_by_soap",
    "sophia": "sophia scale_by_sophia",
    "stable_adamw": "stable_adamw scale_by_stable_adamw",
    "tiger": "tiger scale_by_tiger",
    "yogi": "yogi scale_by_yogi",
}
FILE_OF = {name: file for file, names in FILES.items() for name in names.split()}


def load(file: str) -> Any:
    """Import a file of `adamjax/variants`, which registers its variants."""
    return importlib.import_module(f"adamjax.variants.{file}")
