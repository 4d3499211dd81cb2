/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "cli.h"
#include "format.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct json *json, const char *text, size_t length)
{
    if (json->capacity - json->length < length) {
        size_t capacity = (json->capacity + length) * 2 + 1024;
        char *larger = cli_allocate(capacity, 1);
        if (json->length > 0)
            memcpy(larger, json->text, json->length);
        free(json->text);
        json->text = larger;
        json->capacity = capacity;
    }
    memcpy(json->text + json->length, text, length);
    json->length += length;
}

static void append_text(struct json *json, const char *text)
{
    append(json, text, strlen(text));
}

/* Bytes of plain ASCII, which needs no escaping. */
static size_t plain_length(const unsigned char *text)
{
    size_t length = 0;
    while (text[length] >= 0x20 && text[length] < 0x7F && text[length] != '"' && text[length] != '\\')
        length++;
    return length;
}

static void append_quoted(struct json *json, const char *value)
{
    const unsigned char *at = (const unsigned char *)value;
    append_text(json, "\"");
    for (;;) {
        size_t plain = plain_length(at);
        append(json, (const char *)at, plain);
        at += plain;
        if (*at == 0)
            break;
        size_t length = format_utf8_length(at);
        char escaped[8];
        if (length == 0) {
            append_text(json, "\\ufffd");
            at++;
        } else if (*at == '"' || *at == '\\') {
            snprintf(escaped, sizeof escaped, "\\%c", *at++);
            append_text(json, escaped);
        } else if (*at < 0x20 || *at == 0x7F) {
            snprintf(escaped, sizeof escaped, "\\u%04x", *at++);
            append_text(json, escaped);
        } else {
            append(json, (const char *)at, length);
            at += length;
        }
    }
    append_text(json, "\"");
}

static void member(struct json *json, const char *name)
{
    if (!json->first)
        append_text(json, ",");
    json->first = false;
    if (name != NULL) {
        append_quoted(json, name);
        append_text(json, ":");
    }
}

void json_begin(struct json *json, const char *type)
{
    *json = (struct json){.first = true};
    append_text(json, "{");
    json_int(json, "schema", JSON_SCHEMA);
    json_string(json, "type", type);
}

void json_string(struct json *json, const char *name, const char *value)
{
    if (value == NULL) {
        json_null(json, name);
        return;
    }
    member(json, name);
    append_quoted(json, value);
}

void json_int(struct json *json, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    member(json, name);
    append_text(json, text);
}

void json_uint(struct json *json, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    member(json, name);
    append_text(json, text);
}

void json_number(struct json *json, const char *name, double value)
{
    char text[400];
    if (!(fabs(value) <= DBL_MAX)) {
        json_null(json, name);
        return;
    }
    snprintf(text, sizeof text, "%.6f", value);
    member(json, name);
    append_text(json, text);
}

void json_digits(struct json *json, const char *name, const char *digits)
{
    member(json, name);
    append_text(json, digits);
}

void json_bool(struct json *json, const char *name, bool value)
{
    member(json, name);
    append_text(json, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
    member(json, name);
    append_text(json, "null");
}

void json_int_if(struct json *json, const char *name, bool known, int64_t value)
{
    if (known)
        json_int(json, name, value);
    else
        json_null(json, name);
}

void json_uint_if(struct json *json, const char *name, bool known, uint64_t value)
{
    if (known)
        json_uint(json, name, value);
    else
        json_null(json, name);
}

static void open_group(struct json *json, const char *name, const char *bracket)
{
    member(json, name);
    append_text(json, bracket);
    json->first = true;
}

static void close_group(struct json *json, const char *bracket)
{
    append_text(json, bracket);
    json->first = false;
}

void json_open_object(struct json *json, const char *name)
{
    open_group(json, name, "{");
}

void json_close_object(struct json *json)
{
    close_group(json, "}");
}

void json_open_array(struct json *json, const char *name)
{
    open_group(json, name, "[");
}

void json_close_array(struct json *json)
{
    close_group(json, "]");
}

void json_end_line(struct json *json)
{
    append_text(json, "}\n");
    cli_write(json->text, json->length);
    free(json->text);
    *json = (struct json){0};
}
