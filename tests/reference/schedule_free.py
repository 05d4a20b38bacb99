"""The reader of Schedule-Free."""

from tests.reference import betas, reads


@reads("schedule_free_adamw", "schedule_free")
def schedule_free(given):
    base = given.pop("base")
    styles = {
        ("author",): "author",
        ("paper",): "paper",
        ("uniform",): "keras",
        ("lagged",): "optax",
    }
    style = given.choose(styles, "style")
    given.choose({("at_y",): None}, "decay")
    given["decay"] = "decoupled"
    own = {key: given.pop(key) for key in ("eps", "warmup_steps", "weight_lr_power", "r")}
    arguments = betas(given) | own
    if base == "adam":
        return arguments | {"style": style}
    unused = {"sgd": ("b2", "eps"), "radam": ("warmup_steps",)}[base]
    if base == "radam" and arguments["warmup_steps"]:
        raise ValueError("schedule_free: RAdam has no warm-up of its own")
    kept = {key: value for key, value in arguments.items() if key not in unused}
    return kept | {"name": f"schedule_free_{base}"}
