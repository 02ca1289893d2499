/*
 * settings: one table of every key of carved.yml: its type, range, default, environment names and
 * what it is for. Parsing, the environment and the words of errors come from it. The table is
 * const; any thread.
 */
#ifndef CARVED_CORE_CONFIG_SETTINGS_H
#define CARVED_CORE_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config/nearest.h"

struct error;

enum setting_scope {
	SETTING_TOP,	   /* a key of the file, an object of struct config */
	SETTING_ROOT,	   /* a key of an item of "roots", struct config_root */
	SETTING_DETECTOR,  /* a key of an item of "detectors", struct config_detector */
	SETTING_DISPOSE,   /* a key of "dispose" */
	SETTING_ALERT,	   /* a key of "alert", struct config_alert */
	SETTING_RETENTION, /* a key of "retention", of struct config as well */
};

/* The type of the value, and with it the type of the field at the offset. */
enum setting_type {
	SETTING_TEXT,	  /* char *: any text */
	SETTING_PATH,	  /* char *: relative ones are below the directory of the file */
	SETTING_COUNT,	  /* unsigned */
	SETTING_BYTES,	  /* int64_t */
	SETTING_DURATION, /* int64_t, milliseconds */
	SETTING_DAYS,	  /* unsigned */
	SETTING_PERCENT,  /* unsigned */
	SETTING_CHOICE,	  /* an enum: the index into words */
	SETTING_SWITCH,	  /* bool: words[0] is false, words[1] is true */
	SETTING_TEXTS, /* char **: a list of texts, NULL-terminated; a single text is a list of one
			*/
	SETTING_SECTION, /* read by code of its own */
};

struct setting {
	enum setting_scope scope;
	enum setting_type type;
	const char *key;
	size_t offset;
	int64_t min, max;	  /* of numbers, sizes (bytes), times (ms) and days */
	const char *fallback;	  /* the default as one would write it; NULL: see description */
	const char *const *words; /* of choices and switches; NULL-terminated */
	const char *const *environment; /* variables that set it, the first that is set wins */
	const char *const *only;	/* the detector types that it belongs to; NULL: all */
	const char *description;
};

extern const struct setting settings[];
extern const size_t setting_count;

/** The row of that key, NULL when there is none. */
const struct setting *setting_find(enum setting_scope scope, const char *key);
/** The key of this scope that is nearest to what was written. */
struct nearest setting_nearest(enum setting_scope scope, const char *written);
/** Where a key that is not of this scope belongs: "an item of \"detectors\""; NULL: nowhere. */
const char *setting_elsewhere(enum setting_scope scope, const char *key);

/** True when the setting belongs to detectors of that type. */
bool setting_belongs(const struct setting *setting, const char *detector_type);

/**
 * Parses text as the setting's value and stores it in object (what was there is freed). base is the
 * directory for relative paths, NULL: as written. On failure returns -EINVAL, and err reads
 * "KEY: expected ..., found ...": the caller puts the place in front.
 */
int setting_apply(const struct setting *setting, void *object, const char *text, const char *base,
		  struct error *err);
/** Stores a list (moved) of type SETTING_TEXTS. */
void setting_apply_texts(const struct setting *setting, void *object, char **texts);
/** Stores the defaults of all rows of a scope that have one. */
void settings_default(enum setting_scope scope, void *object);

/** Frees a NULL-terminated list of owned texts. NULL is fine. */
void texts_free(char **texts);

#endif
