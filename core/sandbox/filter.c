/* filter: see filter.h. */
#include "core/sandbox/filter.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/sandbox/newer.h"
#include "core/sandbox/sandbox.h"

int filter_available(void)
{
	const uint32_t action = SECCOMP_RET_ERRNO;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? 0 : -errno;
}

static uint32_t action_of(const struct filter_rule *rule)
{
	return rule->answer == FILTER_PERMIT ? SCMP_ACT_ALLOW
					     : SCMP_ACT_ERRNO((uint32_t)rule->answer);
}

/* Kernel and C library leave the upper half of an int argument as it happens to be, so what fits
 * into 32 bits is compared in 32 bits. */
static struct scmp_arg_cmp masked(const struct filter_rule *rule, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){
		.arg = rule->argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value
	};
}

static int add_one(scmp_filter_ctx filter, const struct filter_rule *rule, int number,
		   struct scmp_arg_cmp condition)
{
	return seccomp_rule_add_array(filter, action_of(rule), number, 1, &condition);
}

/* One rule a bit of bits that has a certain value in the argument: set, or other than in value. */
static int add_bits(scmp_filter_ctx filter, const struct filter_rule *rule, int number,
		    uint64_t bits, uint64_t wanted)
{
	int result = 0;
	for (unsigned i = 0; i < 32 && result == 0; i++) {
		const uint64_t bit = UINT64_C(1) << i;
		if (bits & bit)
			result = add_one(filter, rule, number, masked(rule, bit, wanted & bit));
	}
	return result;
}

/* The other numbers below 64, and everything from there on: one of the upper bits is set. */
static int add_not_among(scmp_filter_ctx filter, const struct filter_rule *rule, int number)
{
	int result = add_bits(filter, rule, number, ~UINT64_C(63), UINT32_MAX);
	for (unsigned i = 0; i < 64 && result == 0; i++) {
		if (!(rule->value & UINT64_C(1) << i))
			result = add_one(filter, rule, number, masked(rule, UINT32_MAX, i));
	}
	return result;
}

static int add_rule(scmp_filter_ctx filter, const struct filter_rule *rule)
{
	const int number = seccomp_syscall_resolve_name(rule->name);
	if (number == __NR_SCMP_ERROR)
		return -ENOSYS; /* to pass it over would permit what the table refuses */
	if (number < 0)
		return 0; /* another machine has it */
	switch (rule->when) {
	case FILTER_ALWAYS:
		return seccomp_rule_add_array(filter, action_of(rule), number, 0, NULL);
	case FILTER_EQUAL:
		return add_one(filter, rule, number, masked(rule, UINT32_MAX, rule->value));
	case FILTER_UNEQUAL:
		return add_bits(filter, rule, number, UINT32_MAX, ~rule->value);
	case FILTER_ALL_CLEAR:
		return add_one(filter, rule, number, masked(rule, rule->value, 0));
	case FILTER_ANY_SET:
		return add_bits(filter, rule, number, rule->value, UINT32_MAX);
	case FILTER_NOT_AMONG:
		return add_not_among(filter, rule, number);
	}
	return -EINVAL;
}

static int add_table(scmp_filter_ctx filter, const struct filter_table *table, struct error *err)
{
	for (size_t i = 0; i < table->count; i++) {
		int result = add_rule(filter, &table->rules[i]);
		if (result == -ENOSYS)
			return error_set(err, ENOSYS,
					 "seccomp: libseccomp does not know %s: 2.5.4 or later "
					 "does",
					 table->rules[i].name);
		if (result < 0)
			return error_set(err, -result, "seccomp: a rule for %s: %s",
					 table->rules[i].name, error_text(-result));
	}
	return 0;
}

static int add_tables(scmp_filter_ctx filter, const struct sandbox_policy *policy,
		      struct error *err)
{
	const bool engine = policy->kind == SANDBOX_ENGINE;
	int result = add_table(filter, engine ? &filter_engine : &filter_command, err);
	if (result < 0)
		return result;
	if (!engine)
		return add_table(filter,
				 policy->network ? &filter_command_online : &filter_command_offline,
				 err);
	const bool files = (policy->read && policy->read[0]) || policy->read_fd >= 0;
	return files ? add_table(filter, &filter_engine_files, err) : 0;
}

/* An engine's table ends with "all others fail" as it is. */
static int add_newer(const struct sandbox_policy *policy, struct error *err)
{
	int result = policy->kind == SANDBOX_ENGINE ? 0 : newer_missing();
	if (result < 0)
		(void)error_set(err, -result, "seccomp: the filter of newer calls was refused: %s",
				error_text(-result));
	return result;
}

int filter_confine(const struct sandbox_policy *policy, struct error *err)
{
	const bool engine = policy->kind == SANDBOX_ENGINE;
	scmp_filter_ctx filter = seccomp_init(engine ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	if (!filter)
		return error_set(err, ENOMEM, "seccomp: no filter could be made");
	/* set by the caller, who must have it for Landlock already */
	int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (result == 0)
		result = add_tables(filter, policy, err);
	else
		(void)error_set(err, -result, "seccomp: %s", error_text(-result));
	if (result == 0)
		result = add_newer(policy, err);
	if (result == 0) {
		result = seccomp_load(filter);
		if (result < 0)
			(void)error_set(err, -result, "seccomp: the filter was refused: %s",
					error_text(-result));
	}
	seccomp_release(filter);
	return result;
}
