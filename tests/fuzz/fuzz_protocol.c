/* Packets of a helper: what is read is, written again, the same bytes, so nothing in a packet is
 * passed over. */
#include "core/base/str.h"
#include "core/helper/json_check.h"
#include "core/helper/protocol.h"
#include "tests/fuzz/fuzz.h"

static void same(const struct str *packet, struct str *again)
{
	must(again->len == packet->len && memcmp(again->data, packet->data, packet->len) == 0);
	str_done(again);
}

static void try_load(const struct str *packet)
{
	struct helper_load load = { 0 };
	struct str again = STR_INIT;
	if (!helper_read_load(packet, &load))
		return;
	must(load.path_count <= HELPER_PATHS_MAX);
	helper_put_load(&again, &load);
	helper_load_done(&load);
	same(packet, &again);
}

static void try_hello(const struct str *packet)
{
	struct helper_hello hello = { 0 };
	struct str again = STR_INIT;
	if (!helper_read_hello(packet, &hello))
		return;
	must(hello.problem_count <= HELPER_PROBLEMS_MAX);
	/* a helper that cannot scan has no digest, and words that are empty are put in */
	bool all = hello.ok;
	for (size_t i = 0; i < hello.problem_count; i++) {
		must(has_words(hello.problems[i]));
		all = all && strcmp(hello.problems[i], "no words") != 0;
	}
	must(hello.ok ? strlen(hello.digest) == 64 : hello.problem_count > 0);
	helper_put_hello(&again, &hello);
	helper_hello_done(&hello);
	if (all)
		same(packet, &again);
	str_done(&again);
}

static void try_request(const struct str *packet)
{
	struct helper_request request = { 0 };
	struct str again = STR_INIT;
	if (!helper_read_request(packet, &request))
		return;
	helper_put_request(&again, &request);
	same(packet, &again);
}

static void try_answer(const struct str *packet)
{
	struct helper_answer answer = { 0 };
	struct str again = STR_INIT;
	if (!helper_read_answer(packet, &answer))
		return;
	must(answer.outcome < OUTCOMES);
	must(!answer.detail || (is_ascii(answer.detail) && is_json(answer.detail)));
	must(!answer.real_mime || helper_is_mime(answer.real_mime));
	for (const char *c = answer.signature; c && *c; c++)
		must((unsigned char)*c >= 0x20 && *c != 0x7f);
	helper_put_answer(&again, &answer);
	helper_answer_done(&answer);
	same(packet, &again);
}

static void try_number(const struct str *packet)
{
	for (int kind = HELPER_FORK; kind <= HELPER_REAPED; kind++) {
		struct str again = STR_INIT;
		int64_t number = 0;
		if (!helper_read_number(packet, (enum helper_packet)kind, &number))
			continue;
		must((int)helper_kind_of(packet) == kind);
		helper_put_number(&again, (enum helper_packet)kind, number);
		same(packet, &again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str packet = { .data = input_exact((const char *)data, size), .len = size };
	(void)helper_kind_of(&packet);
	try_load(&packet);
	try_hello(&packet);
	try_request(&packet);
	try_answer(&packet);
	try_number(&packet);
	/* what passes is JSON to others, too */
	if (json_check_object(packet.data, size)) {
		char *text = input_text(packet.data, size);
		must(is_ascii(text) && strlen(text) == size && is_json(text));
		free(text);
	}
	free(packet.data);
	return 0;
}
