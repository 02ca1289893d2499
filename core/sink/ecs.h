/*
 * ecs: an event in the field names of the Elastic Common Schema, version 8.11
 * (https://www.elastic.co/guide/en/ecs/8.11/). Pure; any thread.
 */
#ifndef CARVED_CORE_SINK_ECS_H
#define CARVED_CORE_SINK_ECS_H

struct store_event;
struct str;

/** Appends one JSON object, ASCII only, no newline, for an event whose version is there. What ECS
 * has no names for stands under "carved", named as in the history. */
void ecs_event(struct str *out, const struct store_event *event);

#endif
