/* rule_file: see rule_file.h. The compiler's interface:
 * https://yara.readthedocs.io/en/v4.2.3/capi.html
 */
#include "core/engines/rule_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/engines/keep.h"
#include "core/helper/protocol.h"

/* The external variables, in the order of enum helper_field. */
static const char *const variables[HELPER_FIELDS] = {
	[HELPER_NAME] = "filename",
	[HELPER_EXTENSION] = "extension",
	[HELPER_MIME] = "mime",
	[HELPER_PROTOCOL] = "protocol",
};

/* What a compilation notes. */
struct notes {
	struct rule_file *file;
	struct hash *hash; /* of this file and its includes; NULL: not wanted */
	unsigned errors;
	char first[384];
	char include[128]; /* why an include could not be read */
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* True when the text holds word as an identifier (or in a string or comment: nothing is lost by
 * that but a reuse). */
static bool mentions(const char *text, size_t len, const char *word)
{
	const char *end = text + len;
	size_t size = strlen(word);
	for (const char *at = text; (at = memmem(at, (size_t)(end - at), word, size)); at++) {
		bool before = at > text && is_word(at[-1]);
		bool after = at + size < end && is_word(at[size]);
		if (!before && !after)
			return true;
	}
	return false;
}

static void note_text(struct notes *notes, const char *text, size_t len)
{
	hash_field(notes->hash, text, len);
	for (unsigned i = 0; i < HELPER_FIELDS; i++) {
		if (mentions(text, len, variables[i]))
			notes->file->reads |= 1U << i;
	}
}

/* Words for what read_text() failed with. */
static const char *read_words(int code)
{
	return code == EINVAL ? "not a regular file" : error_text(code);
}

/* A whole file, NUL-terminated, owned; NULL with errno. A FIFO must not block the open. */
static char *read_text(const char *path, size_t *out_len)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)RULE_FILE_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	AUTO_FREE char *text = xcalloc(1, (size_t)st.st_size + 1);
	size_t len = 0;
	while (len < (size_t)st.st_size) {
		ssize_t got = read(fd, text + len, (size_t)st.st_size - len);
		if (got < 0 && errno != EINTR)
			return NULL;
		if (got == 0)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	*out_len = len;
	return TAKE(text);
}

static const char *include(const char *name, const char *from, const char *space, void *notes_)
{
	(void)space;
	struct notes *notes = notes_;
	AUTO_STR path = STR_INIT;
	const char *slash = from && *name != '/' ? strrchr(from, '/') : NULL;
	if (slash)
		str_append(&path, from, (size_t)(slash + 1 - from));
	str_puts(&path, name);
	size_t len = 0;
	char *text = read_text(str_text(&path), &len);
	if (!text)
		(void)snprintf(notes->include, sizeof notes->include, "%s", read_words(errno));
	else if (notes->hash)
		note_text(notes, text, len);
	return text;
}

static void free_include(const char *text, void *notes)
{
	(void)notes;
	free((void *)(uintptr_t)text);
}

/* libyara's signature: NOLINTNEXTLINE(readability-function-size) */
static void complain(int level, const char *path, int line, const YR_RULE *rule,
		     const char *message, void *notes_)
{
	(void)rule;
	struct notes *notes = notes_;
	if (level != YARA_ERROR_LEVEL_ERROR || notes->errors++ > 0)
		return;
	(void)snprintf(notes->first, sizeof notes->first, "%.200s:%d: %.120s",
		       path ? path : notes->file->path, line, message);
}

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "libyara: no memory");
}

static int open_compiler(YR_COMPILER **out, struct notes *notes, struct error *err)
{
	YR_COMPILER *compiler = NULL;
	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		return out_of_memory(err);
	yr_compiler_set_callback(compiler, complain, notes);
	yr_compiler_set_include_callback(compiler, include, free_include, notes);
	for (unsigned i = 0; i < HELPER_FIELDS; i++) {
		if (yr_compiler_define_string_variable(compiler, variables[i], "") !=
		    ERROR_SUCCESS) {
			yr_compiler_destroy(compiler);
			return out_of_memory(err);
		}
	}
	*out = compiler;
	return 0;
}

/* Adds one file's text; the words of its first error go to err. */
static int add_text(YR_COMPILER *compiler, struct notes *notes, struct error *err)
{
	const struct rule_file *file = notes->file;
	if (file->len == 0) /* fmemopen(3) takes no empty buffer, and there are no rules in it */
		return 0;
	FILE *stream = fmemopen(file->text, file->len, "r");
	if (!stream)
		return error_set(err, errno, "%s: %s", file->path, error_text(errno));
	int errors = yr_compiler_add_file(compiler, stream, file->name, file->path);
	(void)fclose(stream);
	if (errors == 0)
		return 0;
	char more[48] = "";
	if (notes->errors > 1)
		(void)snprintf(more, sizeof more, " (and %u more)", notes->errors - 1);
	return error_set(err, EINVAL, "%s%s%s%s", notes->errors ? notes->first : file->path,
			 *notes->include ? ": " : "", notes->include, more);
}

static int take_rules(YR_RULES **out, YR_COMPILER *compiler, struct error *err)
{
	int code = yr_compiler_get_rules(compiler, out);
	if (code == ERROR_SUCCESS)
		return 0;
	return error_set(err, EINVAL, "libyara: %s", rule_file_words(code));
}

