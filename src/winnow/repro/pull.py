"""winnow pull: takes results from a remote as dvc pull does, but believes nothing that the remote says.

An object gets into the cache only if it has the hash that dvc.lock, or the list of its folder, gives it, and a folder's
files stay inside. What is damaged or missing is named, and everything else arrives.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dvc.fs.callbacks import TqdmCallback
from dvc.repo import Repo, lock_repo
from dvc.repo.index import index_from_targets
from dvc_data.hashfile.db import get_index
from dvc_data.hashfile.tree import Tree
from dvc_objects.errors import ObjectFormatError

from winnow.errors import UserError
from winnow.repro.books import opened, translated
from winnow.repro.objects import NAME
from winnow.repro.remote import explained

Output = Any  # of DVC, which ships no types


class Wanted(NamedTuple):
    """An object, the path in the project of what it holds, and the output which that belongs to."""

    name: str
    path: str
    output: Output


class Pulled(NamedTuple):
    """How many objects were fetched; the paths of what the remote has damaged, and of what it lacks; and the outputs
    that are not whole, and so stay as they were."""

    fetched: int
    damaged: list[str]
    missing: list[str]
    left: list[str]


class Options(NamedTuple):
    """Of winnow pull. run_cache: also take the entries of the run cache that fit their key. mend: remove damaged
    objects from the remote, so that a push from where they are whole replaces them (a push takes an object that is
    there for whole). force: overwrite outputs that are in no cache."""

    remote: str | None = None
    run_cache: bool = False
    mend: bool = False
    force: bool = False


PLAIN = Options()


def pull(targets: Sequence[str] = (), options: Options = PLAIN) -> Pulled:
    """Fetch the targets' outputs, or those of all stages, and put each into the workspace if it is whole.

    Raises UserError if the remote cannot be reached.
    """
    with explained(), opened() as repo, translated(), lock_repo(repo):
        repo.drop_data_index()  # it may hold lists of folders that a plain dvc command has read from the remote
        store = repo.cloud.get_remote_odb(options.remote, "pull")
        if not store.fs.exists(store.path):
            raise UserError(f"{store.path}: the remote has no such folder: nobody has pushed to it, or it is elsewhere")
        if options.run_cache:
            repo.stage_cache.pull(options.remote)
        outputs = [out for out in index_from_targets(repo, targets=list(targets) or None).outs if _is_cached(out)]
        wanted = [Wanted(out.hash_info.value, str(out), out) for out in outputs]
        if wrong := next((one for one in wanted if not NAME.fullmatch(one.name)), None):
            raise UserError(f"dvc.lock: {wrong.path}: {wrong.name!r} is no name of an object")
        folders = [one for one in wanted if one.output.hash_info.isdir]
        _, bad = _inside(repo, folders)  # lists from an earlier pull
        _drop(repo, bad)
        fetched = _fetch(repo, store, folders)
        inside, bad = _inside(repo, folders)
        _drop(repo, bad)
        fetched += _fetch(repo, store, [one for one in [*wanted, *inside] if one not in folders])
        absent = [one for one in [*wanted, *inside] if not repo.cache.local.exists(one.name)]
        there = {name for name in {one.name for one in absent} if store.fs.exists(store.oid_to_path(name))}
        damaged = [one for one in absent if one.name in there]
        left = {str(one.output) for one in absent}
        whole = [str(out) for out in outputs if str(out) not in left]
        if whole:
            repo.checkout(targets=whole if left or targets else None, force=options.force)
        if options.mend:
            _remove(store, damaged)
    missing = [one.path for one in absent if one.name not in there]
    return Pulled(fetched, sorted({one.path for one in damaged}), sorted(set(missing)), sorted(left))


def _is_cached(out: Output) -> bool:
    return bool(out.use_cache and out.is_in_repo and out.hash_info and out.hash_info.name == "md5")


def _inside(repo: Repo, folders: Iterable[Wanted]) -> tuple[list[Wanted], list[Wanted]]:
    """The files of folders whose lists are in the cache, and the folders whose lists are wrong there."""
    files, bad = list[Wanted](), list[Wanted]()
    for one in folders:
        try:
            tree = Tree.load(repo.cache.local, one.output.hash_info)
        except FileNotFoundError:
            continue
        except ObjectFormatError:
            bad.append(one)
        else:
            files += [Wanted(info.value, "/".join([one.path, *key]), one.output) for key, _, info in tree]
    return files, bad


def _drop(repo: Repo, bad: Iterable[Wanted]) -> None:
    for name in {one.name for one in bad}:
        repo.cache.local.delete(name)


def _fetch(repo: Repo, store: Any, wanted: Iterable[Wanted]) -> int:
    """Fetch what the cache lacks, and keep what has the right hash. Returns how many objects were kept."""
    cache, errors = repo.cache.local, list[BaseException]()
    names = [name for name in sorted({one.name for one in wanted}) if not cache.exists(name)]

    def failed(_: str, error: BaseException) -> None:
        if not isinstance(error, FileNotFoundError):
            errors.append(error)

    if names:
        paths = [store.oid_to_path(name) for name in names]
        with TqdmCallback(desc="Fetching", unit="file") as progress:
            cache.add(paths, store.fs, names, verify=True, check_exists=False, on_error=failed, callback=progress)
    if errors:
        raise UserError(f"{store.path}: {' '.join(str(errors[0]).split()) or type(errors[0]).__name__}")
    return sum(cache.exists(name) for name in names)


def _remove(store: Any, damaged: Iterable[Wanted]) -> None:
    """Remove objects from the remote, and first the lists of their folders: DVC takes a folder whose list is there for
    whole."""
    lists = {one.output.hash_info.value for one in damaged if one.output.hash_info.isdir}
    for name in [*sorted(lists), *sorted({one.name for one in damaged} - lists)]:
        if store.fs.exists(store.oid_to_path(name)):
            store.fs.remove(store.oid_to_path(name))
    with_index = get_index(store)
    with_index.clear()
    with_index.close()
