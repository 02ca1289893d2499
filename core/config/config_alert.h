/*
 * config_alert: who is told of malicious and suspicious files at once, as a part of the immutable
 * configuration (config.h).
 */
#ifndef CARVED_CORE_CONFIG_CONFIG_ALERT_H
#define CARVED_CORE_CONFIG_CONFIG_ALERT_H

#include <stdbool.h>
#include <stdint.h>

/* Owned by the configuration. Either run or url is set. */
struct config_alert {
	char **run;	    /* the program and its arguments, NULL-terminated */
	char *url;	    /* where it is posted to */
	char *ca;	    /* PEM file of who may sign the server's certificate */
	char *token_file;   /* what the server is told who we are */
	char **on;	    /* words of verdicts, NULL-terminated; NULL: both */
	unsigned verdicts;  /* bits of enum outcome, as on says */
	bool ecs;	    /* its fields are named as in the Elastic Common Schema */
	int64_t every_ms;   /* between two calls, default 10 s */
	int64_t timeout_ms; /* of one call, default 30 s */
};

#endif
