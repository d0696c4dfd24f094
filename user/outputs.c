/* outputs.c: hands each line of a run's stream to its files, whole or reduced. */
#include <stdlib.h>
#include <string.h>
#include "outputs.h"
#include "reduce.h"

bool output_is_shared(const char *path)
{
	return !strstr(path, "{run}");
}

char *output_path(const char *path, const char *run)
{
	const char *at = strstr(path, "{run}");
	struct buf b = { 0 };

	buf_add(&b, path, at ? (size_t)(at - path) : strlen(path));
	if (at) {
		buf_str(&b, run);
		buf_str(&b, at + 5);
	}
	return b.ptr;
}

void outputs_add(struct outputs *s, struct output *o, bool shared, bool alerts_only)
{
	s->to = xrealloc(s->to, (s->n + 1) * sizeof(*s->to));
	s->to[s->n++] = (struct output_to){ o, shared, alerts_only, 0, o->lines.dropped };
}

int outputs_line(void *outputs, const char *line, size_t len)
{
	struct outputs *s = outputs;
	int err = 0;

	for (struct output_to *t = s->to; t < s->to + s->n; t++) {
		struct buf reduced = { 0 };
		int one = 0;

		if (!t->alerts_only)
			one = output_line(t->output, line, len);
		else if (line_reduce((struct span){ line, len }, &t->sequence, &reduced))
			one = output_line(t->output, reduced.ptr, reduced.len);
		buf_free(&reduced);
		err = err ? err : one;
	}
	s->error = s->error ? s->error : err;
	return err;
}

int outputs_flush(struct outputs *s)
{
	for (struct output_to *t = s->to; t < s->to + s->n; t++) {
		int err = output_flush(t->output);

		/* Another run's flush may have lost lines of this one. */
		if (t->output->lines.dropped > t->dropped)
			err = t->output->error;
		s->error = s->error ? s->error : err;
	}
	return s->error;
}

void outputs_close(struct outputs *s)
{
	for (struct output_to *t = s->to; t < s->to + s->n; t++) {
		if (t->shared)
			continue;
		output_close(t->output);
		free(t->output);
	}
	free(s->to);
	*s = (struct outputs){ 0 };
}
