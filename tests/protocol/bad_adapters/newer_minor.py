"""Speaks a later minor version, which the driver accepts."""

from toy import Toy, serve


class Newer(Toy):
    def hello(self):
        return {**super().hello(), "protocol": "1.7"}


serve(Newer())
