"""Starts well, and when asked for the losses of an object does what the argument says."""

import os
import signal
import subprocess
import sys

from toy import Toy, complain, hang, send, send_line, serve

SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]


def garbage(request):
    send_line("Epoch 1/1 [====>] 0.1s")


def not_json_number(request):
    send_line('{"jsonrpc": "2.0", "id": %d, "result": {"value": {"values": NaN}, "messages": []}}' % request["id"])


def not_utf8(request):
    sys.stdout.buffer.write(b"\xff\xfe\n")
    sys.stdout.flush()


def no_object(request):
    send([1, 2])


def wrong_id(request):
    send({"jsonrpc": "2.0", "id": request["id"] + 1, "result": {"value": {"values": []}, "messages": []}})


def no_losses(request):
    send({"jsonrpc": "2.0", "id": request["id"], "result": {"value": {"values": []}, "messages": []}})


def two_answers(request):
    no_losses(request)
    send_line("and more")


def schema_invalid(request):
    send({"jsonrpc": "2.0", "id": request["id"], "result": {"value": {"values": 7}, "messages": []}})


def wrong_code(request):
    data = {"kind": "refused", "exception": "E", "mro": [], "text": "no"}
    send({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32603, "message": "no", "data": data}})


def bad_array(request):
    array = {"dtype": "float32", "shape": [2], "data": "AAAA"}
    send({"jsonrpc": "2.0", "id": request["id"], "result": {"value": {"values": [array]}, "messages": []}})


def foreign_file(request):
    array = {"dtype": "float32", "shape": [2], "npy": os.path.abspath(__file__)}
    send({"jsonrpc": "2.0", "id": request["id"], "result": {"value": {"values": [array]}, "messages": []}})


def too_long(request):
    send_line("x" * 100000)


def exits(request):
    sys.exit(7)


def segfaults(request):
    os.kill(os.getpid(), signal.SIGSEGV)


def closes_and_stays(request):
    os.close(1)
    signal.pause()


def hangs(request):
    hang()


def stops_reading(request):
    no_losses(request)  # the next request is larger than a pipe holds
    hang()


def eats_memory(request):
    complain("filling")
    kept = b"x" * (300 << 20)
    signal.pause()
    return kept


def leaves_children(request):
    # One in the process group, one that left it, one that left it and lost its parent.
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    near = subprocess.Popen(SLEEPER, **quiet)
    far = subprocess.Popen(SLEEPER, start_new_session=True, **quiet)
    orphan = subprocess.run(
        [sys.executable, "-c", "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], start_new_session=True, "
         "stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)", *SLEEPER],
        stdout=subprocess.PIPE, check=True,
    ).stdout.decode()
    complain("children {} {} {}".format(near.pid, far.pid, int(orphan)))
    sys.exit(1)


def child_holds_the_pipe(request):
    child = subprocess.Popen(SLEEPER)
    complain("children {}".format(child.pid))
    sys.exit(1)


def floods_stderr(request):
    for number in range(400000):
        sys.stderr.write("warning number {:>7} of a library that talks too much about nothing\n".format(number))
    sys.stderr.flush()
    no_losses(request)


class Misbehaving(Toy):
    def handle(self, request):
        if request["method"] == "losses":
            complain("about to: " + sys.argv[1])
            globals()[sys.argv[1]](request)
            return None
        return super().handle(request)


serve(Misbehaving())
