/*
 * quarantine_export: see quarantine_export.h.
 *
 * AES-256 as WinZip has it, which unzip(1) does not know and 7z does. Names in the archive are
 * those in the quarantine: none is the attacker's. libzip reads the files when the archive is
 * closed; until then they are open.
 */
#include "core/cli/quarantine_export.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/dispose/origin.h"
#include "core/dispose/vault.h"
#include "core/store/removal_reader.h"

struct exporting {
	const struct quarantine_export *wish;
	zip_t *zip;
	struct error *err;
	int64_t id;
	bool found;
	int result;
};

static int zip_fail(const struct exporting *exporting, const char *name)
{
	return error_set(exporting->err, EIO, "%s: %s: %s", exporting->wish->to, name,
			 zip_strerror(exporting->zip));
}

/* The archive owns what it reads from once it took it. */
static int add_stream(const struct exporting *exporting, const char *name, FILE *stream)
{
	zip_source_t *source = zip_source_filep(exporting->zip, stream, 0, -1);
	if (!source) {
		(void)fclose(stream);
		return zip_fail(exporting, name);
	}
	zip_int64_t at = zip_file_add(exporting->zip, name, source, ZIP_FL_ENC_UTF_8);
	if (at < 0) {
		zip_source_free(source);
		return zip_fail(exporting, name);
	}
	if (zip_file_set_encryption(exporting->zip, (zip_uint64_t)at, ZIP_EM_AES_256,
				    exporting->wish->password) < 0)
		return zip_fail(exporting, name);
	return 0;
}

static int add_file(const struct exporting *exporting, const struct vault *vault, const char *name)
{
	int fd = vault_read(vault, name, exporting->err);
	if (fd < 0)
		return fd;
	FILE *stream = fdopen(fd, "r");
	if (stream)
		return add_stream(exporting, name, stream);
	int code = errno;
	(void)close(fd);
	return error_set(exporting->err, code, "%s/%s: %s", vault->path, name, error_text(code));
}

static int add_task(const struct exporting *exporting, const struct removal_task *task)
{
	const char *place = task->removal.place;
	const char *slash = strrchr(place, '/');
	if (!slash)
		return error_set(exporting->err, EBADMSG, "%s is no place of a quarantine", place);
	AUTO_FREE char *directory = xmemdup(place, (size_t)(slash - place));
	AUTO(vault) struct vault *vault = NULL;
	int result = vault_visit(&vault, directory, exporting->err);
	if (result < 0)
		return result;
	char json[ORIGIN_NAME];
	origin_name(json, slash + 1);
	result = add_file(exporting, vault, slash + 1);
	return result == 0 ? add_file(exporting, vault, json) : result;
}

static bool visit(void *context, const struct removal_task *task)
{
	struct exporting *exporting = context;
	exporting->found = true;
	exporting->result = add_task(exporting, task);
	return false;
}

static int add_id(struct exporting *exporting, int64_t id)
{
	const struct removal_visit each = { visit, exporting };
	exporting->found = false;
	int result = removal_reader_quarantined(exporting->wish->reader, id, &each, exporting->err);
	if (result < 0)
		return result;
	if (!exporting->found)
		return error_set(exporting->err, ENOENT, "%lld is not in the quarantine",
				 (long long)id);
	return exporting->result;
}

static int open_zip(struct exporting *exporting)
{
	int code = 0;
	struct stat st;
	/* said here, as libzip writes over it when it comes to be between now and the end */
	if (lstat(exporting->wish->to, &st) == 0)
		return error_set(exporting->err, EEXIST, "%s is there already: name another",
				 exporting->wish->to);
	exporting->zip = zip_open(exporting->wish->to, ZIP_CREATE | ZIP_EXCL, &code);
	if (exporting->zip)
		return 0;
	zip_error_t error;
	zip_error_init_with_code(&error, code);
	int result = error_set(exporting->err, EIO, "%s: %s", exporting->wish->to,
			       zip_error_strerror(&error));
	zip_error_fini(&error);
	return result;
}

int quarantine_export(const struct quarantine_export *export, struct error *err)
{
	struct exporting exporting = { .wish = export, .err = err };
	int result = open_zip(&exporting);
	for (size_t i = 0; i < export->count && result == 0; i++)
		result = add_id(&exporting, export->ids[i]);
	if (result == 0 && zip_close(exporting.zip) == 0)
		return 0;
	if (result == 0)
		result = zip_fail(&exporting, "it cannot be written");
	if (exporting.zip)
		zip_discard(exporting.zip);
	return result;
}
