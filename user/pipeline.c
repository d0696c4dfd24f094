/* pipeline.c: drives one run: process table, dialogue, detectors, alerts and stream, in this order. */
#include <errno.h>
#include <fnmatch.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include "begin.h"
#include "dialogue.h"
#include "pipeline.h"
#include "process_table.h"
#include "record.h"
#include "recording.h"
#include "summary.h"

/* A stream socket of the run that was connected or used, until its process ends. */
struct link {
	uint64_t sk, ino;
	struct ev_connect e;
	char names[2 * EV_SUN_MAX];
	uint64_t time;
	bool reported;
};

struct socket_file {
	uint64_t ino;
	uint32_t dev;
};

struct pipeline {
	const struct config *config;
	struct run run;
	struct stream stream;
	struct alerts alerts;
	struct report report;
	struct process_table *table;
	struct ledger *ledger;
	struct dialogue *dialogue;
	FILE *recording;
	int recording_error;
	bool begun, finished, replay;
	struct secret *recorded; /* rows as they stand in the recording */
	unsigned n_recorded;
	struct {
		uint64_t start;
		uint32_t pid;
	} ended[256]; /* the last processes that ended */
	unsigned n_ended;
	uint64_t now; /* boot ns of the record at hand */
	void *links;  /* tsearch tree of struct link */
	struct socket_file engines[256];
	unsigned n_engines;
	char **gaps;
	unsigned n_gaps;
	struct span *left;
	unsigned n_left;
	bool tripped;
	void (*on_container)(void *ctx, const char *id);
	void *container_ctx;
};

#define GAPS_MAX 64

struct pipeline *pipeline_new(const struct config *config, stream_sink *sink, void *sink_ctx)
{
	struct pipeline *p = xcalloc(1, sizeof(*p));

	p->config = config;
	alerts_init(&p->alerts);
	p->table = table_new();
	p->run.status = -1;
	p->run.masker.extra_names = (const char *const *)config->secret_names;
	p->stream.sink = sink;
	p->stream.sink_ctx = sink_ctx;
	return p;
}

void pipeline_record_to(struct pipeline *p, FILE *f)
{
	p->recording = f;
}

void pipeline_on_container(struct pipeline *p, void (*fn)(void *ctx, const char *id), void *ctx)
{
	p->on_container = fn;
	p->container_ctx = ctx;
}

const struct run *pipeline_run(const struct pipeline *p)
{
	return &p->run;
}

static uint64_t wall(const struct pipeline *p, uint64_t boot)
{
	return boot + p->run.wall_offset;
}

/* Every fact goes this way: detectors, event line, alert lines. */
static void fact_emit(struct pipeline *p, struct fact *f)
{
	f->run = &p->run;
	report_reset(&p->report);
	detect_all(f, &p->report);
	stream_fact(&p->stream, f, &p->report);
	for (unsigned i = 0; i < p->report.n; i++) {
		const struct alert *a = alerts_note(&p->alerts, &p->report.at[i], f);

		if (a) {
			if (a->process)
				process_hold((struct process *)a->process);
			stream_alert(&p->stream, a, f, false);
		}
	}
}

static void gap_note(struct pipeline *p, struct span what, struct span why)
{
	struct buf b = { 0 };

	if (p->n_gaps >= GAPS_MAX)
		return;
	buf_fmt(&b, "%.*s: %.*s", SPANF(what), SPANF(why));
	p->gaps = xrealloc(p->gaps, (p->n_gaps + 1) * sizeof(*p->gaps));
	p->gaps[p->n_gaps++] = b.ptr;
}

static void health_emit(struct pipeline *p, enum health_kind what, const struct process *process,
			struct span hook, struct span reason, struct span effect, uint64_t count,
			const char *type, bool incomplete)
{
	struct fact f = { .kind = FACT_HEALTH, .time = wall(p, p->now), .process = process };

	f.health.what = what;
	f.health.hook = hook;
	f.health.reason = reason;
	f.health.effect = effect;
	f.health.count = count;
	f.health.type = type;
	f.health.incomplete = incomplete;
	if (incomplete)
		p->run.complete = false;
	if (what == HEALTH_GAP)
		gap_note(p, hook, effect.len ? effect : reason);
	fact_emit(p, &f);
}

