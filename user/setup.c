/* setup.c: puts a configuration in force: opens its shared outputs, keeps it as long as a run needs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host.h"
#include "setup.h"

#define OUTPUT "/var/log/invigil/{run}.jsonl"

/* A file without {run} in its path, open once however many configurations name it. */
static struct shared {
	struct output out;
	unsigned holders;
	struct shared *next;
} * all_shared;

static struct line_counts closed; /* of files that are */

gid_t setup_group(void)
{
	gid_t gid;

	return group_named("invigil", &gid) ? gid : 0;
}

static int append(struct output *o, const struct output_config *c, const char *path)
{
	struct rotation r = { c->rotate_size, c->rotate_every, c->keep };
	const char *why = "";
	int err = output_append(o, path, setup_group(), &r, &why);

	if (err)
		fprintf(stderr, "invigil: output %s: %s: %s\n", path, why, strerror(-err));
	return err;
}

struct output *output_configured(const struct output_config *c, const char *run)
{
	struct output *o = xcalloc(1, sizeof(*o));
	char *path = output_path(c->path, run);
	int err = append(o, c, path);

	free(path);
	if (!err)
		return o;
	free(o);
	return NULL;
}

static struct output *shared_open(const struct output_config *c)
{
	struct shared *s;

	for (s = all_shared; s; s = s->next)
		if (!strcmp(s->out.path, c->path))
			break;
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		if (append(&s->out, c, c->path)) {
			free(s);
			return NULL;
		}
		s->next = all_shared;
		all_shared = s;
	}
	s->holders++;
	return &s->out;
}

static void shared_close(struct output *o)
{
	for (struct shared **at = &all_shared; *at; at = &(*at)->next) {
		struct shared *s = *at;

		if (&s->out != o || --s->holders)
			continue;
		*at = s->next;
		output_close(&s->out);
		lines_add(&closed, output_lines(&s->out));
		free(s);
		return;
	}
}

/* -o and its default are outputs like any other. */
static void outputs_complete(struct config *c)
{
	struct output_config o = { .path = xstrdup(c->output ? c->output : OUTPUT), .keep = 5 };

	if (!c->output && c->n_outputs) {
		free(o.path);
	} else {
		c->outputs = xrealloc(c->outputs, (c->n_outputs + 1) * sizeof(*c->outputs));
		c->outputs[c->n_outputs++] = o;
	}
	for (unsigned i = 0; i < c->n_outputs; i++)
		c->outputs[i].alerts_only |= c->alerts_only;
	c->alerts_only = false; /* each output reduces what it gets */
}

struct setup *setup_new(struct config *c)
{
	struct setup *s = xcalloc(1, sizeof(*s));

	s->config = *c;
	*c = config_defaults;
	s->holders = 1;
	outputs_complete(&s->config);
	s->shared = xcalloc(s->config.n_outputs, sizeof(*s->shared));
	for (unsigned i = 0; i < s->config.n_outputs; i++) {
		if (!output_is_shared(s->config.outputs[i].path))
			continue;
		s->shared[i] = shared_open(&s->config.outputs[i]);
		if (!s->shared[i]) {
			setup_drop(s);
			return NULL;
		}
	}
	return s;
}

/* What was decided when the programs were loaded and the sockets opened. */
static void restart_note(const struct config *now, struct config *fresh)
{
	static const char text[] = "invigil: configuration: %s changes with a restart only\n";
	const char *was = now->metrics ? now->metrics : "",
		   *is = fresh->metrics ? fresh->metrics : "";

	if (strcmp(now->env_reads, fresh->env_reads)) {
		fprintf(stderr, text, "env_reads");
		fresh->env_reads = now->env_reads;
	}
	if (!now->log_patterns && fresh->log_patterns)
		fprintf(stderr, text, "whether there are logs.patterns");
	if (strcmp(was, is))
		fprintf(stderr, text, "metrics");
}

struct setup *setup_again(const struct setup *old)
{
	const struct config *c = &old->config;
	struct config fresh = config_defaults;
	struct setup *s = NULL;

	if (!options_again(c, &fresh)) {
		restart_note(c, &fresh);
		s = setup_new(&fresh);
	}
	config_free(&fresh);
	for (unsigned i = 0; s && i < s->config.n_outputs; i++) {
		const struct output_config *o = &s->config.outputs[i];

		if (s->shared[i])
			s->shared[i]->rotation =
				(struct rotation){ o->rotate_size, o->rotate_every, o->keep };
	}
	return s;
}

void setup_drop(struct setup *s)
{
	if (!s || --s->holders)
		return;
	for (unsigned i = 0; i < s->config.n_outputs; i++)
		if (s->shared[i])
			shared_close(s->shared[i]);
	free(s->shared);
	config_free(&s->config);
	free(s);
}

bool setup_outputs(struct setup *s, const char *run, struct outputs *out)
{
	for (unsigned i = 0; i < s->config.n_outputs; i++) {
		const struct output_config *c = &s->config.outputs[i];
		struct output *o = s->shared[i] ? s->shared[i] : output_configured(c, run);

		if (!o) {
			setup_outputs_close(out);
			return false;
		}
		outputs_add(out, o, s->shared[i] != NULL, c->alerts_only);
	}
	return true;
}

void setup_outputs_close(struct outputs *out)
{
	outputs_flush(out);
	for (unsigned i = 0; i < out->n; i++)
		if (!out->to[i].shared)
			lines_add(&closed, output_lines(out->to[i].output));
	outputs_close(out);
}

void setup_flush(void)
{
	for (struct shared *s = all_shared; s; s = s->next)
		output_flush(&s->out);
}

void setup_reopen(void)
{
	for (struct shared *s = all_shared; s; s = s->next)
		output_reopen(&s->out);
}

struct line_counts setup_lines(void (*fn)(void *ctx, const struct output *o), void *ctx)
{
	struct line_counts all = closed;

	for (struct shared *s = all_shared; s; s = s->next) {
		lines_add(&all, output_lines(&s->out));
		if (fn)
			fn(ctx, &s->out);
	}
	return all;
}
