"""What sinks tell, line by line: the file of events, a command, a web server."""


def numbers(lines):
    return [line["seq"] for line in lines]


def path_of(line):
    """As bytes."""
    return line["path"].encode("utf-8", "surrogateescape")
