/* take_engine.c: connections to container engines and the calls that are made on them become facts. */
#include <arpa/inet.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "build_steps.h"
#include "detect.h"
#include "made.h"
#include "pipeline_state.h"
#include "place.h"

/* A stream socket of the run that was connected or used, until its process ends. */
struct link {
	uint64_t sk, ino;
	struct ev_connect e;
	char names[2 * EV_SUN_MAX];
	uint64_t time;
	bool reported;
	bool stdio;            /* by ssh: its address is no path */
	struct source *source; /* of the connect */
};

void link_free(void *link)
{
	source_drop(((struct link *)link)->source);
	free(link);
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
	if (p->run.masker.learned != p->ledger_known)
		ledger_mask(p->ledger, &p->run.masker);
	p->ledger_known = p->run.masker.learned;
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

#define PEER_TEXT (EV_SUN_MAX + INET6_ADDRSTRLEN)

/* The name the listener is bound to, or host:port in text. */
static struct span peer_text(const struct link *l, char *text, size_t size)
{
	char ip[INET6_ADDRSTRLEN];

	if (l->e.family == AF_UNIX || !inet_ntop(l->e.family, l->e.addr, ip, sizeof(ip)))
		return name_trim(l->names, l->e.name_len);
	snprintf(text, size, "%s:%u", ip, l->e.port);
	return span_of(text);
}

/* Who calls listen for an engine; systemd does when a socket unit starts it. */
static bool listens_for_engine(const char comm[EV_COMM_MAX])
{
	static const char *const names[] = { "dockerd", "podman", "containerd", "crio", "systemd" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(comm, names[i], EV_COMM_MAX))
			return true;
	return false;
}

/* The socket's file is no evidence when somebody else listens there. */
static bool is_relay(const struct pipeline *p, const struct link *l)
{
	if (l->stdio)
		return false;
	if (l->e.listener_comm[0])
		return !listens_for_engine(l->e.listener_comm);
	return !engine_known(p, l->e.peer_ino, l->e.peer_dev) && l->e.name_len;
}

/* Who listens itself reaches no engine by that: a test's own server. What it hands on is told of it, too. */
static enum docker_way call_way(const struct pipeline *p, const struct link *l,
				const struct docker_call *c, const struct process *process)
{
	if (l->e.listener_pid && process && l->e.listener_pid == process->pid)
		return WAY_BOUND;
	return c->tcp ? WAY_TCP : is_relay(p, l) ? WAY_RELAY : WAY_BOUND;
}

static bool same_place(const struct buf *asked, struct span bound)
{
	struct buf clean = { 0 };
	bool same;

	path_clean(bound, &clean);
	same = !strcmp(path_place(asked->ptr), path_place(clean.ptr));
	buf_free(&clean);
	return same;
}

/* Another path that an engine itself bound leads to an engine, too. */
static enum docker_way connect_way(const struct pipeline *p, const struct link *l,
				   const struct process *process)
{
	struct span asked = name_trim(l->names + EV_SUN_MAX, l->e.asked_len);
	struct span bound = name_trim(l->names, l->e.name_len);
	struct buf whole = { 0 }, clean = { 0 };
	bool same;

	if (l->e.family != AF_UNIX || !asked.len || !asked.ptr[0] || !bound.len || !bound.ptr[0])
		return WAY_BOUND;
	if (asked.ptr[0] != '/') {
		if (!process || !process->cwd.text)
			return WAY_BOUND; /* not known */
		buf_str(&whole, process->cwd.text);
		buf_byte(&whole, '/');
	}
	buf_add(&whole, asked.ptr, asked.len);
	path_clean((struct span){ whole.ptr, whole.len }, &clean);
	same = same_place(&clean, bound);
	for (unsigned i = 0; i < p->n_engines && !same; i++)
		same = same_place(&clean, span_of(p->engines[i].path));
	buf_free(&whole);
	buf_free(&clean);
	return same ? WAY_BOUND : WAY_OTHER_PATH;
}

static void container_tell(struct pipeline *p, struct span id, uint64_t time)
{
	char digits[EV_CONTAINER_LEN] = { 0 };

	memcpy(digits, id.ptr, id.len < sizeof(digits) ? id.len : sizeof(digits));
	if (p->live.container)
		p->live.container(p->live.ctx, digits, time);
}

static void on_container(void *ctx, struct span id)
{
	struct pipeline *p = ctx;

	container_tell(p, id, p->now);
}

static void on_build(void *ctx, struct span dockerfile, bool over)
{
	struct pipeline *p = ctx;
	struct build_step *steps;
	unsigned n, runs;

	if (!p->live.build)
		return;
	steps = xcalloc(BUILD_STEPS_MAX, sizeof(*steps));
	n = build_steps(dockerfile, steps, &runs);
	p->live.build(p->live.ctx, steps, n, !over);
	free(steps);
}

static void on_dockerfile(void *ctx, uint64_t sk, uint64_t ino, struct span text, bool complete)
{
	struct pipeline *p = ctx;
	struct ev_dockerfile e = { sk, ino, complete, 0 };
	size_t n = text.len < EV_DATA_MAX ? text.len : EV_DATA_MAX;

	e.complete = complete && n == text.len;
	made_record(p, 0, p->now, EV_DOCKERFILE, &e, sizeof(e), text.ptr, n);
}

void take_dockerfile(struct pipeline *p, const struct record *r)
{
	const struct ev_dockerfile *e = r->body;

	dialogue_dockerfile(p->dialogue, e->sk, e->sockino, (struct span){ r->tail, r->h->len },
			    e->complete);
}

void take_stranger(struct pipeline *p, const struct record *r)
{
	p->stranger = r->h->time;
}

/* The containers of a build's steps are told by its answer, or known by what they execute. */
static void build_gap(struct pipeline *p, const struct process *process, uint64_t begun,
		      const struct docker_call *c)
{
	struct buf v = { 0 };
	bool kit = docker_query(c->query, "version", 0, &v) &&
		   span_eq((struct span){ v.ptr, v.len }, "2");
	bool quiet =
		docker_query(c->query, "q", 0, &v) && docker_bool((struct span){ v.ptr, v.len });

	buf_free(&v);
	if (c->status != 200)
		return;
	if (!c->dockerfile.len && (quiet || kit || !c->response_complete))
		health_emit(
			p, HEALTH_GAP, process, SPAN("container processes"),
			SPAN("the Dockerfile of a build that does not tell its containers was not seen"),
			SPAN("what the RUN steps of a build execute"), 1, NULL, false);
	else if (p->stranger >= begun)
		health_emit(
			p, HEALTH_GAP, process, SPAN("container processes"),
			SPAN("during a build a container executed what is none of its steps, or another run's as well"),
			SPAN("whether it was one of the build's"), 1, NULL, false);
}

/* Of a container that the run did not create nobody knows here what is executed in it. */
static void start_gap(struct pipeline *p, const struct process *process,
		      const struct docker_call *c)
{
	bool started = c->status == 101 || c->status / 100 == 2;
	bool others = c->route->action == ACT_EXEC_START &&
		      (c->owner == OWNER_FOREIGN || c->owner == OWNER_UNKNOWN);

	if (started && others)
		health_emit(
			p, HEALTH_GAP, process, SPAN("container processes"),
			SPAN("a command was started in a container that the run did not create"),
			SPAN("what it executes there; a run that created the container tells it"),
			1, NULL, false);
	else if (started && c->owner == OWNER_OWN && !c->container_id.len)
		health_emit(
			p, HEALTH_GAP, process, SPAN("container processes"),
			SPAN("something was started in a container given by --own, whose id no answer told"),
			SPAN("what it executes there"), 1, NULL, false);
}

static bool starts(enum docker_action a)
{
	return a == ACT_EXEC_START || a == ACT_CONTAINER_START || a == ACT_CONTAINER_RESTART;
}

static void on_call(void *ctx, const struct process *process, uint64_t time,
		    const struct docker_call *call)
{
	struct pipeline *p = ctx;
	struct link key = { .sk = call->sk, .ino = call->ino },
		    **found = tfind(&key, &p->links, link_compare);
	char text[PEER_TEXT];
	struct fact f = { .kind = FACT_DOCKER, .time = wall(p, time), .process = process };

	f.docker = *call;
	if (found) {
		f.docker.peer = peer_text(*found, text, sizeof(text));
		f.docker.way = call_way(p, *found, call, process);
	}
	f.source = source_of_call(p, process, time);
	if (!f.source)
		f.source = process->source;
	if (call->route->action == ACT_CONTAINER_CREATE)
		container_wanted(p, call->created_id, f.source, process->test);
	else if (call->route->action == ACT_EXEC_CREATE)
		container_wanted(p, call->container_id, f.source, process->test);
	p->run.engine_calls++;
	if (call->route->action == ACT_CONTAINER_CREATE && call->created_id.len == EV_CONTAINER_LEN)
		on_container(p, call->created_id);
	else if (call->owner == OWNER_OWN && call->container_id.len == EV_CONTAINER_LEN &&
		 ledger_given(p->ledger, call->container_id))
		container_tell(p, call->container_id, 0);
	fact_emit(p, &f);
	if (call->route->action == ACT_IMAGE_BUILD)
		build_gap(p, process, time, call);
	if (call->route->action == ACT_GRPC && call->status == 101)
		health_emit(
			p, HEALTH_GAP, process, SPAN("engine connection"),
			SPAN("HTTP/2 behind POST /grpc, by which buildx builds, is not decoded"),
			SPAN("what is built by it, and what the steps execute"), 1, NULL, false);
	else if (call->route->action == ACT_SERVICE && call->status / 100 == 2)
		health_emit(
			p, HEALTH_GAP, process, SPAN("container processes"),
			SPAN("the containers of a service are made by the engine, not by a call"),
			SPAN("what they execute"), 1, NULL, false);
	else if (call_is_unknown_change(call))
		health_emit(
			p, HEALTH_GAP, process, SPAN("engine connection"),
			SPAN("calls that are not of the Docker Engine API, as podman has its own, are not decoded"),
			SPAN("what they make, change or remove"), 1, NULL, false);
	else if (starts(call->route->action))
		start_gap(p, process, call);
}

const struct dialogue_ops dialogue_to_facts = { on_call,       on_gap,   on_container, on_build,
						on_dockerfile, on_scrub, on_hold,      NULL };

static void link_report(struct pipeline *p, struct link *l, const struct process *process,
			bool verified)
{
	struct fact f = { .kind = FACT_CONNECT, .time = wall(p, l->time), .process = process };
	char comm[EV_COMM_MAX + 1] = "", address[PEER_TEXT];

	l->reported = true;
	memcpy(comm, l->e.listener_comm, EV_COMM_MAX);
	f.connect.address = peer_text(l, address, sizeof(address));
	f.source = l->source;
	f.connect.asked = name_trim(l->names + EV_SUN_MAX, l->e.asked_len);
	f.connect.error = l->e.ret < 0 && l->e.ret != -EINPROGRESS ? -l->e.ret : 0;
	f.connect.family = l->e.family;
	f.connect.port = l->e.port;
	f.connect.listener_pid = l->e.listener_pid;
	f.connect.verified = verified;
	f.connect.listener_name = comm;
	f.connect.late = l->e.flags & CONN_FIRST_IO;
	f.connect.way = verified ? connect_way(p, l, process) : WAY_BOUND;
	p->run.connects++;
	fact_emit(p, &f);
}

#define PORT_DOCKER     2375 /* https://docs.docker.com/engine/daemon/remote-access */
#define PORT_DOCKER_TLS 2376

static struct link *link_get(struct pipeline *p, const struct ev_connect *e)
{
	struct link *l = xcalloc(1, sizeof(*l)), **in;

	l->sk = e->sk;
	l->ino = e->sockino;
	in = tsearch(l, &p->links, link_compare);
	if (*in != l)
		free(l);
	return *in;
}

void take_connect(struct pipeline *p, const struct record *r)
{
	const struct ev_connect *e = r->body;
	struct link key = { .sk = e->sk, .ino = e->sockino }, *l, **found;
	bool known = engine_known(p, e->peer_ino, e->peer_dev), named;

	found = tfind(&key, &p->links, link_compare);
	if (found && e->flags & CONN_FIRST_IO)
		return; /* its connect was seen */
	l = link_get(p, e);
	l->e = *e;
	l->time = r->h->time;
	l->reported = false;
	source_drop(l->source);
	l->source = source_hold(source_of_record(p, r, e->stack));
	memcpy(l->names, r->tail, sizeof(l->names));
	named = engine_named(name_trim(l->names, e->name_len)) ||
		engine_named(name_trim(l->names + EV_SUN_MAX, e->asked_len)) ||
		(e->family != AF_UNIX && (e->port == PORT_DOCKER || e->port == PORT_DOCKER_TLS));
	if (!e->ret || e->ret == -EINPROGRESS)
		dialogue_connect(p->dialogue, e->sk, e->sockino, known, e->family != AF_UNIX);
	if (e->family != AF_UNIX && !named && (!e->ret || e->ret == -EINPROGRESS))
		flow_connect(p, process_of(p, r), wall(p, r->h->time));
	if (known || named)
		link_report(p, l, process_of(p, r), known);
}

void link_stdio(struct pipeline *p, const struct ev_connect *e, struct span host, uint64_t time)
{
	struct link *l = link_get(p, e);
	struct buf name = { 0 };

	l->e = *e;
	l->reported = false;
	l->time = time;
	l->stdio = true;
	buf_fmt(&name, "ssh://%.*s", SPANF(host));
	l->e.name_len = name.len < EV_SUN_MAX ? name.len : EV_SUN_MAX;
	memcpy(l->names, name.ptr, l->e.name_len);
	buf_free(&name);
	dialogue_connect(p->dialogue, e->sk, e->sockino, false, false);
}

void take_data(struct pipeline *p, const struct record *r)
{
	const struct ev_data *e = r->body;
	struct link key = { .sk = e->sk, .ino = e->sockino }, **found;
	struct process *process = process_of(p, r);

	if (e->dir == DATA_SEND)
		source_sent(p, r);
	found = tfind(&key, &p->links, link_compare);
	if (dialogue_data(p->dialogue, process, r->h->time, e, r->tail, r->h->len, r->h->want) &&
	    found && !(*found)->reported)
		link_report(p, *found, process,
			    engine_known(p, (*found)->e.peer_ino, (*found)->e.peer_dev));
}

bool link_is_foreign(const struct pipeline *p, uint64_t sk, uint64_t ino)
{
	struct link key = { .sk = sk, .ino = ino }, **found = tfind(&key, &p->links, link_compare);

	return found && (*found)->e.family != AF_UNIX && !(*found)->reported;
}
