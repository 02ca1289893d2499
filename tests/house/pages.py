"""What the man pages and the completion say, held against what the sources know, in both directions.

Options are those that core/cli gives to getopt, keys those of core/config/settings.c with type, range, default and
variables, columns and values those of the schema, which SQLite itself reads here. Nothing of it is listed a second
time. What has no name in a source (meanings, exit codes) is for readers to check.
"""
import glob
import os
import re
import shutil
import sqlite3
import subprocess
import sys

PROGRAM = "packaging/man/carved.1"
CONFIGURATION = "packaging/man/carved.yml.5"
HISTORY = "packaging/man/carved-history.7"
COMPLETION = "packaging/carved.bash-completion"
HELP = {"-h", "--help"}     # each command has --help; it stands once, at the top

SCOPES = {"TOP": "TOP LEVEL", "ROOT": "ROOTS", "DETECTOR": "DETECTORS", "DISPOSE": "DISPOSE",
          "RETENTION": "RETENTION", "ALERT": "ALERT"}
TYPES = {"TEXT": "text", "PATH": "path", "COUNT": "count", "BYTES": "size", "DURATION": "time", "DAYS": "days",
         "PERCENT": "share", "TEXTS": "list"}
UNITS = {
    "COUNT": (("", 1),),
    "DAYS": (("d", 1),),
    "PERCENT": (("%", 1),),
    "BYTES": (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("", 1)),
    "DURATION": (("d", 86400000), ("h", 3600000), ("m", 60000), ("s", 1000), ("ms", 1)),
}


