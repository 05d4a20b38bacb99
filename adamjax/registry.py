"""Records of the variants: declare, look up, and create optimizers by name."""

import fnmatch
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.arguments import is_static, plain_default
from adamjax.checks import lookup_or_suggest
from adamjax.derive import ready_made, section
from adamjax.names import FILE_OF, FILES, load
from adamjax.storage.roles import roles_in


class Paper(NamedTuple):
    """Publication of a variant.

    Attributes:
      title: title of the paper.
      authors: authors in BibTeX form, joined by " and ".
      year: year of publication.
      venue: conference or journal. Empty for a preprint.
      arxiv: arXiv identifier such as "1412.6980". Empty if there is none.
      url: address of a paper that is not on arXiv.
    """

    title: str
    authors: str
    year: int
    venue: str = ""
    arxiv: str = ""
    url: str = ""

    def short(self) -> str:
        """Return authors and year for a citation in a text."""
        names = [author.split(",")[0] for author in self.authors.split(" and ")]
        if len(names) > 3:
            return f"{names[0]} et al., {self.year}"
        return f"{' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}, {self.year}"

    def link(self) -> str:
        """Return the address of the paper."""
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else self.url

    def bibtex(self, key: str) -> str:
        """Return a BibTeX entry with this key."""
        fields = {
            "title": f"{{{self.title}}}",
            "author": self.authors,
            "year": str(self.year),
            "howpublished": self.venue,
            "eprint": self.arxiv,
            "archivePrefix": "arXiv" if self.arxiv else "",
            "url": self.link(),
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{key},", *lines, "}"])


class Reduction(NamedTuple):
    """Setting at which `variant(**at)` equals another variant, `other(**arguments)`."""

    at: Mapping[str, Any]
    other: str
    arguments: Mapping[str, Any]


