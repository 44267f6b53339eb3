"""The run folder: records, arrays and models with hashes; atomic writes, checked reads, one run at a time.

Layout::

    run.json            the stable summary (RunRecord)
    report.html
    model/              manifest.json and what it names: all that prediction needs
    records/            profile.json, plan.json, ensemble.json, evaluation.json, explanation.json, ...
    trials/ID/          result.json, oof.npy, test.npy, models of the folds
    set-aside/ID/       trials whose files were found damaged on resume; never read
    log.txt             warnings of libraries, tracebacks of failed trials
    .lock, .owner.json  who works in the folder
"""

from autodl.store.atomic import write_atomic
from autodl.store.folder import RunFolder
from autodl.store.listing import list_runs
from autodl.store.lock import RunLock, new_folder
from autodl.store.reading import DamagedError, load_record

__all__ = ["DamagedError", "RunFolder", "RunLock", "list_runs", "load_record", "new_folder", "write_atomic"]
