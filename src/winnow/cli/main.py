"""The command winnow: its words, and where each is done."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from winnow.errors import UserError, describe

Do = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status. A user's mistake ends it with one line and status 1."""
    parser = argparse.ArgumentParser(
        prog="winnow", description="what DVC does not do for a project of Winnow; the rest is dvc"
    )
    parser.add_argument("--version", action="version", version=f"winnow {version('winnow')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_init, _recipe, _cost, _advice, _report, _compare_methods, _compare_pruning, _pull, _doctor, _clean):
        add(commands)
    options = parser.parse_args(arguments)
    do: Do = options.do
    try:
        return do(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:  # a full disk, a read-only folder
        print(f"error: {describe(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return 1


# each imports what it needs only when it is called: --help takes no second


def _init(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("init", help="write a project: dvc.yaml, params.yaml and a README, in git and DVC")
    parser.add_argument("folder", help="of the project: a new or empty one, or a git repository without dvc.yaml")
    parser.add_argument("--recipe", help="winnow recipe lists them; your-images with --images, else default")
    parser.add_argument(
        "--images", metavar="FOLDER", help="your images: train/CLASS and test/CLASS, or train and test .parquet or .tar"
    )
    parser.add_argument("--update", action="store_true", help="after an upgrade of Winnow: its dvc.yaml, nothing else")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.init import init, update

        print(update(options.folder) if options.update else init(options.folder, options.recipe, options.images))
        return 0

    parser.set_defaults(do=do)


def _recipe(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("recipe", help="list the recipes, or write one out as params.yaml")
    parser.add_argument("name", nargs="?", help="lists them if left out")
    parser.add_argument("--force", action="store_true", help="overwrite a params.yaml that nothing else has a copy of")

    def do(options: argparse.Namespace) -> int:
        from winnow import recipe

        print(recipe.write(options.name, options.force) if options.name else recipe.listed())
        return 0

    parser.set_defaults(do=do)


def _cost(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("cost", help="what make repro would run now: time, memory and disk of every stage")
    parser.add_argument("targets", nargs="*", help="stages, with all that they depend on; every stage if left out")
    parser.add_argument("-j", "--jobs", type=int, help="stages at once; one more than there are cores if left out")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.cost import cost

        print(cost(options.targets, options.jobs))
        return 0

    parser.set_defaults(do=do)


def _advice(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("advice", help="three selection methods worth trying here, and what each would cost")
    parser.add_argument("--keep", metavar="SHARE", help="0.1, or a count of images; those of select.keep if left out")
    parser.add_argument("--wrong", type=float, metavar="SHARE", help="of the labels, if you expect wrong ones")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.advice import advice, share

        print(advice(None if options.keep is None else share(options.keep), options.wrong))
        return 0

    parser.set_defaults(do=do)


def _report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("report", help="bring the report up to date, and print its address")
    parser.add_argument("revision", nargs="?", help="of git, such as main: its results beside these, on another page")

    def do(options: argparse.Namespace) -> int:
        from winnow.repro.__main__ import main as repro
        from winnow.repro.compare import REPORT, compare

        status = repro(["report"])
        if not status:
            print((compare(options.revision) if options.revision else REPORT).resolve().as_uri())
        return status

    parser.set_defaults(do=do)


def _compare_methods(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("compare-methods", help="run every selection method in several settings, and compare")
    parser.add_argument("folder", help="for a project of every setting and repeat; after a kill, goes on with it")
    parser.add_argument("--recipes", nargs="+", help="the settings; if left out, clean, noisy, long-tailed and teacher")
    parser.add_argument("--images", metavar="FOLDER", help="your images, in place of the recipes' source")
    parser.add_argument("--repeats", type=int, help="with scoring and retraining seeds of their own; 2 if left out")
    parser.add_argument("-j", "--jobs", type=int, help="stages at once; one more than there are cores if left out")
    parser.add_argument("--out", metavar="FOLDER", help="for the page and its tables; FOLDER/comparison if left out")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.compare_methods import RECIPES, REPEATS, compare_methods

        repeats = REPEATS if options.repeats is None else options.repeats
        recipes = options.recipes or RECIPES
        print(compare_methods(options.folder, recipes, options.images, repeats, options.jobs, options.out))
        return 0

    parser.set_defaults(do=do)


def _compare_pruning(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("compare-pruning", help="run many ways to prune at several densities, and compare")
    parser.add_argument("folder", help="for a project of every setting and repeat; after a kill, goes on with it")
    parser.add_argument("--recipes", nargs="+", help="the settings; if left out, convnet and resnet")
    parser.add_argument("--images", metavar="FOLDER", help="your images, in place of the recipes' source")
    parser.add_argument(
        "--densities", nargs="+", type=float, help="fractions of the weights left; 0.3 0.1 0.03 if left out"
    )
    parser.add_argument("--repeats", type=int, help="with seeds of their own; 1 if left out")
    parser.add_argument("-j", "--jobs", type=int, help="stages at once; one more than there are cores if left out")
    parser.add_argument("--out", metavar="FOLDER", help="for the page and its tables; FOLDER/comparison if left out")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.compare_pruning import DENSITIES, RECIPES, REPEATS, compare_pruning

        given = (
            options.recipes or RECIPES,
            options.images,
            DENSITIES if options.densities is None else options.densities,
            REPEATS if options.repeats is None else options.repeats,
        )
        print(compare_pruning(options.folder, *given, options.jobs, options.out))
        return 0

    parser.set_defaults(do=do)


def _pull(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("pull", help="dvc pull that checks everything, and names what is damaged")
    parser.add_argument("targets", nargs="*", help="stages or outputs; all if left out")
    parser.add_argument("-r", "--remote", help="the default one if left out")
    parser.add_argument("--run-cache", action="store_true", help="also which runs there were, of other branches too")
    parser.add_argument("--mend", action="store_true", help="remove damaged objects from the remote, for the next push")
    parser.add_argument("--force", action="store_true", help="overwrite outputs that are in no cache")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.pull import Options, pull

        return pull(options.targets, Options(options.remote, options.run_cache, options.mend, options.force))

    parser.set_defaults(do=do)


def _doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("doctor", help="versions, devices, cores, disk, and what a killed DVC left behind")
    parser.add_argument("--cache", action="store_true", help="also read all of DVC's cache, for damaged objects")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.doctor import doctor

        return doctor(options.cache)

    parser.set_defaults(do=do)


def _clean(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("clean", help="remove what killed processes left behind")
    parser.add_argument("--scratch", action="store_true", help="unfinished work too, from which stages would go on")
    parser.add_argument("--cache", action="store_true", help="damaged objects of DVC's cache too")

    def do(options: argparse.Namespace) -> int:
        from winnow.cli.clean import clean
        from winnow.repro.sizes import cache_folder

        for line in clean(options.scratch, cache_folder() if options.cache else None):
            print(line)
        return 0

    parser.set_defaults(do=do)
