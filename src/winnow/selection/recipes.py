"""Names of subsets that are trained by a recipe (retrain.recipes), and of what is compared."""

from collections.abc import Iterable, Mapping

SIGN = "+"  # in no method's name


def by_recipe(method: str, recipe: str) -> str:
    """The name, in tables, of a method whose subsets a recipe trains: el2n+kd. Without a recipe, the method's own."""
    return f"{method}{SIGN}{recipe}" if recipe else method


def parts(name: str) -> tuple[str, str]:
    """The method and the recipe of a name of ``by_recipe``; "" if it has none."""
    method, _, recipe = name.partition(SIGN)
    return method, recipe


def with_recipes(
    subsets: Mapping[str, tuple[str, float | int]], recipes: Iterable[str]
) -> dict[str, tuple[str, float | int]]:
    """The same for the items METHOD-KEEP-RECIPE: the name in tables (``by_recipe``) and keep. subsets: by item
    METHOD-KEEP, method and keep."""
    every = list(recipes)
    return {
        f"{item}-{one}": (by_recipe(method, one), keep) for item, (method, keep) in subsets.items() for one in every
    }
