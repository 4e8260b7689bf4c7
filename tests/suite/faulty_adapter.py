"""The reference's adapter as a process that does something wrong whenever it is asked to clone a model, or at start."""

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from conformance.adapters.reference import Reference
from conformance.adapters.server import Adapter


def dies(request):
    os._exit(7)


def is_killed(request):
    os.kill(os.getpid(), signal.SIGKILL)


def prints_garbage(request):
    print("Epoch 1/1 [====>]", flush=True)


def answers_the_wrong_id(request):
    print(json.dumps({"jsonrpc": "2.0", "id": -1, "result": {"value": {}, "messages": []}}), flush=True)


def hangs(request):
    signal.pause()


FAULTS = {fault.__name__: fault for fault in (dies, is_killed, prints_garbage, answers_the_wrong_id, hangs)}

if __name__ == "__main__":
    fault = sys.argv[1]
    print(f"last words: {fault}", file=sys.stderr, flush=True)
    if fault == "dies_at_start":
        sys.exit(7)
    adapter = Adapter(Reference("keras-2.4"))
    for line in sys.stdin:
        request = json.loads(line)
        if request["method"] == "clone":
            FAULTS[fault](request)
        else:
            print(json.dumps(adapter.handle(request)), flush=True)