/* ---- the engine dialogue ---- */

static void on_call(void *ctx, const struct process *process, uint64_t time,
		    const struct docker_call *call)
{
	struct pipeline *p = ctx;
	struct fact f = { .kind = FACT_DOCKER, .time = wall(p, time), .process = process };

	f.docker = *call;
	p->run.engine_calls++;
	if (p->on_container && call->route->action == ACT_CONTAINER_CREATE &&
	    call->created_id.len == EV_CONTAINER_LEN)
		p->on_container(p->container_ctx, call->created_id.ptr);
	fact_emit(p, &f);
}

static void on_gap(void *ctx, uint64_t time, const struct dialogue_gap *gap)
{
	struct pipeline *p = ctx;

	(void)time;
	p->run.cut_records++;
	health_emit(p, HEALTH_CUT, gap->process, SPAN("engine connection"), span_of(gap->reason),
		    SPAN("API calls on this connection may be missing"), gap->bytes, NULL, true);
}

static void on_scrub(void *ctx, char *bytes, size_t len)
{
	struct pipeline *p = ctx;

	scrub_bytes(&p->run.masker, bytes, len);
}

static void on_hold(void *ctx, const struct process *process, int by)
{
	(void)ctx;
	if (by > 0)
		process_hold((struct process *)process);
	else
		process_drop((struct process *)process);
}

static int link_compare(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->sk != y->sk)
		return x->sk < y->sk ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static bool engine_known(const struct pipeline *p, uint64_t ino, uint32_t dev)
{
	for (unsigned i = 0; ino && i < p->n_engines; i++)
		if (p->engines[i].ino == ino && p->engines[i].dev == dev)
			return true;
	return false;
}

/* Names that engines give their sockets; a listener's own name, or what a failed connect asked for. */
static bool engine_named(struct span path)
{
	static const char *const names[] = { "/docker.sock", "/podman.sock", "/containerd.sock",
					     "/crio.sock" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_ends(path, names[i]))
			return true;
	return false;
}

static struct span name_trim(const char *name, size_t n)
{
	/* Abstract names begin with NUL and may hold more; a path ends at its first NUL. */
	return (struct span){ name, n && name[0] ? strnlen(name, n) : n };
}

static void link_report(struct pipeline *p, struct link *l, const struct process *process,
			bool verified)
{
	struct fact f = { .kind = FACT_CONNECT, .time = wall(p, l->time), .process = process };
	char ip[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN + 10];

	l->reported = true;
	f.connect.address = name_trim(l->names, l->e.name_len);
	f.connect.asked = name_trim(l->names + EV_SUN_MAX, l->e.asked_len);
	f.connect.error = l->e.ret < 0 && l->e.ret != -EINPROGRESS ? -l->e.ret : 0;
	f.connect.family = l->e.family;
	f.connect.port = l->e.port;
	f.connect.listener_pid = l->e.listener_pid;
	f.connect.verified = verified;
	f.connect.late = l->e.flags & CONN_FIRST_IO;
	if (l->e.family != AF_UNIX && inet_ntop(l->e.family, l->e.addr, ip, sizeof(ip))) {
		snprintf(address, sizeof(address), "%s:%u", ip, l->e.port);
		f.connect.address = span_of(address);
	}
	p->run.connects++;
	fact_emit(p, &f);
}

#define PORT_DOCKER     2375 /* https://docs.docker.com/engine/daemon/remote-access */
#define PORT_DOCKER_TLS 2376

static void take_connect(struct pipeline *p, const struct record *r, struct process *process)
{
	const struct ev_connect *e = r->body;
	struct link key = { .sk = e->sk, .ino = e->sockino }, *l, **found;
	bool known = engine_known(p, e->peer_ino, e->peer_dev), named;

	found = tfind(&key, &p->links, link_compare);
	if (found && e->flags & CONN_FIRST_IO)
		return; /* its connect was seen */
	if (found) {
		l = *found;
	} else {
		l = xcalloc(1, sizeof(*l));
		l->sk = e->sk;
		l->ino = e->sockino;
		tsearch(l, &p->links, link_compare);
	}
	l->e = *e;
	l->time = r->h->time;
	l->reported = false;
	memcpy(l->names, r->tail, sizeof(l->names));
	named = engine_named(name_trim(l->names, e->name_len)) ||
		engine_named(name_trim(l->names + EV_SUN_MAX, e->asked_len)) ||
		(e->family != AF_UNIX && (e->port == PORT_DOCKER || e->port == PORT_DOCKER_TLS));
	if (!e->ret || e->ret == -EINPROGRESS)
		dialogue_connect(p->dialogue, e->sk, e->sockino, known, e->family != AF_UNIX);
	if (known || named)
		link_report(p, l, process, known);
}

