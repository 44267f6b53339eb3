"""Every refusal of a disk is one line with the place and a remedy; readers never see half of a model."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections import namedtuple

import pytest

from autodl.errors import DiskError, RunError
from autodl.records import ArtifactRef
from autodl.store import RunFolder
from autodl.store.atomic import write_atomic
from autodl.store.disk import MIN_FREE, disk_trouble, require_space


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.ENOSPC, "full"), (errno.EDQUOT, "quota"), (errno.EFBIG, "ulimit"), (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"), (errno.EPERM, "no permission"), (errno.ENOENT, "gone"),
        (errno.ENOTDIR, "not a folder"), (errno.ENAMETOOLONG, "too long"), (errno.EIO, "does not answer"),
        (errno.ESTALE, os.strerror(errno.ESTALE)),
    ],
)  # fmt: skip
def test_a_refusal_is_one_line(tmp_path, number, why):
    with pytest.raises(DiskError) as caught, disk_trouble(tmp_path / "run"):
        raise OSError(number, os.strerror(number))
    line = str(caught.value)
    assert str(tmp_path / "run") in line
    assert why in line
    assert "\n" not in line
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_a_real_limit_of_the_system_is_one_line(tmp_path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        write_atomic(tmp_path / "small", bytes(900))
        with pytest.raises(DiskError, match="larger than the system allows"):
            write_atomic(tmp_path / "large", bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in tmp_path.iterdir()] == ["small"]


def test_room_is_asked_for_before_work(tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(MIN_FREE))
    require_space(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(MIN_FREE - 1))
    with pytest.raises(DiskError, match="20 MB"):
        require_space(tmp_path)


def test_a_model_is_whole_while_others_take_its_place(tmp_path):
    """A reader in the middle of many swaps: every model it loads is one that was delivered."""
    folder, ended = RunFolder(tmp_path), threading.Event()

    def deliver(number):
        staged = RunFolder(tmp_path / ".model.new")
        files = [staged.write_bytes(f"m{i}", f"{number}".encode() * 1000) for i in range(3)]
        text = json.dumps([f.model_dump() for f in files])
        write_atomic(staged.path / "manifest.json", text.encode())
        folder.swap_model(staged.path)

    def load(place):
        try:
            refs = [ArtifactRef(**f) for f in json.loads((place / "manifest.json").read_bytes())]
        except OSError as error:
            raise RunError(f"{place} is gone") from error
        return {RunFolder(place).read_bytes(r) for r in refs}

    def swap():
        for number in range(60):
            deliver(number)
        ended.set()

    deliver(0)
    writer = threading.Thread(target=swap)
    writer.start()
    seen = set()
    while not ended.is_set():
        found = folder.with_model(load)
        assert len(found) == 1  # all files are of one model
        seen |= found
    writer.join()
    assert len(seen) > 1
