/* origin: what is written is read back, once written it stays, and strange bytes do no harm. */
#include <jansson.h>

#include "core/dispose/origin.h"
#include "dispose_fixture.h"

static struct yard y;
static struct error err;

static void setup(void)
{
	yard_init(&y);
}

static void teardown(void)
{
	yard_done(&y);
}

TestSuite(origin, .init = setup, .fini = teardown);

static const struct origin origin = {
	.uid = 1000, .gid = UINT_MAX - 1, .mode = 04755, .mtime_ns = -5, .atime_ns = T0
};

Test(origin, is_json_with_what_is_known)
{
	AUTO_STR text = STR_INIT;
	yard_file(&y, "a\"\\\n\xff", "abc");
	struct removal_task task = yard_task(&y, "a\"\\\n\xff", REMOVAL_QUARANTINE);
	task.version->findings[0].signature = xstrdup("Evil\"\n");
	origin_put(&text, &origin, &task.removal, task.version);
	for (size_t i = 0; i + 1 < text.len; i++)
		cr_assert(text.data[i] >= 0x20 && text.data[i] < 0x7f);
	char *lone = strstr(text.data, "\\udcff"); /* a reader of another make may refuse it */
	cr_assert(lone);
	memcpy(lone, "\\u0041", 6);
	json_t *json = json_loads(text.data, 0, NULL);
	cr_assert(json, "%s", text.data);
	cr_expect(json_integer_value(json_object_get(json, "uid")) == 1000);
	cr_expect_str_eq(json_string_value(json_object_get(json, "mode")), "4755");
	cr_expect_str_eq(json_string_value(json_object_get(json, "verdict")), "malicious");
	cr_expect_str_eq(json_string_value(json_object_get(json, "cause")), "rule");
	cr_expect(strlen(json_string_value(json_object_get(json, "sha256"))) == 64);
	json_t *answer = json_array_get(json_object_get(json, "answers"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(answer, "signature")), "Evil\"\n");
	json_decref(json);
	yard_task_done(&task);
}

Test(origin, is_read_back_and_not_written_over)
{
	struct origin got = { 0 };
	yard_file(&y, "f", "abc");
	struct removal_task task = yard_task(&y, "f", REMOVAL_QUARANTINE);
	cr_assert(origin_write(y.vault, "1-x", &origin, &task.removal, task.version) == 0);
	struct origin other = { .uid = 7 };
	cr_assert(origin_write(y.vault, "1-x", &other, &task.removal, task.version) == 0);
	cr_assert(origin_read(y.vault, "1-x", &got, &err) == 0, "%s", err.text);
	cr_expect(memcmp(&got, &origin, sizeof got) == 0);
	cr_expect(yard_count(y.quarantine) == 1, "and nothing unfinished lies there");
	yard_task_done(&task);
}

Test(origin, what_is_not_ours_is_refused)
{
	struct origin got = { 0 };
	char path[256];
	static const char *const wrong[] = {
		"", "{", "{\"uid\":,", "{\"uid\":1,\"gid\":2,\"mode\":\"0644\"",
		"{\"uid\":99999999999999999999,\"gid\":2,\"mode\":\"0644\","
		"\"mtime_ns\":1,\"atime_ns\":2,\"id\":3"
	};
	snprintf(path, sizeof path, "%s/1-x.json", y.quarantine);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		world_write_file(path, wrong[i], strlen(wrong[i]));
		cr_expect(origin_read(y.vault, "1-x", &got, &err) == -EBADMSG, "%s", wrong[i]);
	}
	cr_expect(origin_read(y.vault, "2-x", &got, &err) == -ENOENT);
}