static void take_data(struct pipeline *p, const struct record *r, struct process *process)
{
	const struct ev_data *e = r->body;
	struct link key = { .sk = e->sk, .ino = e->sockino }, **found;

	found = tfind(&key, &p->links, link_compare);
	if (dialogue_data(p->dialogue, process, r->h->time, e, r->tail, r->h->len, r->h->want) &&
	    found && !(*found)->reported)
		link_report(p, *found, process,
			    engine_known(p, (*found)->e.peer_ino, (*found)->e.peer_dev));
}

/* ---- processes, environment, files ---- */

static void take_exec(struct pipeline *p, const struct record *r)
{
	struct fact f = { .kind = FACT_EXEC, .time = wall(p, r->h->time) };

	if (!p->run.root_seen) {
		p->run.root_seen = true;
		if (!p->run.root_pid)
			p->run.root_pid = r->h->pid;
	}
	f.process = table_exec(p->table, r->h, r->body, r->tail, &p->run);
	p->run.execs++;
	fact_emit(p, &f);
	if (f.process->args_want > f.process->args_len)
		health_emit(p, HEALTH_CUT, f.process, SPAN("exec arguments"),
			    SPAN("longer than is kept"), SPAN("the middle of the arguments"),
			    f.process->args_want - f.process->args_len, NULL, true);
}

/* Two threads that end together may both find no thread left: the second report is none. */
static bool exit_is_first(struct pipeline *p, const struct ev_hdr *h)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->ended); i++)
		if (p->ended[i].pid == h->pid && p->ended[i].start == h->start)
			return false;
	p->ended[p->n_ended % ARRAY_SIZE(p->ended)].pid = h->pid;
	p->ended[p->n_ended++ % ARRAY_SIZE(p->ended)].start = h->start;
	return true;
}

static void take_exit(struct pipeline *p, const struct record *r, struct process *process)
{
	const struct ev_exit *e = r->body;
	struct fact f = { .kind = FACT_EXIT, .time = wall(p, r->h->time), .process = process };

	dialogue_process_end(p->dialogue, process, r->h->time);
	process->ended = r->h->time;
	process->status = e->status;
	fact_emit(p, &f);
	table_exit(p->table, process, r->h->time, e->status);
}

static void take_env(struct pipeline *p, const struct record *r, struct process *process)
{
	const struct ev_env *e = r->body;
	struct fact f = { .kind = FACT_ENV, .time = wall(p, r->h->time), .process = process };

	p->run.env_reads++;
	process->env_reads++;
	f.env.name = (struct span){ r->tail, r->h->len };
	if (!process_first_read(process, f.env.name))
		return;
	f.env.mechanism = e->mechanism;
	f.env.found = process_env_has(process, f.env.name);
	f.env.sensitive = name_is_sensitive(&p->run.masker, f.env.name);
	fact_emit(p, &f);
}

static bool is_log(const struct pipeline *p, const char *path)
{
	static const char *const defaults[] = { "*.log", "*.log.*", "/var/log/*", "*-json.log" };

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!fnmatch(defaults[i], path, 0))
			return true;
	for (char **g = p->config->log_patterns; g && *g; g++)
		if (!fnmatch(*g, path, 0))
			return true;
	return false;
}

