#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "kit_session.h"

/* Frames, messages and packets are written by hand from RFC 9113, PROTOCOL-HTTP2.md and fsutil's wire.proto. */
static struct buf wire;

static void number(struct buf *b, uint64_t v)
{
	while (v > 0x7f) {
		buf_byte(b, (char)(v | 0x80));
		v >>= 7;
	}
	buf_byte(b, (char)v);
}

static void bytes(struct buf *b, unsigned field, const char *text, size_t n)
{
	number(b, field << 3 | 2);
	number(b, n);
	buf_add(b, text, n);
}

static void frame(unsigned type, unsigned flags, unsigned stream, const struct buf *payload)
{
	unsigned char head[9] = { payload->len >> 16, payload->len >> 8, payload->len, type,  flags,
				  stream >> 24,       stream >> 16,      stream >> 8,  stream };

	buf_add(&wire, head, sizeof(head));
	if (payload->len)
		buf_add(&wire, payload->ptr, payload->len);
}

static void packet(unsigned stream, const struct buf *p)
{
	struct buf message = { 0 };
	unsigned char head[5] = { 0, p->len >> 24, p->len >> 16, p->len >> 8, p->len };

	buf_add(&message, head, sizeof(head));
	buf_add(&message, p->ptr, p->len);
	frame(0, 0, stream, &message);
	buf_free(&message);
}

static void named(unsigned stream, const char *path)
{
	struct buf stat = { 0 }, p = { 0 };

	bytes(&stat, 1, path, strlen(path));
	number(&stat, 2 << 3); /* mode */
	number(&stat, 0100644);
	bytes(&p, 2, stat.ptr, stat.len);
	packet(stream, &p);
	buf_free(&stat);
	buf_free(&p);
}

static void content(unsigned stream, unsigned id, const char *text)
{
	struct buf p = { 0 };

	number(&p, 1 << 3);
	number(&p, 2);
	if (id) {
		number(&p, 3 << 3);
		number(&p, id);
	}
	if (*text)
		bytes(&p, 4, text, strlen(text));
	packet(stream, &p);
	buf_free(&p);
}

static bool is_dockerfile(void *ctx, struct span path)
{
	(void)ctx;
	return span_eq(path, "Dockerfile");
}

/* Feeds what was written, `step` bytes at a time; the file, or "" when none came. */
static const char *fed(size_t step)
{
	static char text[KIT_FILE_MAX + 64];
	struct kit_session *k = kit_new();
	struct span file;
	bool whole;

	strcpy(text, "");
	for (size_t i = 0; i < wire.len; i += step) {
		size_t n = wire.len - i < step ? wire.len - i : step;

		if (kit_feed(k, (struct span){ wire.ptr + i, n }, is_dockerfile, NULL, &file,
			     &whole))
			snprintf(text, sizeof(text), "%s%.*s", whole ? "" : "cut: ", (int)file.len,
				 file.len ? file.ptr : "");
	}
	kit_free(k);
	return text;
}

static void write_session(void)
{
	struct buf settings = { 0 }, secret = { 0 };

	buf_reset(&wire);
	frame(4, 0, 0, &settings);
	bytes(&secret, 1, "password of a registry", 22);
	packet(1, &secret); /* a credential: another service's message */
	named(3, ".dockerignore");
	named(3, "Dockerfile");
	content(3, 0, "ignored");
	content(3, 1, "FROM a\n");
	content(3, 1, "RUN b\n");
	content(3, 1, "");
	named(5, "Dockerfile");
	content(5, 0, "FROM other\n");
	content(5, 0, "");
	buf_free(&secret);
}

static void the_first_file_of_that_name_is_found_however_it_is_cut(void **state)
{
	(void)state;
	write_session();
	assert_string_equal(fed(wire.len), "FROM a\nRUN b\n");
	assert_string_equal(fed(1), "FROM a\nRUN b\n");
	assert_string_equal(fed(7), "FROM a\nRUN b\n");
}

static void padding_is_no_content(void **state)
{
	struct buf payload = { 0 }, p = { 0 };

	(void)state;
	buf_reset(&wire);
	named(1, "Dockerfile");
	number(&p, 1 << 3);
	number(&p, 2);
	bytes(&p, 4, "FROM a\n", 7);
	buf_add(&payload, "\3\0\0\0\0", 5);
	buf_byte(&payload, (char)p.len);
	buf_add(&payload, p.ptr, p.len);
	buf_add(&payload, "\0\0\0", 3);
	frame(0, 8, 1, &payload);
	content(1, 0, "");
	assert_string_equal(fed(wire.len), "FROM a\n");
	buf_free(&payload);
	buf_free(&p);
}

static void what_is_too_long_is_cut_and_what_makes_no_sense_is_none(void **state)
{
	static char lines[5001];
	struct buf nothing = { 0 };

	(void)state;
	memset(lines, 'x', sizeof(lines) - 1);
	buf_reset(&wire);
	named(1, "Dockerfile");
	for (int i = 0; i < 20; i++)
		content(1, 0, lines);
	assert_true(strlen(fed(wire.len)) == 5 + KIT_FILE_MAX &&
		    !strncmp(fed(wire.len), "cut: x", 6));
	buf_reset(&wire);
	named(1, "Other");
	content(1, 0, "FROM a\n");
	content(1, 0, "");
	assert_string_equal(fed(wire.len), "");
	buf_reset(&wire);
	for (int i = 0; i < 300; i++)
		buf_byte(&wire, 0); /* as a recording has it */
	assert_string_equal(fed(3), "");
	buf_reset(&wire);
	buf_add(&nothing, "\1\0\0\0\2ab", 7); /* a packed message */
	frame(0, 0, 1, &nothing);
	named(1, "Dockerfile");
	content(1, 0, "");
	assert_string_equal(fed(wire.len), "");
	buf_free(&nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_file_of_that_name_is_found_however_it_is_cut),
		cmocka_unit_test(padding_is_no_content),
		cmocka_unit_test(what_is_too_long_is_cut_and_what_makes_no_sense_is_none),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&wire);
	return bad;
}
