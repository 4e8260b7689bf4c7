"""Greets on fd 1 before it speaks the protocol."""

from toy import Toy, complain, send_line, serve

complain("my library prints")
send_line("Using TensorFlow backend.")
serve(Toy())
