/* keep.c: secrets are masked before a record is kept; what is kept goes into the recording. */
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"
#include "recording.h"
#include "startup.h"

/* Names stand in slots of fixed size; behind them lies what the memory held before. */
static void comps_clean(char *tail, size_t n)
{
	struct ev_comp *c = (struct ev_comp *)tail;

	for (size_t i = 0; i < n; i++)
		memset(c[i].name + c[i].len, 0, sizeof(c[i].name) - c[i].len);
}

/* Texts of a code object as UTF-8, scrubbed and packed; the rooms they had hold old memory. */
static void code_settle(struct masker *m, const struct record *r)
{
	struct ev_code *e = (struct ev_code *)r->body;
	struct ev_hdr *h = (struct ev_hdr *)r->h;
	struct buf file = { 0 }, name = { 0 };
	size_t before = h->len, room = (size_t)e->file_room + e->name_room;
	char *table = r->tail + room;

	if (e->flags & CODE_SETTLED)
		return;
	source_text(r->tail, e->file_len, e->file_kind, &file);
	source_text(r->tail + e->file_room, e->name_len, e->name_kind, &name);
	e->file_len = file.len < e->file_room ? file.len : e->file_room;
	e->name_len = name.len < e->name_room ? name.len : e->name_room;
	if (e->file_len)
		memcpy(r->tail, file.ptr, e->file_len);
	if (e->name_len)
		memcpy(r->tail + e->file_len, name.ptr, e->name_len);
	memmove(r->tail + e->file_len + e->name_len, table, e->table_len);
	e->file_room = e->file_len;
	e->name_room = e->name_len;
	e->file_kind = e->name_kind = 0;
	e->flags |= CODE_SETTLED;
	h->len = e->file_len + e->name_len + e->table_len;
	h->want -= before - h->len;
	scrub_bytes(m, r->tail, e->file_len);
	scrub_bytes(m, r->tail + e->file_len, e->name_len);
	buf_free(&file);
	buf_free(&name);
}

static void comm_clean(char comm[EV_COMM_MAX])
{
	size_t n = strnlen(comm, EV_COMM_MAX - 1);

	memset(comm + n, 0, EV_COMM_MAX - n);
}

/* Secrets are learned and masked here, before the record is kept or looked at. */
void record_scrub(struct pipeline *p, struct record *r)
{
	struct masker *m = &p->run.masker;
	struct exec_parts parts;
	struct ev_exec *e;
	struct ev_file *file;
	struct ev_hdr *h;
	size_t cut;

	if (!p->begun)
		return;
	switch (r->h->type) {
	case EV_EXEC:
		e = (struct ev_exec *)r->body;
		h = (struct ev_hdr *)r->h;
		exec_parts(r, &parts);
		comps_clean(r->tail, e->exe_comps + e->cwd_comps);
		comm_clean(e->comm);
		e->path_entry =
			path_entry((struct span){ parts.env, e->env_len },
				   (struct span){ parts.file, strnlen(parts.file, e->file_len) });
		cut = e->env_len;
		e->env_len = scrub_environment(m, parts.env, e->env_len);
		cut -= e->env_len;
		h->len -= cut;
		h->want -= cut;
		scrub_arguments(m, parts.args, e->args_len);
		scrub_arguments(m, parts.file, e->file_len);
		break;
	case EV_CODE:
		code_settle(m, r);
		break;
	case EV_PEEK:
		comm_clean(((struct ev_peek *)r->body)->target_comm);
		break;
	case EV_LINK:
	case EV_DATA:
		scrub_bytes(m, r->tail, r->h->len);
		break;
	case EV_TEST:
		scrub_bytes(m, r->tail, r->h->len);
		break;
	case EV_FILE:
		file = (struct ev_file *)r->body;
		comps_clean(r->tail, file->comps);
		scrub_bytes(m, file->asked, sizeof(file->asked));
		scrub_bytes(m, r->tail, r->h->len);
		break;
	}
}

static void record_write(struct pipeline *p, const struct record *r)
{
	if (p->recording && !p->recording_error)
		p->recording_error = recording_add(p->recording, r);
}

/* Rows that are new, or that a better name was found for. */
static void secrets_keep(struct pipeline *p)
{
	const struct masker *m = &p->run.masker;

	if (!p->recording)
		return;
	if (!p->recorded)
		p->recorded = xcalloc(SECRETS_MAX, sizeof(*p->recorded));
	for (unsigned i = 0; i < m->count; i++) {
		const struct secret *s = &m->secrets[i];
		struct {
			struct ev_hdr h;
			struct ev_secret e;
			char name[sizeof(s->name)];
		} b = { .h = { .time = p->now, .type = EV_SECRET } };
		struct record r;

		if (i < p->n_recorded && !strcmp(s->name, p->recorded[i].name) &&
		    s->kind == p->recorded[i].kind)
			continue;
		b.e = (struct ev_secret){ .index = i, .kind = s->kind, .length = s->len };
		b.h.len = b.h.want = strnlen(s->name, sizeof(s->name) - 1);
		memcpy(b.name, s->name, b.h.len);
		p->recorded[i] = *s;
		if (record_decode(&b, sizeof(b), &r))
			record_write(p, &r);
	}
	p->n_recorded = m->count;
}

void record_keep(struct pipeline *p, const struct record *r)
{
	secrets_keep(p);
	record_write(p, r);
}