static void take_file(struct pipeline *p, const struct record *r, struct process *process)
{
	const struct ev_file *e = r->body;
	const struct ev_comp *c = (const void *)r->tail;
	struct fact f = { .kind = FACT_FILE, .time = wall(p, r->h->time), .process = process };

	if (!e->comps)
		return;
	path_from_comps(&f.file.path, c, e->comps, e->flags & FILE_CUT_PATH);
	f.file.mode = c[0].mode;
	f.file.uid = c[0].uid;
	f.file.gid = c[0].gid;
	f.file.nlink = e->nlink;
	f.file.dir_mode = e->comps > 1 ? c[1].mode : 0755;
	f.file.dir_uid = e->comps > 1 ? c[1].uid : 0;
	f.file.dir_gid = e->comps > 1 ? c[1].gid : 0;
	f.file.ino = e->ino;
	f.file.dev = e->dev;
	f.file.open_flags = e->open_flags;
	f.file.created = e->flags & FILE_CREATED;
	f.file.is_log = is_log(p, f.file.path.text);
	fact_emit(p, &f);
	path_free(&f.file.path);
}

/* ---- records of the loader ---- */

static void take_begin(struct pipeline *p, const struct record *r)
{
	struct fact f = { .kind = FACT_RUN_START };
	struct dialogue_ops ops = { on_call, on_gap, on_scrub, on_hold, p };
	const char *const *extra = p->run.masker.extra_names;

	if (p->begun || !begin_read((struct span){ r->tail, r->h->len }, &p->run)) {
		p->run.rejected++;
		return;
	}
	p->run.masker.extra_names = extra;
	p->begun = true;
	p->run.began = wall(p, r->h->time);
	p->ledger = ledger_new(p->run.own, p->run.n_own);
	p->dialogue = dialogue_new(&ops, p->ledger);
	stream_init(&p->stream, &p->run, p->config->alerts_only, p->stream.sink,
		    p->stream.sink_ctx);
	f.time = p->run.began;
	fact_emit(p, &f);
}

/* Next of the NUL ended strings of a tail; empty when there is no more. */
static struct span string_next(const char **at, const char *end)
{
	const char *start = *at;
	size_t n = strnlen(start, end - start);

	*at = start + n < end ? start + n + 1 : end;
	return (struct span){ start, n };
}

static void take_gap(struct pipeline *p, const struct record *r)
{
	const struct ev_gap *e = r->body;
	const char *at = r->tail, *end = r->tail + r->h->len;
	struct span hook = string_next(&at, end), reason = string_next(&at, end);
	struct span effect = string_next(&at, end);

	health_emit(p, HEALTH_GAP, NULL, hook, reason, effect, 1, NULL, e->required);
}

static void take_lost(struct pipeline *p, const struct record *r)
{
	const struct ev_lost *e = r->body;
	const char *name = e->type && e->type < EV_TYPES ? record_type_name(e->type) : "membership";
	struct buf what = { 0 };

	if (e->type < EV_TYPES)
		p->run.lost[e->type] += e->count;
	ledger_blind(p->ledger);
	buf_fmt(&what, "%llu %s records", (unsigned long long)e->count, name);
	gap_note(p, span_of(what.ptr), SPAN("lost in the kernel"));
	buf_free(&what);
	health_emit(p, HEALTH_LOST, NULL, SPAN("ring"), SPAN("dropped in the kernel"), SPAN(""),
		    e->count, name, true);
}

static void take_engine(struct pipeline *p, const struct record *r)
{
	const struct ev_engine *e = r->body;

	if (p->n_engines < ARRAY_SIZE(p->engines))
		p->engines[p->n_engines++] = (struct socket_file){ e->ino, e->dev };
}

/* Replay alone: live, the row is there already. */
static void take_secret(struct pipeline *p, const struct record *r)
{
	const struct ev_secret *e = r->body;
	struct masker *m = &p->run.masker;
	struct secret *s = &m->secrets[e->index];

	if (!p->replay)
		return;
	s->kind = e->kind;
	s->len = e->length;
	memset(s->name, 0, sizeof(s->name));
	memcpy(s->name, r->tail, r->h->len);
	if (m->count <= e->index)
		m->count = e->index + 1;
}

static void take_end(struct pipeline *p, const struct record *r)
{
	const struct ev_end *e = r->body;

	p->run.status = e->status;
	p->run.ended = wall(p, r->h->time);
}

/* Loader records carry no process. */
static bool take_loader(struct pipeline *p, const struct record *r)
{
	static void (*const take[EV_TYPES])(struct pipeline *, const struct record *) = {
		[EV_BEGIN] = take_begin, [EV_ENGINE] = take_engine, [EV_GAP] = take_gap,
		[EV_LOST] = take_lost,   [EV_END] = take_end,       [EV_SECRET] = take_secret,
	};

	if (!take[r->h->type])
		return false;
	take[r->h->type](p, r);
	return true;
}

