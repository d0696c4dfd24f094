/* keep.c: secrets are masked before a record is kept; what is kept goes into the recording. */
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"
#include "recording.h"
#include "scrub_state.h"
#include "startup.h"

/*
 * Names stand in slots of fixed size; behind them lies what the memory held before. A known value may
 * hold a slash: it is looked for in the path as a whole, the rest name by name.
 */
static void comps_scrub(struct masker *m, struct ev_comp *c, size_t n)
{
	struct buf path = { 0 };
	const char *at;

	for (size_t i = 0; i < n; i++)
		memset(c[i].name + c[i].len, 0, sizeof(c[i].name) - c[i].len);
	for (size_t i = n; i--;) {
		buf_add(&path, c[i].name, c[i].len);
		buf_byte(&path, '/');
	}
	if (n)
		scrub_known(m, path.ptr, path.len);
	at = path.ptr;
	for (size_t i = n; i--;) {
		memcpy(c[i].name, at, c[i].len);
		at += c[i].len + 1;
		scrub_bytes(m, c[i].name, c[i].len);
	}
	buf_free(&path);
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
	scrub_bytes(m, file.ptr, file.len);
	scrub_bytes(m, name.ptr, name.len);
	if (e->flags & CODE_CUT_FILE)
		scrub_cut_begin(m, file.ptr, file.len);
	if (e->flags & CODE_CUT_NAME)
		scrub_cut_end(m, name.ptr, name.len);
	scrub_known(m, table, e->table_len);
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
	buf_free(&file);
	buf_free(&name);
}

static void comm_scrub(struct masker *m, char comm[EV_COMM_MAX])
{
	size_t n = strnlen(comm, EV_COMM_MAX - 1);

	memset(comm + n, 0, EV_COMM_MAX - n);
	scrub_bytes(m, comm, n);
}

/* Of arguments that are too long the middle is missing: head and last part meet where it was. */
static void cut_scrub(struct masker *m, char *args, size_t len)
{
	size_t head = len == EV_ARGS_HEAD + EV_ARGS_LAST ? EV_ARGS_HEAD : len;

	scrub_cut_end(m, args, head);
	scrub_cut_begin(m, args + head, len - head);
}

static void exec_scrub(struct masker *m, struct record *r)
{
	struct ev_exec *e = (struct ev_exec *)r->body;
	struct ev_hdr *h = (struct ev_hdr *)r->h;
	struct exec_parts parts;
	size_t cut = e->env_len;

	exec_parts(r, &parts);
	e->path_entry = path_entry((struct span){ parts.env, e->env_len },
				   (struct span){ parts.file, strnlen(parts.file, e->file_len) });
	/* First of all: it tells what is to be masked in the rest. */
	e->env_len = scrub_environment(m, parts.env, e->env_len);
	if (e->env_want > cut) /* of a public value the last one may be left */
		scrub_cut_end(m, parts.env, e->env_len);
	cut -= e->env_len;
	h->len -= cut;
	h->want -= cut;
	comps_scrub(m, (struct ev_comp *)r->tail, e->exe_comps);
	comps_scrub(m, (struct ev_comp *)r->tail + e->exe_comps, e->cwd_comps);
	/* The beginning of the file's name, too short to know a secret by: for programs without a path. */
	if (e->exe_comps)
		memset(e->comm, 0, sizeof(e->comm));
	comm_scrub(m, e->comm);
	scrub_arguments(m, parts.args, e->args_len);
	if (e->args_want > e->args_len)
		cut_scrub(m, parts.args, e->args_len);
	scrub_arguments(m, parts.file, e->file_len);
}

/* Behind the two names nothing is to be kept. */
static void connect_scrub(struct masker *m, struct record *r)
{
	const struct ev_connect *e = r->body;
	char *asked = r->tail + EV_SUN_MAX;

	memset(r->tail + e->name_len, 0, EV_SUN_MAX - e->name_len);
	memset(asked + e->asked_len, 0, EV_SUN_MAX - e->asked_len);
	scrub_bytes(m, r->tail, e->name_len);
	scrub_bytes(m, asked, e->asked_len);
}

static void file_scrub(struct masker *m, struct record *r)
{
	struct ev_file *e = (struct ev_file *)r->body;
	size_t n = strlen(e->asked);

	memset(e->asked + n, 0, sizeof(e->asked) - n);
	scrub_bytes(m, e->asked, n);
	if (n == sizeof(e->asked) - 1)
		scrub_cut_end(m, e->asked, n);
	comps_scrub(m, (struct ev_comp *)r->tail, e->comps);
}

