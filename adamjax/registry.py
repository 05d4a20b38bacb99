"""The records of the variants, and how to find and make one by name."""

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamjax.checks import pick
from adamjax.storage.roles import roles_in


class Paper(NamedTuple):
    """Where a variant was published.

    Attributes:
      authors: as BibTeX wants them, joined by " and ".
      venue: conference, journal or whatever it is; empty for a preprint.
      arxiv: the identifier, such as "1412.6980"; empty if there is none.
      url: where to read it, if not on arXiv.
    """

    title: str
    authors: str
    year: int
    venue: str = ""
    arxiv: str = ""
    url: str = ""

    def short(self) -> str:
        """Authors and year as a text cites them.

        >>> Paper("T", "Kingma, Diederik P. and Ba, Jimmy", 2014).short()
        'Kingma and Ba, 2014'
        """
        names = [author.split(",")[0] for author in self.authors.split(" and ")]
        if len(names) > 3:
            return f"{names[0]} et al., {self.year}"
        return f"{' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}, {self.year}"

    def link(self) -> str:
        """The address of the paper.

        >>> Paper("T", "A. Author", 2014, arxiv="1412.6980").link()
        'https://arxiv.org/abs/1412.6980'
        """
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else self.url

    def bibtex(self, key: str) -> str:
        r"""A BibTeX entry under this key.

        >>> print(Paper("Adam", "Kingma, Diederik", 2014, arxiv="1412.6980").bibtex("adam"))
        @misc{adam,
          title = {{Adam}},
          author = {Kingma, Diederik},
          year = {2014},
          eprint = {1412.6980},
          archivePrefix = {arXiv},
          url = {https://arxiv.org/abs/1412.6980},
        }
        """
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
    """A setting at which a variant equals another one: `variant(**at) = other(**gives)`."""

    at: Mapping[str, Any]
    other: str
    gives: Mapping[str, Any]


class Variant(NamedTuple):
    """All that the library knows of a variant besides its code.

    Attributes:
      name: its name here; `adamjax.<name>` is the ready-made optimizer.
      make: that optimizer, a function of the learning rate and keyword arguments.
      direction: the matching `scale_by_*`; None where the rule is more than a direction, such as a
        second copy of the parameters.
      paper: where it comes from.
      changes: one sentence: what it changes against Adam (or, for an ancestor, what it lacks).
      formula: the update in readable Unicode, p <- p - lr u.
      slots: the names of the moments kept for each parameter at default settings; `roles` says
        what each of them is.
      styles: for each `style=`, who computes it like that and what it means; the first is default.
      reduces_to: settings at which it equals another variant; each is tested.
      static: arguments that set the shape of the computation; `optax.inject_hyperparams` needs
        them as `static_args`.
    """

    name: str
    make: Callable[..., optax.GradientTransformationExtraArgs]
    direction: Callable[..., optax.GradientTransformationExtraArgs] | None
    paper: Paper
    changes: str
    formula: str
    slots: tuple[str, ...] = ("mu", "nu")
    styles: Mapping[str, str] = {}
    reduces_to: tuple[Reduction, ...] = ()
    static: tuple[str, ...] = ()

    @property
    def roles(self) -> dict[str, str]:
        """What each slot is at default settings, which says what code is sound for it.

        "mean", "square", "maximum" or "signed", see `adamjax.storage.roles`; of the state that
        `make` makes. A slot that is not here stays as it is in every storage format.

        >>> import adamjax
        >>> adamjax.get_variant("adamw").roles
        {'mu': 'mean', 'nu': 'square'}
        """
        tx = self.make(learning_rate=0.1)
        return roles_in(jax.eval_shape(tx.init, jax.ShapeDtypeStruct((2, 2), jnp.float32)))


_VARIANTS: dict[str, Variant] = {}


def register(variant: Variant) -> Variant:
    """Makes a variant known to `create`, `list_variants` and the command line, and returns it.

    Raises:
      ValueError: if another variant has the name.
    """
    if variant.name in _VARIANTS:
        raise ValueError(f"name: there is already a variant {variant.name!r}")
    _VARIANTS[variant.name] = variant
    return variant


def list_variants(pattern: str = "*") -> list[str]:
    """The names of the known variants that match a glob, sorted.

    >>> import adamjax
    >>> adamjax.list_variants("adam*w")
    ['adamaxw', 'adamw']
    """
    return sorted(fnmatch.filter(_VARIANTS, pattern))


def get_variant(name: str) -> Variant:
    """The record of a variant.

    Raises:
      ValueError: for an unknown name, with the nearest ones.

    >>> import adamjax
    >>> adamjax.get_variant("adam").paper.year
    2014
    """
    return pick("variant", name, _VARIANTS)


def create(name: str, **arguments: Any) -> optax.GradientTransformationExtraArgs:
    """A ready-made optimizer by name, `adamjax.<name>(**arguments)`.

    Raises:
      ValueError: for an unknown name, with the nearest ones.
      TypeError: for an argument that the variant does not have.

    >>> import adamjax
    >>> tx = adamjax.create("adamw", learning_rate=1e-3, weight_decay=0.1)
    """
    return get_variant(name).make(**arguments)
