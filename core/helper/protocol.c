/* protocol: see protocol.h. */
#include "core/helper/protocol.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/helper/json_check.h"

/* RFC 6838 section 4.2: type and subtype have at most so many characters each. */
#define MIME_TOKEN_MAX 127

void helper_load_done(struct helper_load *load)
{
	for (size_t i = 0; i < load->path_count; i++)
		free(load->paths[i]);
	free(load->paths);
	*load = (struct helper_load){ 0 };
}

void helper_hello_done(struct helper_hello *hello)
{
	for (size_t i = 0; i < hello->problem_count; i++)
		free(hello->problems[i]);
	*hello = (struct helper_hello){ 0 };
}

void helper_answer_done(struct helper_answer *answer)
{
	free(answer->signature);
	free(answer->detail);
	free(answer->real_mime);
	*answer = (struct helper_answer){ .outcome = OUTCOMES };
}

void helper_problem(struct helper_hello *hello, const char *words)
{
	if (hello->problem_count < HELPER_PROBLEMS_MAX)
		hello->problems[hello->problem_count++] =
			xmemdup(words, strnlen(words, HELPER_PROBLEM_MAX));
}

static void begin(struct str *packet, enum helper_packet kind)
{
	str_reset(packet);
	wire_put_number(packet, kind);
}

void helper_put_load(struct str *packet, const struct helper_load *load)
{
	begin(packet, HELPER_LOAD);
	wire_put_number(packet, load->restore);
	wire_put_number(packet, (uint64_t)load->limit);
	wire_put_number(packet, load->path_count);
	for (size_t i = 0; i < load->path_count; i++)
		wire_put_text(packet, load->paths[i]);
}

void helper_put_hello(struct str *packet, const struct helper_hello *hello)
{
	begin(packet, HELPER_HELLO);
	wire_put_number(packet, hello->ok);
	wire_put_text(packet, hello->digest);
	wire_put_number(packet, hello->reads);
	wire_put_number(packet, hello->files);
	wire_put_number(packet, hello->rules);
	wire_put_number(packet, hello->failed);
	wire_put_number(packet, hello->kept);
	wire_put_number(packet, hello->problem_count);
	for (size_t i = 0; i < hello->problem_count; i++)
		wire_put_text(packet, hello->problems[i]);
}

void helper_put_request(struct str *packet, const struct helper_request *request)
{
	begin(packet, HELPER_SCAN);
	wire_put_number(packet, request->id);
	wire_put_number(packet, (uint64_t)request->timeout_ms);
	wire_put_number(packet, (uint64_t)request->size);
	for (unsigned i = 0; i < HELPER_FIELDS; i++)
		wire_put_bytes(packet, request->field[i].at, request->field[i].len);
}

void helper_put_answer(struct str *packet, const struct helper_answer *answer)
{
	begin(packet, HELPER_ANSWER);
	wire_put_number(packet, answer->id);
	wire_put_number(packet, answer->outcome);
	wire_put_text(packet, answer->signature);
	wire_put_text(packet, answer->detail);
	wire_put_text(packet, answer->real_mime);
}

void helper_put_number(struct str *packet, enum helper_packet kind, int64_t number)
{
	begin(packet, kind);
	wire_put_number(packet, (uint64_t)number);
}

static struct wire open_packet(const struct str *packet, enum helper_packet kind)
{
	struct wire in = { .at = str_text(packet), .left = packet->len };
	if (wire_number(&in) != kind)
		in.bad = true;
	return in;
}

enum helper_packet helper_kind_of(const struct str *packet)
{
	struct wire in = { .at = str_text(packet), .left = packet->len };
	return (enum helper_packet)wire_number_to(&in, HELPER_ANSWER);
}

bool helper_read_load(const struct str *packet, struct helper_load *out)
{
	struct wire in = open_packet(packet, HELPER_LOAD);
	struct helper_load load = { .restore = wire_number_to(&in, 1) != 0 };
	load.limit = (int64_t)wire_number_to(&in, INT64_MAX);
	size_t count = (size_t)wire_number_to(&in, HELPER_PATHS_MAX);
	load.paths = xcalloc(count + 1, sizeof *load.paths);
	for (size_t i = 0; i < count && !in.bad; i++) {
		load.paths[i] = wire_text(&in, HELPER_PATH_MAX);
		in.bad = in.bad || !load.paths[i];
		load.path_count += load.paths[i] != NULL;
	}
	if (!wire_ended(&in)) {
		helper_load_done(&load);
		return false;
	}
	*out = load;
	return true;
}