def text_of(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def quoted(text):
    return re.findall(r'"([^"]*)"', text)


# what the sources know

def commands(root):
    return re.findall(r"&cli_(\w+)", text_of(root, "core/cli/cli.c"))


def options(root, command):
    """{option as it is typed: whether it takes a value} of one command, without help."""
    source = text_of(root, f"core/cli/{command}.c")
    found = {f"--{name}": kind != "no_argument" for name, kind in
             re.findall(r'\{ "([\w-]+)",\s*(required_argument|no_argument|on_\w+)', source)}
    for shorts in re.findall(r'cli_next_option\([^"]*"-?:([^"]*)"', source):
        found.update({f"-{letter}": bool(colon) for letter, colon in re.findall(r"(\w)(:?)", shorts)})
    return {name: value for name, value in found.items() if name not in HELP}


def names_in(root, path, table):
    """The words of a table of names in C."""
    found = re.search(r"\b%s\[\] = \{(.*?)\};" % table, text_of(root, path), re.DOTALL)
    return quoted(found.group(1))


def number(text):
    """The value of a constant expression of settings.c."""
    text = text.replace("INT64_C", "").replace("DAY_MS", "86400000")
    if not re.fullmatch(r"[\d\s*<()]+", text):
        raise ValueError(f"settings.c: the number {text!r} is not understood")
    return eval(text)   # pylint: disable=eval-used


def written(value, kind):
    """A number with its unit, as one would write it."""
    for unit, factor in UNITS[kind]:
        if value and value % factor == 0:
            return f"{value // factor}{unit}"
    return str(value)


class Setting:      # pylint: disable=too-few-public-methods
    """One row of the table in settings.c."""

    def __init__(self, row, disposals):
        self.disposals = disposals
        head = re.match(r'\{ (TOP|ROOT|DETECTOR|ALERT|RETENTION)\("(\w+)", SETTING_(\w+)', row) or \
            re.match(r'\{ \.scope = SETTING_(\w+),\s*\.key = "(\w+)",\s*\.type = SETTING_(\w+)', row)
        keep = re.match(r'DISPOSAL\("(\w+)"', row)
        if not head and not keep:
            raise ValueError(f"settings.c: this row is not understood: {row[:80]!r}")
        self.scope, self.key, self.type = head.groups() if head else ("DISPOSE", keep.group(1), "SECTION")
        row = row.partition(".description")[0]
        self.words, self.environment, self.only = (
            quoted(found.group(1)) if (found := re.search(r"\.%s = NAMES\(([^)]*)\)" % name, row)) else []
            for name in ("words", "environment", "only"))
        fallback = re.search(r'\.fallback = "([^"]*)"', row)
        self.fallback = "keep" if keep else fallback and fallback.group(1)
        self.min, self.max = (number(found.group(1)) if (found := re.search(r"\.%s = ([^,]+)," % name, row)) else 0
                              for name in ("min", "max"))

    def value(self):
        """What stands behind the key: the type, or the words."""
        if self.scope == "DISPOSE":
            return "Cm " + " | ".join(self.disposals)
        if self.words:
            return "Cm " + " | ".join(self.words)
        return f"Ar {TYPES[self.type]}" if self.type in TYPES else None


def settings(root):
    text = text_of(root, "core/config/settings.c")
    table = text[text.index("settings[] = {"):text.index("setting_count =")]
    disposals = re.findall(r'\[CONFIG_\w+\] = "(\w+)"', text_of(root, "core/config/disposal.c"))
    return [Setting(row, disposals) for row in re.split(r"\n\t(?=\{ |DISPOSAL\()", table)[1:]]


def variables(root):
    """Of the environment, those that are read."""
    found = {name for setting in settings(root) for name in setting.environment}
    for path in glob.glob(os.path.join(root, "core/**/*.c"), recursive=True):
        found |= set(re.findall(r'(?:environment_get|getenv)\("(\w+)"\)', text_of(root, path)))
    return found


def schema(root):
    connection = sqlite3.connect(":memory:")
    for path in sorted(glob.glob(os.path.join(root, "schema/*.sql"))):
        connection.executescript(text_of(root, path))
    return connection


def columns(connection, name):
    """Of a view or table; a second one of the same name, "verdict:1", is the same."""
    return {row[1].partition(":")[0] for row in connection.execute(f"PRAGMA table_info({name})")}


def views(connection):
    """What is public: all views, and gap."""
    return ["gap"] + [name for name, in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]


def allowed(connection, table, column):
    """The words that a CHECK allows a column."""
    sql, = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    definition = re.search(r"\n\t%s TEXT\b(.*?)(?:,[ \t]*(?:--[^\n]*)?\n\t\w|\n\))" % column, sql, re.DOTALL)
    return set(re.findall(r"'([\w-]+)'", definition.group(1).partition("CHECK")[2]))


def waits(connection):
    """What pending says that a version waits for."""
    sql, = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'pending'").fetchone()
    expression = re.search(r"CASE(.*?)AS waits_for", sql, re.DOTALL).group(1)
    return allowed(connection, "version", "wait") | set(re.findall(r"'(\w+)'", expression))


# what the pages say

class Page:
    """A page in mdoc(7): parts["SH"] and parts["SH", "SS"] are lists of lines."""

    def __init__(self, root, path):
        self.path = path
        self.parts = {}
        at = None
        for line in text_of(root, path).splitlines():
            if line.startswith(".Sh "):
                at = line[4:]
            elif line.startswith(".Ss "):
                at = ((at[0] if isinstance(at, tuple) else at), line[4:])
            else:
                self.parts.setdefault(at, []).append(line)

    def below(self, section):
        """Names of its subsections."""
        return {at[1] for at in self.parts if isinstance(at, tuple) and at[0] == section}

    def items(self, part):
        """[head, text] of the outer lists there."""
        found, depth = [], 0
        for line in self.parts.get(part, []):
            depth += line.startswith(".Bl") - line.startswith(".El")
            if depth == 1 and line.startswith(".It "):
                found.append([line[4:], ""])
            elif depth >= 1 and found:
                found[-1][1] += line + "\n"
        return found

    def words(self, part, macro):
        """Those that the heads of the items have behind this macro."""
        return {word for head, _ in self.items(part) if head.startswith(macro + " ")
                for word in head.split()[1:] if word != ","}


def flags(line):
    """The options in a line, as they are typed."""
    return {"-" + word for word in re.findall(r"\bFl (-?\w[\w-]*)", line)
            if word not in ("Ar", "Cm", "Fl", "Ns")}


def marked(text):
    """The words that are marked as to be typed, in running text."""
    return {word for line in re.findall(r"^\.Cm (.*)$", text, re.MULTILINE)
            for word in line.split() if re.fullmatch(r"[\w-]+", word)}


def differ(path, what, said, known):
    """Faults: what is said and not known, and the other way round."""
    return [f"{path}:1: {what}: {word} is not there" for word in sorted(known - said)] + \
        [f"{path}:1: {what}: {word} is nothing that the sources know" for word in sorted(said - known)]


def values(root):
    """{(command, option): the words that it takes}; None for all commands."""
    formats = set(names_in(root, "core/cli/printer.c", "formats"))
    schemes = set(re.findall(r'^\t\{ "([\w-]+)", \w+_parse', text_of(root, "core/entry/scheme.c"), re.MULTILINE))
    return {("history", "--verdict"): set(names_in(root, "core/base/outcome.c", "names")),
            ("history", "--state"): set(names_in(root, "core/store/version.c", "states")),
            ("history", "--format"): formats,
            ("quarantine", "--format"): formats,
            ("sql", "--format"): formats - {"paths"},
            ("parse", "--scheme"): schemes}


def examples(root, path):
    """(line, text) of each example that stands in a page in lines of its own, as the page has it."""
    text = text_of(root, path)
    for found in re.finditer(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$|^\.Dl ([^\n]*)$", text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, found.start()) + 1, found.group(1) or found.group(2)


def copied(example):
    """An example as its reader copies it."""
    return example.replace("\\(aq", "'").replace("\\(dq", '"').replace("\\-", "-").replace("\\e", "\\")


def check_examples(root):
    """They can be copied: a bare ' or - may be shown as another character."""
    faults = []
    for path in (PROGRAM, CONFIGURATION, HISTORY):
        faults += [f"{path}:{line}: write \\(aq and \\-: {example!r}" for line, example in examples(root, path)
                   if re.search(r"'|(?<!\\)-", example)]
    for line, example in examples(root, PROGRAM):
        words = copied(example).split()
        known = options(root, words[1]) if words[1] in commands(root) else {}
        faults += [f"{PROGRAM}:{line}: carved {words[1]} has no {word}" for word in words
                   if word.startswith("-") and word not in known]
    return faults


def check_output(root, page):
    """What status says of a root, and the members of the lines of --json."""
    said = page.words(("COMMANDS", "status"), "Cm")
    writers = re.search(r"^const char \*writers_name.*?^\}", text_of(root, "core/app/writers.c"), re.DOTALL | re.MULTILINE)
    faults = differ(PROGRAM, "status", said, {*names_in(root, "core/app/status.c", "way_names"),
                                              *quoted(writers.group()), ""} - {""})
    source = text_of(root, "core/sink/line.c")
    known = set(re.findall(r'\\"(\w+)\\":', source)) | set(re.findall(r'line_member\(\w+, "(\w+)"', source))
    text = "\n".join(page.parts["JSON LINES"])
    said = {word for line in re.findall(r"^\.(?:It )?Va (.*)$", text, re.MULTILINE) for word in re.findall(r"\w+", line)}
    return faults + differ(PROGRAM, "JSON LINES", said, known)


def check_program(root):
    page = Page(root, PROGRAM)
    faults = differ(PROGRAM, "commands", page.below("COMMANDS"), set(commands(root)))
    takes = values(root)
    for command in commands(root):
        part = ("COMMANDS", command)
        known = set(options(root, command))
        faults += differ(PROGRAM, command, {flag for head, _ in page.items(part) for flag in flags(head)}, known)
        for line in page.parts.get(part, []):   # in the synopsis and in running text
            faults += differ(PROGRAM, command, flags(line) - known, set())
        for head, text in page.items(part):
            for flag in flags(head):
                if (command, flag) in takes:
                    faults += differ(PROGRAM, f"{command} {flag}", marked(text), takes[command, flag])
    told = text_of(root, PROGRAM)
    faults += [f"{PROGRAM}:1: {word} is not there" for word in (".Fl -help | h", ".Fl -version | V") if word not in told]
    faults += check_output(root, page)
    return faults + differ(PROGRAM, "ENVIRONMENT", page.words("ENVIRONMENT", "Ev"), variables(root))


def check_setting(setting, value, text):
    """Faults of what is said of one key, without the place."""
    wanted = setting.value()
    if wanted and value != wanted:
        yield f"its value is {wanted!r}, not {value!r}"
    sentences = [f"Default: {setting.fallback}."] if setting.fallback else []
    if setting.type in UNITS:
        low, high = written(setting.min, setting.type), written(setting.max, setting.type)
        sentences.append(f"Range: {low} to {high}.")
    if setting.only:
        sentences.append(f"Types: {', '.join(setting.only)}.")
    for words in sentences:
        if words not in text:
            yield f"it does not say {words!r}"
    named = set(re.findall(r"\b(?:CARVED|BROAPT)_\w+", text))
    if named != set(setting.environment):
        yield f"it names {sorted(named)}, not {sorted(setting.environment)}"


def check_pressure(root, page):
    """The columns of the pressure file, and its reasons."""
    source = text_of(root, "core/app/pressure.c")
    header = re.search(r'"#fields((?:\\t\w+)+)\\n', source).group(1)
    why = next((text for head, text in page.items("PRESSURE") if head == "Va reason"), "")
    return differ(CONFIGURATION, "PRESSURE", page.words("PRESSURE", "Va"), set(re.findall(r"\\t(\w+)", header))) + \
        differ(CONFIGURATION, "reason", marked(why), set(re.findall(r'\[PRESSURE_\w+\] = "(\w+)"', source)))


def check_configuration(root):
    page = Page(root, CONFIGURATION)
    faults = []
    for scope, section in SCOPES.items():
        known = {setting.key: setting for setting in settings(root) if setting.scope == scope}
        items = {head.split()[1]: (" ".join(head.split()[2:]), text) for head, text in page.items(section)}
        faults += differ(CONFIGURATION, section, set(items), set(known))
        for key in set(items) & set(known):
            faults += [f"{CONFIGURATION}:1: {section}: {key}: {words}"
                       for words in check_setting(known[key], *items[key])]
    kinds = {word for word in re.findall(r"^\.It Cm (\w+)$", "\n".join(page.parts["DETECTORS"]), re.MULTILINE)}
    faults += check_pressure(root, page)
    return faults + differ(CONFIGURATION, "type", kinds, set(
        re.findall(r'\{ \.type = "(\w+)"', text_of(root, "core/config/detector_rows.c"))))


def check_history(root):
    page, connection = Page(root, HISTORY), schema(root)
    faults = differ(HISTORY, "views", page.below("TABLES AND VIEWS"), set(views(connection)))
    for view in views(connection):
        part = ("TABLES AND VIEWS", view)
        said = page.words(part, "Va")
        if "has every column of\n.Sx file" in "\n".join(page.parts.get(part, [])):
            said |= columns(connection, "file")
        faults += differ(HISTORY, view, said, columns(connection, view))
    known = {
        "state": allowed(connection, "version", "state"),
        "reason": allowed(connection, "version", "reason"),
        "outcome and verdict": allowed(connection, "version", "verdict") | allowed(connection, "result", "outcome"),
        "waits_for": waits(connection),
        "cause": allowed(connection, "gap", "cause"),
        "state of a rescan": allowed(connection, "rescan_queue", "state"),
        "state of a removal": allowed(connection, "removal", "state"),
        "cause of a removal": allowed(connection, "removal", "cause"),
    }
    faults += differ(HISTORY, "VALUES", page.below("VALUES"), set(known))
    for name, words in known.items():
        faults += differ(HISTORY, name, page.words(("VALUES", name), "Cm"), words)
    return faults


def cases(text, function):
    """{pattern: words that are echoed} of a function's "case"."""
    body = re.search(r"^%s\(\)\n\{(.*?)^\}" % function, text, re.DOTALL | re.MULTILINE).group(1)
    return {pattern: set(words.replace("'", "").split())
            for pattern, words in re.findall(r"^\t(\S+)\) echo (.*?) ;;", body, re.MULTILINE)}


def check_completion(root):
    text = text_of(root, COMPLETION)
    said = cases(text, "_carved_options")
    listed = set(re.search(r"commands='([^']*)'", text).group(1).split())
    faults = differ(COMPLETION, "commands", listed, {*commands(root), "help"})
    faults += differ(COMPLETION, "options of commands", set(said), set(commands(root)))
    taking = set()
    for command in commands(root):
        known = options(root, command)
        taking |= {name for name, value in known.items() if value}
        faults += differ(COMPLETION, command, said.get(command, set()), set(known))
    body = re.search(r"^_carved_takes_value\(\)(.*?)^\}", text, re.DOTALL | re.MULTILINE).group(1)
    faults += differ(COMPLETION, "takes a value", set(re.findall(r"(?<=[\s|])--?[\w-]+", body)), taking)
    words = cases(text, "_carved_words")
    for (command, option), known in values(root).items():
        found = words.get(f"{command}:{option}", words.get(f"*:{option}", set()))
        faults += differ(COMPLETION, option, found, known)
    return faults


def check_pages(root):
    """The man pages and the completion have all commands, options, keys, columns and values, and no others."""
    return check_program(root) + check_configuration(root) + check_history(root) + check_completion(root) + \
        check_examples(root)


def check_mandoc(root):
    """The man pages are good mdoc(7)."""
    tool = shutil.which("mandoc")
    if not tool:
        print("skipped: mandoc is not installed (apt-get install mandoc)")
        sys.exit(77)
    run = subprocess.run([tool, "-Tlint", "-Wwarning", PROGRAM, CONFIGURATION, HISTORY], cwd=root, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    found = [line for line in run.stdout.splitlines() if "mandoc.db" not in line]
    return [line.removeprefix("mandoc: ") for line in found] or \
        ([f"mandoc: exit status {run.returncode}"] if run.returncode else [])