static int compile(struct rule_file *file, struct notes *notes, struct error *err)
{
	YR_COMPILER *compiler = NULL;
	int result = open_compiler(&compiler, notes, err);
	if (result < 0)
		return result;
	result = add_text(compiler, notes, err);
	if (result == 0 && take_rules(&file->rules, compiler, err) < 0) {
		file->rules = NULL;
		result = error_prefix(err, "%s", file->path);
	}
	yr_compiler_destroy(compiler);
	return result;
}

int rule_file_load(struct rule_file *file, struct error *err)
{
	file->text = read_text(file->path, &file->len);
	if (!file->text && errno == EFBIG)
		return error_set(err, EFBIG, "%s: larger than %zu bytes", file->path,
				 RULE_FILE_MAX);
	if (!file->text)
		return error_set(err, errno, "%s: %s", file->path, read_words(errno));
	AUTO(hash) struct hash *hash = hash_new();
	struct notes notes = { .file = file, .hash = hash };
	note_text(&notes, file->text, file->len);
	int result = compile(file, &notes, err);
	hash_end(hash, file->hash);
	return result;
}

int rule_file_restore(struct rule_file *file, const struct keep_record *record, struct error *err)
{
	if (record->hash.len != HASH_HEX - 1)
		return error_set(err, EINVAL, "%s: what was kept cannot be read", file->path);
	int result = rule_file_read(&file->rules, record->bytes.at, record->bytes.len, err);
	if (result < 0)
		return error_prefix(err, "%s", file->path);
	memcpy(file->hash, record->hash.at, record->hash.len);
	file->hash[HASH_HEX - 1] = '\0';
	file->reads = record->reads;
	file->old = true;
	return 0;
}

void rule_file_done(struct rule_file *file)
{
	if (file->rules)
		(void)yr_rules_destroy(file->rules);
	free(file->text);
	*file = (struct rule_file){ 0 };
}

int rule_file_join(YR_RULES **out, const struct rule_file *files, size_t count, struct error *err)
{
	struct rule_file now = { 0 };
	struct notes notes = { .file = &now };
	YR_COMPILER *compiler = NULL;
	int result = open_compiler(&compiler, &notes, err);
	size_t joined = 0;
	for (size_t i = 0; i < count && result == 0; i++) {
		if (!files[i].rules || files[i].old)
			continue;
		now = files[i]; /* borrowed: for the callbacks */
		result = add_text(compiler, &notes, err);
		joined++;
	}
	*out = NULL;
	if (result == 0 && joined)
		result = take_rules(out, compiler, err);
	if (compiler)
		yr_compiler_destroy(compiler);
	return result;
}

static size_t write_part(const void *bytes, size_t size, size_t count, void *out)
{
	str_append(out, bytes, size * count);
	return count;
}

static size_t read_part(void *bytes, size_t size, size_t count, void *in_)
{
	struct wire_bytes *in = in_;
	size_t whole = size ? in->len / size : 0;
	count = count < whole ? count : whole;
	memcpy(bytes, in->at, size * count);
	in->at += size * count;
	in->len -= size * count;
	return count;
}

int rule_file_save(YR_RULES *rules, struct str *out, struct error *err)
{
	YR_STREAM stream = { .user_data = out, .write = write_part };
	int code = yr_rules_save_stream(rules, &stream);
	if (code == ERROR_SUCCESS)
		return 0;
	return error_set(err, EINVAL, "compiled rules cannot be kept: %s", rule_file_words(code));
}

int rule_file_read(YR_RULES **out, const void *bytes, size_t len, struct error *err)
{
	struct wire_bytes in = { .at = bytes, .len = len };
	YR_STREAM stream = { .user_data = &in, .read = read_part };
	YR_RULES *rules = NULL;
	int code = yr_rules_load_stream(&stream, &rules);
	if (code != ERROR_SUCCESS)
		return error_set(err, EINVAL, "what was kept cannot be read: %s",
				 rule_file_words(code));
	*out = rules;
	return 0;
}

const char *rule_file_words(int code)
{
	switch (code) {
	case ERROR_INSUFFICIENT_MEMORY:
		return "no memory";
	case ERROR_SCAN_TIMEOUT:
		return "the deadline passed";
	case ERROR_EXEC_STACK_OVERFLOW:
		return "a condition needs more stack than there is";
	case ERROR_TOO_MANY_MATCHES:
		return "a string matches too often";
	case ERROR_TOO_MANY_RE_FIBERS:
		return "a regular expression needs too many states";
	case ERROR_REGULAR_EXPRESSION_TOO_COMPLEX:
	case ERROR_REGULAR_EXPRESSION_TOO_LARGE:
		return "a regular expression is too large or too complex";
	case ERROR_TOO_MANY_STRINGS:
		return "a rule has too many strings";
	case ERROR_CORRUPT_FILE:
	case ERROR_INVALID_FILE:
	case ERROR_UNSUPPORTED_FILE_VERSION:
		return "not the rules that this libyara writes";
	case ERROR_INTERNAL_FATAL_ERROR:
		return "an error inside libyara";
	default:
		return "an error of libyara";
	}
}
