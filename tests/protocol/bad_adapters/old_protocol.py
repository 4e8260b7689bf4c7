"""Speaks a version of the protocol that is gone, with a `hello` of its own."""

from toy import Toy, complain, serve


class Old(Toy):
    def hello(self):
        complain("I am old")
        return {"protocol": "0.9", "name": "old"}


serve(Old())