static void attempt_scrub(struct masker *m, struct record *r)
{
	const struct ev_attempt *e = r->body;

	scrub_bytes(m, r->tail, e->file_len - 1);
	scrub_arguments(m, r->tail + e->file_len, e->args_len);
	if (r->h->want > r->h->len)
		scrub_cut_end(m, r->tail + e->file_len, e->args_len);
}

/* Of an answer that nobody reads only the framing is looked at: nothing of it can leave this process. */
static bool bytes_are_read(const struct pipeline *p, const struct ev_data *e)
{
	return e->dir != DATA_RECV || dialogue_reads(p->dialogue, e->sk, e->sockino);
}

/* Secrets are learned and masked here, before the record is kept or looked at. */
void record_scrub(struct pipeline *p, struct record *r)
{
	struct masker *m = &p->run.masker;

	if (!p->begun)
		return;
	switch (r->h->type) {
	case EV_EXEC:
		exec_scrub(m, r);
		break;
	case EV_CONNECT:
		connect_scrub(m, r);
		break;
	case EV_CODE:
		code_settle(m, r);
		break;
	case EV_PEEK:
		comm_scrub(m, ((struct ev_peek *)r->body)->target_comm);
		break;
	case EV_ATTEMPT:
		attempt_scrub(m, r);
		break;
	case EV_FILE:
		file_scrub(m, r);
		break;
	case EV_DATA:
		if (!p->recording && !bytes_are_read(p, r->body))
			break;
		/* fall through */
	case EV_ENV:
	case EV_LINK:
	case EV_HASH:
	case EV_DOCKERFILE:
	case EV_TEST:
		scrub_bytes(m, r->tail, r->h->len);
		if (r->h->want > r->h->len)
			scrub_cut_end(m, r->tail, r->h->len);
		break;
	}
}

static void record_write(struct pipeline *p, const struct record *r)
{
	if (p->recording && !p->recording_error)
		p->recording_error = recording_add(p->recording, r);
}

/* Rows that are new, or that a better name was found for. */
static void secrets_keep(struct pipeline *p, uint64_t time)
{
	const struct masker *m = &p->run.masker;

	if (!p->recorded)
		p->recorded = xcalloc(SECRETS_MAX, sizeof(*p->recorded));
	for (unsigned i = 0; i < m->count; i++) {
		const struct secret *s = &m->secrets[i];
		struct {
			struct ev_hdr h;
			struct ev_secret e;
			char name[sizeof(s->name)];
		} b = { .h = { .time = time, .type = EV_SECRET } };
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

/* Whoever may read the recording could not have seen it: see pipeline_record_own(). */
static bool is_others(const struct pipeline *p, const struct record *r)
{
	const struct process *process;

	if (!p->record_own || r->h->type == EV_STRANGER)
		return p->record_own;
	if (r->h->type != EV_DATA)
		return false;
	process = table_known(p->table, r->h->pid, r->h->start);
	return !process || (!process->container_id &&
			    (process->uid != p->record_uid || process->euid != p->record_uid));
}

/* The rows that a record needs stand before it. */
static void record_out(void *ctx, const struct record *r)
{
	secrets_keep(ctx, r->h->time);
	record_write(ctx, r);
}

void record_note(struct pipeline *p, const struct record *r)
{
	if (!p->recording || r->h->type != EV_DATA)
		return;
	buf_reset(&p->raw);
	buf_add(&p->raw, r->h->len ? r->tail : "", r->h->len);
}

void record_keep(struct pipeline *p, const struct record *r)
{
	const struct ev_data *e = r->h->type == EV_DATA ? r->body : NULL;

	/* Before its begin a run has no masker: nothing could be masked. */
	if (!p->recording || (!p->begun && r->h->type != EV_BEGIN))
		return;
	if (!p->held)
		p->held = held_new(&p->run.masker, record_out, p);
	if (is_others(p, r))
		p->unrecorded++;
	else if (e)
		held_add(p->held, r, p->raw.ptr ? p->raw.ptr : "",
			 r->h->want == r->h->len &&
				 dialogue_open(p->dialogue, e->sk, e->sockino, e->dir));
	else
		held_add(p->held, r, NULL, false);
	if (e && p->raw.ptr)
		explicit_bzero(p->raw.ptr, p->raw.len);
}

void recording_finish(struct pipeline *p)
{
	if (p->held)
		held_flush(p->held);
	if (p->recording && !p->recording_error)
		p->recording_error = recording_end(p->recording);
}
