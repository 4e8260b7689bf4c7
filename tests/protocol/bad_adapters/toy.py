"""The smallest adapter there is, which answers rightly; and what the bad ones beside it are made of.

An object is a list of arrays. `build` makes two, `save` fails, `call` of anything but a list of arrays is a bug.
"""

import json
import os
import signal
import sys

VERSION = "1.0"


class Refusal(Exception):
    pass


class Toy:
    """Answers requests; a bad adapter overrides `answer` or `hello`."""

    def __init__(self):
        self.objects = {}
        self.arrays = None

    def handle(self, request):
        identity = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            value, said = self.answer(request["method"], request["params"]), []
            if request["method"] == "summary":
                said = [{"channel": "stdout", "text": "a summary"}]
            return {**identity, "result": {"value": value, "messages": said}}
        except Refusal as error:
            data = {
                "kind": "refused",
                "exception": "Refusal",
                "mro": ["Refusal", "Exception", "BaseException", "object"],
                "text": str(error),
                "messages": [{"channel": "warning", "text": "about to refuse"}],
            }
            return {**identity, "error": {"code": -32000, "message": str(error), "data": data}}
        except KeyError as error:
            data = {"kind": "unknown-handle", "text": "no object {}".format(error)}
            return {**identity, "error": {"code": -32001, "message": "no object", "data": data}}

    def hello(self):
        return {
            "protocol": VERSION,
            "name": "toy",
            "version": "0",
            "libraries": {},
            "python": None,
            "capabilities": ["build.sequential"],
            "layers": {"core": ["Dense"]},
        }

    def answer(self, method, params):
        if method == "hello":
            self.arrays = params.get("arrays")
            return self.hello()
        if method == "reset":
            self.objects.clear()
            return {}
        if method == "build":
            handle = "model:{}".format(len(self.objects) + 1)
            self.objects[handle] = []
            return {"object": handle}
        if method == "set_weights":
            self.objects[params["object"]][:] = params["arrays"]
            return {}
        if method == "get_weights":
            return {"arrays": self.objects[params["object"]]}
        if method == "evaluate":
            return {"values": {"loss": {"$float": "nan"}, "acc": 0.5}}
        if method == "get_config":
            return {"config": self.config, "object": "dict:1"}
        if method == "from_config":
            self.config = params.get("config")
            return {"object": "layer:1", "config_after": self.config}
        if method == "save":
            raise Refusal("cannot save to " + params["path"])
        if method == "summary":
            return {"text": os.environ.get(params["object"], "")}
        if method == "load_weights":
            return {"status": None}
        return {}


def send(message):
    send_line(json.dumps(message))


def send_line(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def hang():
    complain("I hang")
    signal.pause()


def serve(toy):
    for line in sys.stdin:
        request = json.loads(line)
        answer = toy.handle(request)
        if answer is not None:
            send(answer)
        if request["method"] == "shutdown":
            return


if __name__ == "__main__":
    serve(Toy())