static struct process *process_of(struct pipeline *p, const struct record *r)
{
	bool missed = false;
	struct process *process = table_find(p->table, r->h->pid, r->h->start, &p->run, &missed);

	if (missed)
		health_emit(p, HEALTH_MISSED, process, SPAN("process"),
			    SPAN("its start was not seen"),
			    SPAN("program, arguments and parent are not known"), 1, NULL, true);
	return process;
}

void engine_event(struct pipeline *p, const struct record *r)
{
	const struct ev_fork *fork = r->body;

	p->now = r->h->time;
	if (r->h->type != EV_SECRET) /* only replay sees them */
		p->run.count[r->h->type]++;
	if (!p->begun && r->h->type != EV_BEGIN) {
		p->run.rejected++;
		return;
	}
	if (take_loader(p, r))
		return;
	/* Until its exec COMMAND's process is our own program. */
	if (!p->run.root_seen && r->h->pid == p->run.root_pid && r->h->type != EV_EXEC)
		return;
	switch (r->h->type) {
	case EV_FORK:
		p->run.processes++;
		table_fork(p->table, process_of(p, r), fork, &p->run);
		break;
	case EV_EXEC:
		take_exec(p, r);
		break;
	case EV_EXIT:
		if (exit_is_first(p, r->h))
			take_exit(p, r, process_of(p, r));
		break;
	case EV_CONNECT:
		take_connect(p, r, process_of(p, r));
		break;
	case EV_DATA:
		take_data(p, r, process_of(p, r));
		break;
	case EV_ENV:
		take_env(p, r, process_of(p, r));
		break;
	case EV_FILE:
		take_file(p, r, process_of(p, r));
		break;
	}
}

/* Names stand in slots of fixed size; behind them lies what the memory held before. */
static void comps_clean(char *tail, size_t n)
{
	struct ev_comp *c = (struct ev_comp *)tail;

	for (size_t i = 0; i < n; i++)
		memset(c[i].name + c[i].len, 0, sizeof(c[i].name) - c[i].len);
}

/* Secrets are learned and masked here, before the record is kept or looked at. */
static void record_scrub(struct pipeline *p, struct record *r)
{
	struct masker *m = &p->run.masker;
	struct exec_parts parts;
	struct ev_exec *e;
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
		e->comm[strnlen(e->comm, sizeof(e->comm) - 1)] = 0;
		memset(e->comm + strlen(e->comm), 0, sizeof(e->comm) - strlen(e->comm));
		cut = e->env_len;
		e->env_len = scrub_environment(m, parts.env, e->env_len);
		cut -= e->env_len;
		h->len -= cut;
		h->want -= cut;
		scrub_arguments(m, parts.args, e->args_len);
		scrub_arguments(m, parts.file, e->file_len);
		break;
	case EV_DATA:
		scrub_bytes(m, r->tail, r->h->len);
		break;
	case EV_FILE:
		comps_clean(r->tail, ((const struct ev_file *)r->body)->comps);
		scrub_bytes(m, r->tail, r->h->len);
		break;
	}
}

static void record_keep(struct pipeline *p, const struct record *r)
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
			record_keep(p, &r);
	}
	p->n_recorded = m->count;
}

void pipeline_replay(struct pipeline *p, void *bytes, size_t n)
{
	struct record r;

	p->replay = true;
	if (record_decode(bytes, n, &r))
		engine_event(p, &r);
	else
		p->run.rejected++;
}

void pipeline_take(struct pipeline *p, void *bytes, size_t n)
{
	struct record r;

	if (!record_decode(bytes, n, &r)) {
		p->run.rejected++;
		return;
	}
	record_scrub(p, &r);
	secrets_keep(p);
	record_keep(p, &r);
	engine_event(p, &r);
}

/* ---- end of the run ---- */

