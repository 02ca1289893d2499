/* Tests of core/config/document.c: the tree, its places, its limits, and what garbage does to it.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "config_support.h"

static struct document *parse(const char *text)
{
	struct document *document = NULL;
	struct error err = { 0 };
	int r = document_parse(&document, "t.yml", text, strlen(text), &err);
	cr_assert_eq(r, 0, "%s", err.text);
	return document;
}

static char *repeated(const char *piece, size_t times, const char *before, const char *after)
{
	size_t len = strlen(piece);
	char *text = malloc(strlen(before) + len * times + strlen(after) + 1);
	char *at = stpcpy(text, before);
	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, piece);
	strcpy(at, after);
	return text;
}

static void refused(const char *text, size_t len, const char *words)
{
	struct document *document = NULL;
	struct error err = { 0 };
	int r = document_parse(&document, "t.yml", text, len, &err);
	cr_assert_lt(r, 0, "accepted, expected: %s", words);
	cr_assert_null(document);
	cr_assert_not_null(strstr(err.text, words), "expected \"%s\" in: %s", words, err.text);
}

Test(document, gives_places_and_kinds)
{
	struct document *document = parse("a: 1\nlist:\n  - x\n  - 'y'\n");
	const struct node *root = document->root;
	cr_assert_eq(root->type, NODE_MAP);
	cr_assert_eq(root->count, 2);
	cr_assert_str_eq(root->pairs[0].key->text, "a");
	cr_assert(root->pairs[0].value->plain);
	const struct node *list = root->pairs[1].value;
	cr_assert_eq(list->type, NODE_LIST);
	cr_assert_eq(list->count, 2);
	cr_assert_eq(list->items[1]->at.line, 4);
	cr_assert_eq(list->items[1]->at.column, 5);
	cr_assert_not(list->items[1]->plain);
	document_free(document);
}

Test(document, of_nothing_has_no_root)
{
	static const char *const texts[] = { "", "\n\n", "# only a comment\n",
					     "\xEF\xBB\xBF# BOM\n" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct document *document = parse(texts[i]);
		cr_assert_null(document->root);
		document_free(document);
	}
}

Test(document, aliases_share_a_node_and_anchors_may_be_used_twice)
{
	struct document *document = parse("a: &x [1]\nb: *x\nc: &x [2]\nd: *x\n");
	const struct node_pair *pairs = document->root->pairs;
	cr_assert_eq(pairs[0].value, pairs[1].value);
	cr_assert_eq(pairs[2].value, pairs[3].value);
	cr_assert_neq(pairs[0].value, pairs[2].value);
	document_free(document);
}

Test(document, merges_keys_that_are_not_there)
{
	struct document *document = parse("a: &a {k: 1, l: 2}\nb: &b {l: 3, m: 4}\n"
					  "c:\n  <<: [*a, *b]\n  k: own\n");
	const struct node *c = document->root->pairs[2].value;
	cr_assert_eq(c->count, 3);
	cr_assert_str_eq(c->pairs[0].value->text, "own");
	cr_assert_str_eq(c->pairs[1].key->text, "l");
	cr_assert_str_eq(c->pairs[1].value->text, "2");
	cr_assert_str_eq(c->pairs[2].value->text, "4");
	document_free(document);
}

Test(document, a_text_tag_makes_a_text)
{
	struct document *document = parse("a: !!str null\nb: null\nc: ! ~\n");
	const struct node_pair *pairs = document->root->pairs;
	cr_assert_not(node_is_null(pairs[0].value));
	cr_assert(node_is_null(pairs[1].value));
	cr_assert_not(node_is_null(pairs[2].value));
	document_free(document);
}

Test(document, says_where_it_is_broken)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "a: 1\nb: {c: 2\n", "t.yml:3:1: not YAML" },
		{ "a:\n\t- b\n",
		  "t.yml:2:1: not YAML: found character that cannot start any token" },
		{ "a: b: c\n", "t.yml:1:5: not YAML: mapping values are not allowed" },
		{ "a: 1\n\nb: \xff\n", "t.yml:3:4: invalid leading UTF-8 octet (byte 0xff)" },
		{ "\xff\xfe"
		  "a",
		  "t.yml:1:1: invalid leading UTF-8 octet" },
		{ "a: \x01\n", "t.yml:1:4: control characters are not allowed" },
		{ "a: \"b\\0c\"\n", "t.yml:1:4: a value holds a NUL byte" },
		{ "--- 1\n--- 2\n", "t.yml:2:1: a second YAML document" },
		{ "a: 1\n...\nb: 2\n", "t.yml:3:1: not YAML" },
		{ "a: *none\n", "t.yml:1:4: no anchor &none stands before *none" },
		{ "a: &x [*x]\n", "t.yml:1:8: the alias *x stands inside its own anchor" },
		{ "a: &x {b: {c: *x}}\n", "inside its own anchor" },
		{ "a: !!python/object:os.system x\n", "t.yml:1:4: the tag" },
		{ "a: !foo [1]\n", "the tag \"!foo\" is not known" },
		{ "? [a]\n: b\n", "t.yml:1:3: expected a word as the key, found a list" },
		{ "a: {<<: 1}\n", "t.yml:1:5: \"<<\" expects a mapping" },
		{ "'a\n", "not YAML" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		refused(rows[i].text, strlen(rows[i].text), rows[i].words);
	refused("a: b\0c\n", 7, "t.yml:1:5: control characters are not allowed (byte 0x00)");
}

/* With libyaml's own loader these take a minute each; here each must end at the limit's depth. */
Test(document, stops_at_the_depth_limit, .timeout = 20)
{
	static const char *const pieces[] = { "[", "{a: ", "- " };
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		char *text = repeated(pieces[i], 200000, "", "");
		refused(text, strlen(text), "nested deeper than 32 levels");
		free(text);
	}
}

