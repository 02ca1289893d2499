/* interpreter: see interpreter.h. Options are those of the programs' manual pages. */
#include "core/detect/interpreter.h"

#include <string.h>

struct interpreter {
	const char *name;     /* a version may follow: python3.11 */
	const char *code;     /* options that program text follows */
	const char *argument; /* options that something else follows */
	bool permutes;	      /* options may follow operands: su USER -c TEXT */
};

static const struct interpreter interpreters[] = {
	{ "sh", "c", "oO", false },	    { "bash", "c", "oO", false },
	{ "rbash", "c", "oO", false },	    { "dash", "c", "o", false },
	{ "ash", "c", "o", false },	    { "ksh", "c", "o", false },
	{ "mksh", "c", "o", false },	    { "zsh", "c", "o", false },
	{ "fish", "cC", "dD", false },	    { "csh", "c", "", false },
	{ "tcsh", "c", "", false },	    { "su", "c", "gGsTw", true },
	{ "runuser", "c", "gGsuw", true },  { "script", "c", "BEIOTomt", true },
	{ "python", "c", "WX", false },	    { "pypy", "c", "WX", false },
	{ "perl", "eE", "I", false },	    { "ruby", "e", "ICrE", false },
	{ "php", "rBRE", "cdfztS", false }, { "lua", "e", "l", false },
	{ "node", "ep", "rC", false },	    { "nodejs", "ep", "rC", false },
};

/* The long options that program text follows, of all of them together. */
static const char *const long_code[] = {
	"command", "session-command", "init-command", "eval",	     "print",
	"run",	   "process-begin",   "process-code", "process-end",
};

/* Where the walk along argv stands. */
struct walk {
	const struct interpreter *in; /* whose options these are; NULL: outside */
	bool code;		      /* the first word that is no option is program text */
	bool skip;		      /* the next word belongs to an option */
};

static const struct interpreter *find(const char *word)
{
	const char *slash = strrchr(word, '/');
	const char *base = slash ? slash + 1 : word;
	for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++) {
		size_t len = strlen(interpreters[i].name);
		if (strncmp(base, interpreters[i].name, len) == 0 &&
		    base[len + strspn(base + len, "0123456789.-")] == '\0')
			return &interpreters[i];
	}
	return NULL;
}

static bool is_option(const char *word)
{
	return (word[0] == '-' || word[0] == '+') && word[1] != '\0' && strcmp(word, "--") != 0;
}

/* Takes "--name" or "--name=value". Names may be cut short (getopt_long(3)); a name that is not
 * known may have an argument behind it, which is then not where the options end. */
static bool take_long_option(struct walk *walk, const char *name)
{
	if (strchr(name, '='))
		return true;
	for (size_t i = 0; i < sizeof long_code / sizeof *long_code; i++)
		walk->code |= strncmp(long_code[i], name, strlen(name)) == 0;
	walk->skip = !walk->code;
	return false;
}

/* Takes one option word; true when program text may stand in it ("-cTEXT", "--eval=TEXT"). */
static bool take_option(struct walk *walk, const char *word)
{
	if (word[1] == '-')
		return take_long_option(walk, word + 2);
	size_t plain = strcspn(word + 1, walk->in->code);
	size_t last = strlen(word) - 1;
	bool holds_code = word[1 + plain] != '\0';
	walk->code |= holds_code;
	walk->skip = strchr(walk->in->argument, word[last]) != NULL;
	return holds_code;
}

/* Takes one word; true when it is program text. */
static bool step(struct walk *walk, const char *word)
{
	bool option = walk->in && is_option(word);
	bool skip = walk->skip;
	walk->skip = false;
	if (option)
		return take_option(walk, word);
	if (skip || (walk->in && strcmp(word, "--") == 0))
		return false;
	bool text = walk->code;
	const struct interpreter *next = text ? NULL : find(word);
	if (!text && !next && walk->in && walk->in->permutes)
		next = walk->in;
	*walk = (struct walk){ .in = next };
	return text;
}

bool interpreter_runs(char *const *argv, size_t index)
{
	struct walk walk = { 0 };
	bool runs = false;
	for (size_t i = 0; i <= index; i++)
		runs = step(&walk, argv[i]);
	return runs;
}
