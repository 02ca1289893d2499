"""A command that is at its file until it is let go: for what is seen only while a worker is busy."""
import os

# A row of "detectors"; configure() says where HOME is.
DETECTOR = ("  - { type: command, name: held, timeout: 300s, read: go-on, "
            "run: [/bin/sh, -c, 'cd \"$0\"; test -e through || exec cat go-on', HOME, '{path}'] }\n")
ALONE = "workers: 1\ndetectors:\n" + DETECTOR


def fifo(carved):
    return os.path.join(carved.home, "go-on")


def configure(carved, text=ALONE):
    """Writes a configuration that has DETECTOR in it."""
    carved.write_config(text.replace("HOME", carved.home))
    if not os.path.exists(fifo(carved)):
        os.mkfifo(fifo(carved))


def wait(carved):
    """Waits until a command is at its file; a descriptor that keeps it there."""
    return carved.opened_to_read(fifo(carved))


def let_through(carved, fd=None):
    """From now on no command waits; nor does the one that the descriptor keeps."""
    with open(os.path.join(carved.home, "through"), "wb"):
        pass
    if fd is not None:
        os.close(fd)


def hold_again(carved):
    os.unlink(os.path.join(carved.home, "through"))