static bool is_hex_digest(const char *text)
{
	return text && strlen(text) == 64 && text[strspn(text, "0123456789abcdef")] == '\0';
}

bool helper_read_hello(const struct str *packet, struct helper_hello *out)
{
	struct wire in = open_packet(packet, HELPER_HELLO);
	struct helper_hello hello = { .ok = wire_number_to(&in, 1) != 0 };
	AUTO_FREE char *digest = wire_text(&in, sizeof hello.digest - 1);
	hello.reads = (unsigned)wire_number_to(&in, (1U << HELPER_FIELDS) - 1);
	hello.files = wire_number(&in);
	hello.rules = wire_number(&in);
	hello.failed = wire_number(&in);
	hello.kept = wire_number(&in);
	size_t count = (size_t)wire_number_to(&in, HELPER_PROBLEMS_MAX);
	for (size_t i = 0; i < count && !in.bad; i++) {
		AUTO_FREE char *words = wire_text(&in, HELPER_PROBLEM_MAX);
		helper_problem(&hello, words ? words : "no words");
	}
	bool good = wire_ended(&in) && (hello.ok ? is_hex_digest(digest) : count > 0);
	if (!good) {
		helper_hello_done(&hello);
		return false;
	}
	if (hello.ok)
		memcpy(hello.digest, digest, sizeof hello.digest);
	*out = hello;
	return true;
}

bool helper_read_request(const struct str *packet, struct helper_request *out)
{
	struct wire in = open_packet(packet, HELPER_SCAN);
	struct helper_request request = { .id = wire_number(&in) };
	request.timeout_ms = (int64_t)wire_number_to(&in, INT64_MAX);
	request.size = (int64_t)wire_number_to(&in, INT64_MAX);
	for (unsigned i = 0; i < HELPER_FIELDS; i++)
		request.field[i] = wire_bytes(&in, HELPER_FIELD_MAX);
	if (!wire_ended(&in))
		return false;
	*out = request;
	return true;
}

/* Well-formed UTF-8 without control characters (C0, DEL, C1). */
static bool is_plain_text(const char *text)
{
	size_t left = strlen(text);
	while (left > 0) {
		uint32_t point = 0;
		size_t len = utf8_decode(text, left, &point);
		if (len == 0 || point < ' ' || (point >= 0x7f && point < 0xa0))
			return false;
		text += len;
		left -= len;
	}
	return true;
}

/* RFC 6838 section 4.2, restricted-name: a letter or digit, then up to 126 more characters. */
static size_t token(const char *text)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+";
	size_t len = strspn(text, rest);
	return len && strchr(first, *text) && len <= MIME_TOKEN_MAX ? len : 0;
}

bool helper_is_mime(const char *text)
{
	size_t len = token(text);
	if (!len || text[len] != '/')
		return false;
	text += len + 1;
	len = token(text);
	return len && text[len] == '\0';
}

bool helper_read_answer(const struct str *packet, struct helper_answer *out)
{
	struct wire in = open_packet(packet, HELPER_ANSWER);
	struct helper_answer answer = { .id = wire_number(&in) };
	answer.outcome = (enum outcome)wire_number_to(&in, OUTCOMES - 1);
	answer.signature = wire_text(&in, HELPER_SIGNATURE_MAX);
	answer.detail = wire_text(&in, HELPER_DETAIL_MAX);
	answer.real_mime = wire_text(&in, HELPER_MIME_MAX);
	bool good = wire_ended(&in) && (!answer.signature || is_plain_text(answer.signature)) &&
		    (!answer.detail || json_check_object(answer.detail, strlen(answer.detail))) &&
		    (!answer.real_mime || helper_is_mime(answer.real_mime));
	if (!good) {
		helper_answer_done(&answer);
		return false;
	}
	*out = answer;
	return true;
}

bool helper_read_number(const struct str *packet, enum helper_packet kind, int64_t *out)
{
	struct wire in = open_packet(packet, kind);
	int64_t number = (int64_t)wire_number(&in);
	if (!wire_ended(&in))
		return false;
	*out = number;
	return true;
}
