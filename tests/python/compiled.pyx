# compiled.pyx: a process made by a function that Cython compiled, which has no frame.
import subprocess


def make(word):
    return subprocess.call(["/bin/true", word])
