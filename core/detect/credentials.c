/* credentials: see credentials.h. */
#include "core/detect/credentials.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"

/* Who may do what with the file, and how large it may be. */
struct rule {
	mode_t forbidden;
	size_t max;
	const char *mend; /* what to say when it is forbidden */
};

static const struct rule ca_rule = {
	.forbidden = S_IWOTH,
	.max = CREDENTIALS_CA_MAX,
	.mend = "everyone may change it: chmod o-w",
};

static const struct rule token_rule = {
	.forbidden = S_IWGRP | S_IRWXO,
	.max = CREDENTIALS_TOKEN_MAX,
	.mend = "others than its owner and group may read or change it: chmod g-w,o-rwx",
};

static int check_file(const char *file, int fd, const struct rule *rule, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "%s: %s", file, error_text(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%s: not a regular file", file);
	if (st.st_mode & rule->forbidden)
		return error_set(err, EPERM, "%s: %s %s", file, rule->mend, file);
	if (st.st_size > (off_t)rule->max)
		return error_set(err, EFBIG, "%s: longer than %zu bytes", file, rule->max);
	return 0;
}

/* The file into bytes, which has room for max and one more, so that nothing is left behind by
 * growing. */
static int read_file(char *bytes, size_t *len, const char *file, const struct rule *rule,
		     struct error *err)
{
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return error_set(err, errno, "%s: %s", file, error_text(errno));
	int result = check_file(file, fd, rule, err);
	if (result < 0)
		return result;
	ssize_t got = 1;
	for (*len = 0; *len <= rule->max && got != 0;) {
		got = read(fd, bytes + *len, rule->max + 1 - *len);
		if (got < 0 && errno != EINTR)
			return error_set(err, errno, "%s: %s", file, error_text(errno));
		*len += got > 0 ? (size_t)got : 0;
	}
	if (*len > rule->max)
		return error_set(err, EFBIG, "%s: longer than %zu bytes", file, rule->max);
	return 0;
}

static int load_ca(struct credentials *out, const char *file, struct error *err)
{
	size_t len = 0;
	AUTO_FREE char *bytes = xcalloc(1, CREDENTIALS_CA_MAX + 1);
	int result = read_file(bytes, &len, file, &ca_rule, err);
	if (result < 0)
		return result;
	if (len == 0)
		return error_set(err, EINVAL, "%s: there is no certificate in it", file);
	str_append(&out->ca, bytes, len);
	return 0;
}

static int take_token(struct credentials *out, const char *bytes, size_t len, const char *file,
		      struct error *err)
{
	while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	if (len == 0)
		return error_set(err, EINVAL, "%s: there is no token in it", file);
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] < '!' || bytes[i] > '~')
			return error_set(err, EINVAL,
					 "%s: expected a token of printable ASCII characters "
					 "without blanks, in one line",
					 file);
	}
	out->token = xmemdup(bytes, len);
	return 0;
}

int credentials_load(struct credentials *out, const char *ca, const char *token_file,
		     struct error *err)
{
	int result = ca ? load_ca(out, ca, err) : 0;
	if (result < 0)
		return error_prefix(err, "ca");
	if (!token_file)
		return 0;
	char bytes[CREDENTIALS_TOKEN_MAX + 1];
	size_t len = 0;
	result = read_file(bytes, &len, token_file, &token_rule, err);
	if (result == 0)
		result = take_token(out, bytes, len, token_file, err);
	explicit_bzero(bytes, sizeof bytes);
	return result < 0 ? error_prefix(err, "token_file") : 0;
}

void credentials_done(struct credentials *credentials)
{
	if (credentials->token)
		explicit_bzero(credentials->token, strlen(credentials->token));
	free(credentials->token);
	str_done(&credentials->ca);
	*credentials = (struct credentials){ 0 };
}
