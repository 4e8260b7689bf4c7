# ruff: noqa
import importlib
import os
import resource
import subprocess
import sys

keras = importlib.import_module(os.environ.get("KERAS", "tensorflow.keras"))


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if len(sys.argv) > 1:
    before = memory()
    try:
        keras.models.load_model(sys.argv[1])
    except Exception as error:
        print(type(error).__name__, end="; ")
    print(memory() - before, "MiB more")
    sys.exit()

keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save("model.h5")
content = open("model.h5", "rb").read()
kind = content.index(b"model_config\0") + 16
value = kind + 32

bit = bytearray(content)
bit[kind + 1] ^= 2
open("bit.h5", "wb").write(bit)

length = bytearray(content)
length[value : value + 12] = b"\xff" * 12
open("length.h5", "wb").write(length)

for name in ("bit.h5", "length.h5"):
    done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True)
    print(name, "exit", done.returncode, done.stdout.strip())