class Variant(NamedTuple):
    """Record of a variant.

    Attributes:
      name: name of the variant. `adamjax.<name>` is the ready-made optimizer.
      optimizer: the ready-made optimizer, a function of the learning rate and other arguments.
      scale_by: the matching `scale_by_*`. None if the rule is more than an update of one array,
        such as a second copy of the parameters.
      paper: the publication.
      summary: the difference from Adam in one phrase.
      formula: the update in readable Unicode, one line for each statement.
      styles: description of each value of `style`. The first is the default.
      reduces_to: settings at which the variant equals another one. Each is tested.
    """

    name: str
    optimizer: Callable[..., optax.GradientTransformationExtraArgs]
    scale_by: Callable[..., optax.GradientTransformationExtraArgs] | None
    paper: Paper
    summary: str
    formula: str
    styles: Mapping[str, str] = {}
    reduces_to: tuple[Reduction, ...] = ()

    @property
    def roles(self) -> dict[str, str]:
        """Role of each moment at default settings, see `adamjax.storage.roles`.

        A slot without a role keeps its dtype in every storage format.

        >>> import adamjax
        >>> adamjax.get_variant("adamw").roles
        {'mu': 'mean', 'nu': 'square'}
        """
        return roles_in(self._state())

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the moments of a parameter at default settings.

        >>> import adamjax
        >>> adamjax.get_variant("lion").slots
        ('mu',)
        """
        paths = [path for path, x in jax.tree_util.tree_leaves_with_path(self._state()) if x.ndim]
        keys = [[k.name for k in p if isinstance(k, jax.tree_util.GetAttrKey)] for p in paths]
        return tuple(dict.fromkeys(names[-1] for names in keys))

    @property
    def static(self) -> tuple[str, ...]:
        """Arguments that fix the program, for `static_args` of `optax.inject_hyperparams` if given.

        >>> import adamjax
        >>> adamjax.get_variant("soap").static
        ('precondition_frequency', 'max_size', 'layouts')
        """
        parameters = inspect.signature(self.optimizer).parameters
        return tuple(name for name, parameter in parameters.items() if is_static(parameter))

    @property
    def defaults(self) -> dict[str, Any]:
        """Default of each argument.

        >>> import adamjax
        >>> adamjax.get_variant("soap").defaults["precondition_frequency"]
        10
        """
        parameters = inspect.signature(self.optimizer).parameters
        return {name: plain_default(parameter) for name, parameter in parameters.items()}

    def _state(self) -> Any:
        tx = self.optimizer(learning_rate=0.1)
        return jax.eval_shape(tx.init, jax.ShapeDtypeStruct((2, 2), jnp.float32))


_VARIANTS: dict[str, Variant] = {}


def register(
    source: Callable[..., Any],
    paper: Paper,
    *,
    summary: str,
    learning_rate: Any,
    name: str | None = None,
    module: str | None = None,
    notes: str = "",
    formula: str | None = None,
    weight_decay: Any = None,
    decay_mode: str = "decoupled",
    styles: Mapping[str, str] | None = None,
    reduces_to: tuple[Reduction, ...] = (),
    **derivation: Any,
) -> Variant:
    """Declare a variant and derive its ready-made optimizer.

    Args:
      source: `scale_by_<name>`; or, for more than a rule, a function from a learning rate and other
        arguments to an optimizer, which takes `**options` of `adamjax.optimizer`.
      paper: the publication.
      summary: the difference from Adam in one phrase.
      learning_rate: default of the learning rate.
      name: name of the variant. None is the name of `source` without `scale_by_`.
      module: name of the module that declares the variant. None is that of `source`.
      notes: advice for users, as a paragraph of the docstring.
      formula: the update. None is the indented part of the module's docstring.
      weight_decay: default of the weight decay.
      decay_mode: default of the decay mode.
      styles: description of each value of `style`.
      reduces_to: settings at which the variant equals another one.
      **derivation: `own_modes`, `adjust`, `hidden` and `includes_learning_rate`, see
        `adamjax.derive.ready_made`.

    Returns:
      The record.

    Raises:
      ValueError: if another variant has the name.
    """
    name = name or source.__name__.removeprefix("scale_by_").strip("_")
    module = module or source.__module__
    file = module.rpartition(".")[2]
    if name in _VARIANTS or FILE_OF.get(name, file) != file:
        raise ValueError(f"name: there is already a variant {name!r}")
    scale_by = source if source.__name__.startswith("scale_by_") else None
    formula = formula or _formula_in(sys.modules[module].__doc__ or "")
    defaults = {"learning_rate": learning_rate, "weight_decay": weight_decay}
    derivation |= {"defaults": {**defaults, "decay_mode": decay_mode}, "styles": styles}
    optimizer = ready_made(source, name=name, module=module, **derivation)
    _VARIANTS[name] = variant = Variant(
        name, optimizer, scale_by, paper, summary, formula, styles or {}, reduces_to
    )
    optimizer.__doc__ = _docstring(variant, notes, source, learning_rate)
    return variant


def _formula_in(docstring: str) -> str:
    """Return the indented lines of a docstring."""
    lines = [line[4:] for line in docstring.splitlines() if line.startswith("    ")]
    return "\n".join(lines)


def _docstring(variant: Variant, notes: str, source: Callable[..., Any], rate: Any) -> str:
    formula = variant.formula.replace("\n", "\n    ")
    raises = "\n  ".join(["", *section(source.__doc__, "Raises").splitlines()])
    example = (
        f">>> import adamjax, jax.numpy as jnp\n>>> tx = adamjax.{variant.name}"
        f"(learning_rate={rate!r})\n>>> params = {{'w': jnp.ones((2, 2))}}\n"
        ">>> updates, state = tx.update(params, tx.init(params), params)"
    )
    parts = [
        f"Create the {variant.name} optimizer: {variant.summary}.",
        f"    {formula}",
        *(textwrap.fill(paragraph, 96) for paragraph in notes.split("\n\n")),
        variant.optimizer.__doc__,
        "Returns:\n  An optimizer, see `adamjax.optimizer`.",
        f"Raises:{raises}" if raises else "",
        example,
        textwrap.fill(
            f"{variant.paper.short()}. {variant.paper.title}. {variant.paper.link()}", 96
        ),
    ]
    return "\n\n".join(filter(None, parts))


@functools.cache
def _records() -> dict[str, Variant]:
    """Return the records of all variants. Each is registered when its file is imported."""
    for file in FILES:
        load(file)
    return _VARIANTS


def list_variants(pattern: str = "*") -> list[str]:
    """List the names of the variants that match a glob pattern, sorted.

    Args:
      pattern: a glob such as "adam*".

    >>> import adamjax
    >>> adamjax.list_variants("adam*w")
    ['adamaxw', 'adamw']
    """
    return sorted(fnmatch.filter(_records(), pattern))


def get_variant(name: str) -> Variant:
    """Look up the record of a variant.

    Args:
      name: name of the variant in upper or lower case.

    Raises:
      ValueError: for an unknown name. The message suggests similar names.

    >>> import adamjax
    >>> adamjax.get_variant("adam").paper.year
    2014
    """
    return lookup_or_suggest("variant", name, _records(), ignore_case=True)


def optimizer_function(make: Callable[..., Any] | str) -> Callable[..., Any]:
    """Return the function that makes an optimizer, by the name of a variant or as it is.

    Raises:
      TypeError: for anything else, such as an optimizer.
      ValueError: for an unknown name.
    """
    if isinstance(make, str):
        return get_variant(make).optimizer
    if not callable(make):
        raise TypeError(
            "make must be a function that returns an optimizer, such as adamjax.adamw without a "
            f"call, or the name of a variant, got a {type(make).__name__}"
        )
    return make


def create(name: str, **arguments: Any) -> optax.GradientTransformationExtraArgs:
    """Create a ready-made optimizer by name, `adamjax.<name>(**arguments)`.

    Args:
      name: name of the variant in upper or lower case.
      **arguments: arguments of the optimizer.

    Raises:
      ValueError: for an unknown name. The message suggests similar names.
      TypeError: for an argument that the variant does not have.

    >>> import adamjax
    >>> tx = adamjax.create("AdamW", learning_rate=1e-3, weight_decay=0.1)
    """
    return get_variant(name).optimizer(**arguments)