static void left_add(void *ctx, enum docker_object kind, struct span id, struct span name)
{
	struct pipeline *p = ctx;
	struct buf b = { 0 };

	buf_str(&b, docker_object_text(kind));
	buf_byte(&b, ' ');
	if (name.len)
		buf_add(&b, name.ptr, name.len);
	else
		buf_add(&b, id.ptr, id.len > 12 ? 12 : id.len);
	p->left = xrealloc(p->left, (p->n_left + 1) * sizeof(*p->left));
	p->left[p->n_left++] = (struct span){ b.ptr, b.len };
}

static bool gate_trips(const struct pipeline *p)
{
	if (p->config->require_complete && !p->run.complete)
		return true;
	return p->config->fail_on > 0 && (int)alerts_worst(&p->alerts, false) >= p->config->fail_on;
}

static struct run_result result_of(const struct pipeline *p)
{
	bool armed = p->config->fail_on > 0 || p->config->require_complete;

	return (struct run_result){
		.gate = p->tripped ? "tripped"
			: armed    ? "passed"
				   : "off",
		.fail_on = p->config->fail_on > 0 ? severity_text(p->config->fail_on) : "never",
		.alerts = &p->alerts,
		.left_objects = p->left,
		.n_left_objects = p->n_left,
	};
}

void pipeline_finish(struct pipeline *p)
{
	struct fact f = { .kind = FACT_RUN_END, .run = &p->run };
	struct run_result result;
	struct process **alive;

	if (p->finished || !p->begun)
		return;
	p->finished = true;
	dialogue_finish(p->dialogue, p->now);
	if (p->run.rejected) {
		struct buf what = { 0 };

		buf_fmt(&what, "%llu records", (unsigned long long)p->run.rejected);
		health_emit(p, HEALTH_CUT, NULL, SPAN("decode"),
			    SPAN("malformed records were rejected"), span_of(what.ptr),
			    p->run.rejected, NULL, true);
		buf_free(&what);
	}
	ledger_left(p->ledger, left_add, p);
	for (unsigned i = 0; i < p->alerts.n; i++)
		if (p->alerts.at[i].count > 1 && p->alerts.at[i].severity > SEV_INFO) {
			struct fact again = { .kind = FACT_RUN_END,
					      .run = &p->run,
					      .time = p->alerts.at[i].last,
					      .process = p->alerts.at[i].process };

			stream_alert(&p->stream, &p->alerts.at[i], &again, true);
		}
	p->tripped = gate_trips(p);
	result = result_of(p);
	alive = table_alive(p->table, &result.n_left_processes);
	result.left_processes = (const struct process **)alive;
	if (!p->run.ended)
		p->run.ended = wall(p, p->now);
	f.time = p->run.ended;
	f.end.status = p->run.status;
	stream_run_end(&p->stream, &f, &result);
	free(alive);
	if (p->recording && !p->recording_error)
		p->recording_error = recording_end(p->recording);
}

struct pipeline_verdict pipeline_verdict(const struct pipeline *p)
{
	return (struct pipeline_verdict){
		.complete = p->run.complete,
		.tripped = p->tripped,
		.output_error = p->stream.error ? p->stream.error : p->recording_error,
		.rejected = p->run.rejected,
	};
}

void pipeline_summary(const struct pipeline *p, const char *const *files, unsigned n_files,
		      bool colour, bool verbose, struct buf *out)
{
	struct run_result result = result_of(p);
	struct summary_input in = {
		.run = &p->run,
		.alerts = &p->alerts,
		.result = &result,
		.gaps = (const char *const *)p->gaps,
		.n_gaps = p->n_gaps,
		.files = files,
		.n_files = n_files,
		.colour = colour,
		.verbose = verbose,
	};
	struct process **alive = table_alive(p->table, &result.n_left_processes);

	result.left_processes = (const struct process **)alive;
	summary_write(&in, out);
	free(alive);
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	if (p->dialogue)
		dialogue_free(p->dialogue);
	if (p->ledger)
		ledger_free(p->ledger);
	stream_free(&p->stream);
	alerts_free(&p->alerts);
	report_free(&p->report);
	table_free(p->table);
	tdestroy(p->links, free);
	for (unsigned i = 0; i < p->n_gaps; i++)
		free(p->gaps[i]);
	for (unsigned i = 0; i < p->n_left; i++)
		free((char *)p->left[i].ptr);
	free(p->gaps);
	free(p->recorded);
	free(p->left);
	run_free(&p->run);
	free(p);
}
