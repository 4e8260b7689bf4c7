"""Starts well, and when asked for the losses of an object does its worst, as the argument says."""

import os
import shutil
import signal
import socket
import subprocess
import sys

from toy import Toy, complain, send, send_line, serve

CHILDREN = 64
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
PARENT = (
    "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True, "
    "stdin=subprocess.DEVNULL, stdout=subprocess.PIPE); p.stdout.readline(); print(p.pid)"
)


def no_losses(request):
    send({"jsonrpc": "2.0", "id": request["id"], "result": {"value": {"values": []}, "messages": []}})


def aborts(request):
    os.abort()


def stops_itself(request):
    os.kill(os.getpid(), signal.SIGSTOP)


def children():
    """Children that ignore SIGTERM; every other one in a session of its own, some without their parent."""
    made = []
    for number in range(CHILDREN - 4):
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", STUBBORN],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=number % 2 == 0,
        )
        made.append(child)
    for child in made:
        child.stdout.readline()  # it is deaf to SIGTERM from here on
    orphans = [
        int(subprocess.check_output([sys.executable, "-S", "-c", PARENT, STUBBORN], stdin=subprocess.DEVNULL))
        for _ in range(4)
    ]
    pids = [child.pid for child in made] + orphans
    for start in range(0, len(pids), 16):
        complain("children {}".format(" ".join(map(str, pids[start : start + 16]))))


def leaves_many_children(request):
    children()
    os._exit(1)


def hangs_with_many_children(request):
    children()
    signal.pause()


def talks_without_end(request):
    while True:
        os.write(1, b"x" * 65536)


def answers_without_end(request):
    while True:
        send_line("once more")


def takes_all_memory(request):
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1 << 20) * 16))


def asks_for_all_memory(request):
    try:
        bytearray(1 << 45)
    except MemoryError:
        complain("no memory")
        os._exit(1)


def deletes_its_folder(request):
    shutil.rmtree(os.getcwd())
    no_losses(request)


def deletes_its_folder_and_dies(request):
    shutil.rmtree(os.getcwd())
    os._exit(3)


def connects(request):
    try:
        socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=5).close()
        complain("connected")
    except OSError as error:
        complain("not connected: {}".format(error))
    no_losses(request)


def writes_a_large_file(request):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("large", "wb") as file:
        file.seek(int(os.environ["SIZE"]))
        try:
            file.write(b"x")
            file.flush()
            complain("written")
        except OSError as error:
            complain("not written: {}".format(error))
            os._exit(1)
    no_losses(request)


class Raging(Toy):
    def handle(self, request):
        if request["method"] == "losses":
            globals()[sys.argv[1]](request)
            return None
        return super().handle(request)


serve(Raging())
