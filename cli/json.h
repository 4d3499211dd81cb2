/* SPDX-License-Identifier: MIT */
/*
 * JSON Lines on standard output: json_begin(), members, json_end_line(). Every line is one object
 * whose first members are "schema" and "type". Integers are written exactly; strings are valid
 * UTF-8 whatever they were made from. docs/json.md names every member.
 */
#ifndef PTPMON_CLI_JSON_H
#define PTPMON_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SCHEMA 1

struct json {
    char *text;
    size_t length, capacity;
    bool first; /* the next member of the innermost object or array is its first */
};

/* A line {"schema":1,"type":<type>, ... In arrays `name` is NULL. */
void json_begin(struct json *json, const char *type);
void json_string(struct json *json, const char *name, const char *value); /* NULL = null */
void json_int(struct json *json, const char *name, int64_t value);
void json_uint(struct json *json, const char *name, uint64_t value);
void json_number(struct json *json, const char *name, double value); /* six decimals; null where it is not finite */
void json_digits(struct json *json, const char *name, const char *digits); /* a number or a word, written already */
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);
/* The value, or null where it is not known. */
void json_int_if(struct json *json, const char *name, bool known, int64_t value);
void json_uint_if(struct json *json, const char *name, bool known, uint64_t value);
void json_open_object(struct json *json, const char *name);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *name);
void json_close_array(struct json *json);
/* Ends the line, writes it to standard output and frees it. */
void json_end_line(struct json *json);

#endif
