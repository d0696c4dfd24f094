/* dockerfile.c: logical lines, instructions and base images of a Dockerfile that may be hostile or cut. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "dockerfile.h"

#define STAGES_MAX 4096 /* bytes of stage names that are remembered */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct span trim_left(struct span s)
{
	while (s.len && is_blank(*s.ptr)) {
		s.ptr++;
		s.len--;
	}
	return s;
}

static struct span trim(struct span s)
{
	s = trim_left(s);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool word_is(struct span s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.ptr, word, s.len);
}

/* The first lines may say "# escape=`". */
static char escape_of(struct span line, char escape)
{
	static const char name[] = "escape";

	line = trim((struct span){ line.ptr + 1, line.len - 1 });
	if (line.len < sizeof(name) || strncasecmp(line.ptr, name, sizeof(name) - 1))
		return escape;
	line = trim((struct span){ line.ptr + sizeof(name) - 1, line.len - sizeof(name) + 1 });
	if (line.len < 2 || *line.ptr != '=')
		return escape;
	line = trim((struct span){ line.ptr + 1, line.len - 1 });
	return span_eq(line, "`") ? '`' : escape;
}

static void instruction(struct span line, dockerfile_fn *fn, void *ctx)
{
	/* Of a here-document's lines every blank counts. */
	struct span (*cut)(struct span s) = memchr(line.ptr, '\n', line.len) ? trim_left : trim;
	size_t n = 0;

	line = cut(line);
	while (n < line.len && !is_blank(line.ptr[n]))
		n++;
	if (n)
		fn(ctx, (struct span){ line.ptr, n },
		   cut((struct span){ line.ptr + n, line.len - n }));
}

static struct span line_next(struct span s, size_t *i)
{
	const char *end = memchr(s.ptr + *i, '\n', s.len - *i);
	struct span line = { s.ptr + *i, (end ? (size_t)(end - s.ptr) : s.len) - *i };

	*i += line.len + 1;
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

struct span dockerfile_heredoc(struct span word, bool *tabs)
{
	size_t i = 0, from;

	while (i < word.len && word.ptr[i] >= '0' && word.ptr[i] <= '9')
		i++;
	if (word.len - i < 3 || memcmp(word.ptr + i, "<<", 2))
		return (struct span){ NULL, 0 };
	i += 2;
	*tabs = word.ptr[i] == '-';
	i += *tabs;
	from = i;
	if (word.len - i > 2 && strchr("'\"", word.ptr[i]) && word.ptr[i] &&
	    word.ptr[word.len - 1] == word.ptr[i]) {
		from++;
		word.len--;
	}
	for (i = from; i < word.len; i++)
		if (strchr("<'\"", word.ptr[i]))
			return (struct span){ NULL, 0 };
	return (struct span){ word.ptr + from, word.len - from };
}

/* The first here-document of an instruction that may have one; empty: it has none. */
static struct span heredoc_of(struct span line, bool *tabs)
{
	struct span word = dockerfile_word(&line), end = { NULL, 0 };

	if (!word_is(word, "RUN") && !word_is(word, "COPY") && !word_is(word, "ADD") &&
	    !word_is(word, "ONBUILD"))
		return end;
	while (!end.len && (word = dockerfile_word(&line)).len)
		end = dockerfile_heredoc(word, tabs);
	return end;
}

/* A here-document's lines belong to the instruction. */
static void heredoc_take(struct span file, size_t *i, struct buf *line)
{
	bool tabs = false;
	struct span word = heredoc_of((struct span){ line->ptr, line->len }, &tabs);
	char *end = word.len ? xstrndup(word.ptr, word.len) : NULL;

	while (end && *i < file.len) {
		struct span raw = line_next(file, i), bare = raw;

		while (tabs && bare.len && *bare.ptr == '\t')
			bare = (struct span){ bare.ptr + 1, bare.len - 1 };
		if (span_eq(bare, end))
			break;
		buf_byte(line, '\n');
		buf_add(line, raw.ptr, raw.len);
	}
	free(end);
}

void dockerfile_walk(struct span file, dockerfile_fn *fn, void *ctx)
{
	struct buf joined = { 0 };
	bool head = true;
	char escape = '\\';

	for (size_t i = 0; i < file.len;) {
		struct span raw = line_next(file, &i), line = trim(raw);

		/* Comments and empty lines between continued ones do not end them. */
		if (!line.len)
			continue;
		if (*line.ptr == '#') {
			if (head)
				escape = escape_of(line, escape);
			continue;
		}
		head = false;
		/* A continued line keeps no blank behind the escape, and the next its own before it. */
		buf_add(&joined, raw.ptr, (size_t)(line.ptr + line.len - raw.ptr));
		if (joined.ptr[joined.len - 1] == escape) {
			joined.len--;
			continue;
		}
		heredoc_take(file, &i, &joined);
		instruction((struct span){ joined.ptr, joined.len }, fn, ctx);
		buf_reset(&joined);
	}
	if (joined.len)
		instruction((struct span){ joined.ptr, joined.len }, fn, ctx);
	buf_free(&joined);
}

struct span dockerfile_word(struct span *rest)
{
	struct span word = *rest = trim(*rest);
	char quote = 0;
	size_t n = 0;

	for (; n < word.len && (quote || !is_blank(word.ptr[n])); n++) {
		if (word.ptr[n] == '\\' && quote != '\'' && n + 1 < word.len)
			n++;
		else if (quote && word.ptr[n] == quote)
			quote = 0;
		else if (!quote && (word.ptr[n] == '"' || word.ptr[n] == '\''))
			quote = word.ptr[n];
	}
	word.len = n;
	rest->ptr += n;
	rest->len -= n;
	return word;
}

struct images {
	dockerfile_image_fn *fn;
	void *ctx;
	struct buf stages; /* names, each with a newline */
};

static bool is_stage(const struct images *m, struct span name)
{
	const char *p = m->stages.ptr, *end = p ? p + m->stages.len : p;

	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		if ((size_t)(stop - p) == name.len && !strncasecmp(p, name.ptr, name.len))
			return true;
		p = stop + 1;
	}
	return false;
}

static void from_look(void *ctx, struct span word, struct span rest)
{
	struct images *m = ctx;
	struct span image, as, stage;

	if (!word_is(word, "FROM"))
		return;
	do
		image = dockerfile_word(&rest);
	while (span_starts(image, "--"));
	if (!image.len)
		return;
	as = dockerfile_word(&rest);
	stage = dockerfile_word(&rest);
	if (image.len >= 2 && *image.ptr == '"' && image.ptr[image.len - 1] == '"')
		image = (struct span){ image.ptr + 1, image.len - 2 };
	if (image.len && !memchr(image.ptr, '$', image.len) && !word_is(image, "scratch") &&
	    !is_stage(m, image))
		m->fn(m->ctx, image);
	if (word_is(as, "AS") && stage.len && m->stages.len + stage.len < STAGES_MAX) {
		buf_add(&m->stages, stage.ptr, stage.len);
		buf_byte(&m->stages, '\n');
	}
}

void dockerfile_images(struct span file, dockerfile_image_fn *fn, void *ctx)
{
	struct images m = { .fn = fn, .ctx = ctx };

	dockerfile_walk(file, from_look, &m);
	buf_free(&m.stages);
}