Test(document, counts_what_aliases_stand_for)
{
	char text[8192] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
	char *at = text + strlen(text);
	for (int i = 1; i < 9; i++)
		at += sprintf(at, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
			      i - 1, i - 1, i - 1);
	refused(text, strlen(text), "more than 100000 nodes once every alias is followed");
}

Test(document, counts_long_texts_that_aliases_repeat)
{
	char *text = repeated("x", 500000, "a: &a ", "\nb: [*a");
	char *more = repeated(", *a", 40, text, "]\n");
	refused(more, strlen(more), "more than 100000 nodes");
	free(text);
	free(more);
}

Test(document, counts_the_depth_that_aliases_add)
{
	char text[8192] = "a0: &a0 [x]\n";
	char *at = text + strlen(text);
	for (int i = 1; i < 60; i++)
		at += sprintf(at, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	refused(text, strlen(text), "nested deeper than 32 levels once every alias is followed");
}

Test(document, bounds_merging)
{
	static char big[DOCUMENT_BYTES_MAX];
	char *at = stpcpy(big, "a: &a {");
	for (int i = 0; i < 800; i++)
		at += sprintf(at, "k%d: 1, ", i);
	at = stpcpy(at, "}\nb: &b {");
	for (int i = 0; i < 800; i++)
		at += sprintf(at, "l%d: 1, ", i);
	strcpy(at, "}\nc: {<<: [*a, *b]}\n");
	refused(big, strlen(big), "t.yml:3:5: more than 1024 keys");
}

Test(document, bounds_keys_nodes_anchors_and_bytes)
{
	char *text = repeated("a: 1\n", DOCUMENT_PAIRS_MAX + 1, "", "");
	refused(text, strlen(text), "t.yml:1025:1: more than 1024 keys");
	free(text);
	text = repeated("a,", DOCUMENT_NODES_MAX, "[", "]");
	refused(text, strlen(text), "more than 100000 nodes");
	free(text);
	char *anchors = malloc(16384);
	char *at = stpcpy(anchors, "[");
	for (int i = 0; i <= DOCUMENT_ANCHORS_MAX; i++)
		at += sprintf(at, "&a%d x, ", i);
	strcpy(at, "]");
	refused(anchors, strlen(anchors), "more than 256 anchors");
	free(anchors);
	text = repeated("#", DOCUMENT_BYTES_MAX + 1, "", "");
	refused(text, strlen(text), "larger than 1048576 bytes");
	free(text);
}

Test(document, load_says_why_a_file_cannot_be_read, .init = support_setup, .fini = support_teardown)
{
	struct document *document = NULL;
	struct error err;
	cr_assert_eq(document_load(&document, "/nonexistent/x.yml", &err), -ENOENT);
	cr_assert_str_eq(err.text, "/nonexistent/x.yml: No such file or directory");
	cr_assert_eq(document_load(&document, support_dir, &err), -EISDIR);
	const char *path = support_write("x.yml", "a: [1\n");
	cr_assert_eq(document_load(&document, path, &err), -EINVAL);
	cr_assert_eq(strncmp(err.text, path, strlen(path)), 0);
	cr_assert_eq(document_load(&document, "/dev/zero", &err), -E2BIG);
}

Test(document, a_pipe_is_read_to_its_end_and_one_that_nobody_writes_to_is_refused,
     .init = support_setup, .fini = support_teardown)
{
	struct document *document = NULL;
	struct error err;
	char path[512];
	snprintf(path, sizeof path, "%s/pipe.yml", support_dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(document_load(&document, path, &err), -ENODATA);
	cr_assert(strstr(err.text, "nobody writes"), "%s", err.text);
	int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(write(writer, "a: 1\n", 5), 5);
	pid_t child = fork();
	if (child == 0) { /* more of it once the first part was read; closes last */
		int left = 1;
		while (ioctl(writer, FIONREAD, &left) == 0 && left > 0)
			(void)poll(NULL, 0, 1);
		_exit(write(writer, "b: 2\n", 5) == 5 ? 0 : 1);
	}
	close(writer);
	cr_assert_eq(document_load(&document, path, &err), 0, "%s", err.text);
	document_free(document);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	close(reader);
}

Test(document, long_file_names_leave_room_for_words)
{
	char name[4000];
	memset(name, 'd', sizeof name);
	strcpy(name + sizeof name - 6, "x.yml");
	struct document *document = NULL;
	struct error err;
	cr_assert_eq(document_parse(&document, name, "{", 1, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, "x.yml:2:1: not YAML"), "%s", err.text);
}

/* Whatever comes in, a tree or an error comes out: random bytes, and a real file cut and bent. */
static void feed(const char *bytes, size_t len)
{
	struct document *document = NULL;
	struct error err = { 0 };
	int r = document_parse(&document, "t.yml", bytes, len, &err);
	cr_assert((r == 0) == (document != NULL));
	cr_assert(r == 0 || *err.text);
	document_free(document);
}

Test(document, survives_garbage)
{
	static const char sample[] =
		"roots:\n  - path: /a\n    producer: &p 'zeek'\nhash: \"never\"\n"
		"x: {<<: {a: *p}, b: [1, 2, {c: |\n  text\n  }]}\n"
		"y: >-\n  folded\n  text\n? k\n: !!str v\n";
	unsigned seed = 20240607;
	char bytes[512];
	for (int round = 0; round < 20000; round++) {
		size_t len = 1 + (size_t)rand_r(&seed) % sizeof bytes;
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)rand_r(&seed);
		feed(bytes, len);
	}
	static const char alphabet[] = "[]{}:,-?&*!|>'\"%@` \n\t#ab<0";
	for (int round = 0; round < 20000; round++) {
		size_t len = 1 + (size_t)rand_r(&seed) % 60;
		for (size_t i = 0; i < len; i++)
			bytes[i] = alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
		feed(bytes, len);
	}
	for (size_t cut = 0; cut < sizeof sample; cut++) {
		feed(sample, cut);
		for (int round = 0; round < 30; round++) {
			memcpy(bytes, sample, sizeof sample);
			bytes[(size_t)rand_r(&seed) % (cut + 1)] = (char)rand_r(&seed);
			bytes[(size_t)rand_r(&seed) % (sizeof sample - 1)] =
				alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
			feed(bytes, sizeof sample - 1);
		}
	}
}
