/* pattern: see pattern.h. */
#include "core/entry/pattern.h"

#include <errno.h>
#include <pcre2.h>
#include <stdint.h>
#include <string.h>

#include "core/base/error.h"

/* Ordinary names need a few hundred steps; what needs more was made to need more. */
#define MATCH_LIMIT	100000
#define HEAP_LIMIT_KIB	1024
#define JIT_STACK_START ((size_t)32 * 1024)
#define JIT_STACK_MAX	((size_t)256 * 1024)

struct group {
	uint16_t number;
	enum entry_field field;
};

struct pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack; /* NULL without JIT */
	struct group *groups;
	size_t group_count;
	unsigned long limits_hit;
};

static int compile(struct pattern *p, const char *text, struct error *err)
{
	size_t len = strlen(text), offset = 0;
	int code = 0;
	if (len > PATTERN_MAX)
		return error_set(err, EINVAL, "the pattern has %zu bytes, more than %d", len,
				 PATTERN_MAX);
	p->code = pcre2_compile((PCRE2_SPTR)text, len, PCRE2_ANCHORED | PCRE2_NEVER_UTF, &code,
				&offset, NULL);
	if (p->code)
		return 0;
	PCRE2_UCHAR words[256];
	if (pcre2_get_error_message(code, words, sizeof words) < 0)
		words[0] = '\0';
	return error_set(err, EINVAL, "pattern \"%.200s\", at byte %zu: %s", text, offset,
			 (const char *)words);
}

/* Notes which capture groups are entry fields. PCRE2's table has rows of a fixed size: two bytes of
 * group number, then the name (pcre2api(3), "Information about a compiled pattern"). */
static int find_groups(struct pattern *p, const char *text, struct error *err)
{
	uint32_t count = 0, row_size = 0;
	PCRE2_SPTR row = NULL;
	(void)pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &count);
	(void)pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &row_size);
	(void)pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &row);
	p->groups = xcalloc((size_t)count + 1, sizeof *p->groups);
	for (uint32_t i = 0; i < count; i++, row += row_size) {
		const char *name = (const char *)row + 2;
		enum entry_field field = entry_field_by_name(name, strlen(name));
		if (field == ENTRY_FIELDS)
			continue;
		p->groups[p->group_count++] = (struct group){
			.number = (uint16_t)(row[0] << 8 | row[1]),
			.field = field,
		};
	}
	if (p->group_count > 0)
		return 0;
	return error_set(
		err, EINVAL,
		"\"%.200s\" is no scheme (auto, broapt, broapt-exact, zeek, malcolm, "
		"securityonion, bzar, suricata, strelka), and as a pattern it names no field "
		"of an entry, as (?<fuid>...) would",
		text);
}

static void prepare_match(struct pattern *p)
{
	p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
	p->context = pcre2_match_context_create(NULL);
	if (!p->data || !p->context)
		abort();
	(void)pcre2_set_match_limit(p->context, MATCH_LIMIT);
	(void)pcre2_set_heap_limit(p->context, HEAP_LIMIT_KIB);
	/* Refused under MemoryDenyWriteExecute and on machines that have no JIT. */
	if (pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) != 0)
		return;
	p->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
	if (p->stack)
		pcre2_jit_stack_assign(p->context, NULL, p->stack);
}

int pattern_new(struct pattern **out, const char *text, struct error *err)
{
	AUTO(pattern) struct pattern *p = xcalloc(1, sizeof *p);
	int failed = compile(p, text, err);
	if (failed)
		return failed;
	failed = find_groups(p, text, err);
	if (failed)
		return failed;
	prepare_match(p);
	*out = TAKE(p);
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_match_data_free(pattern->data);
	pcre2_match_context_free(pattern->context);
	pcre2_jit_stack_free(pattern->stack);
	pcre2_code_free(pattern->code);
	free(pattern->groups);
	free(pattern);
}

static bool is_limit(int code)
{
	return code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT ||
	       code == PCRE2_ERROR_HEAPLIMIT || code == PCRE2_ERROR_JIT_STACKLIMIT ||
	       code == PCRE2_ERROR_RECURSELOOP || code == PCRE2_ERROR_NOMEMORY;
}

/* \K and lookarounds can leave a group that ends before it starts: it counts as not there. */
static void take_group(const struct pattern *p, const struct group *group, struct slice base,
		       struct entry *entry)
{
	const PCRE2_SIZE *pair = pcre2_get_ovector_pointer(p->data) + (size_t)2 * group->number;
	PCRE2_SIZE start = pair[0], end = pair[1];
	if (start == PCRE2_UNSET || start > end || end > base.len || entry->field[group->field].at)
		return;
	entry->field[group->field] = (struct slice){ base.at + start, end - start };
}

bool pattern_match(struct pattern *pattern, struct slice base, struct entry *entry)
{
	int code = pcre2_match(pattern->code, (PCRE2_SPTR)base.at, base.len, 0, 0, pattern->data,
			       pattern->context);
	if (code < 0) {
		pattern->limits_hit += is_limit(code);
		return false;
	}
	for (size_t i = 0; i < pattern->group_count; i++)
		take_group(pattern, &pattern->groups[i], base, entry);
	entry_set_mime(entry);
	return true;
}

unsigned long pattern_limits_hit(const struct pattern *pattern)
{
	return pattern->limits_hit;
}
