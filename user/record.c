/* record.c: decode of event records; trusts nothing and rejects what does not add up. */
#include <limits.h>
#include <string.h>
#include "record.h"
#include "scrub.h"

static const struct {
	const char *name;
	size_t body;
} types[EV_TYPES] = {
#define TYPE_ROW(upper, lower, kernel) [EV_##upper] = { #lower, sizeof(struct ev_##lower) },
	EVENT_TABLE(TYPE_ROW)
#undef TYPE_ROW
};

const char *record_type_name(unsigned type)
{
	return type < EV_TYPES && types[type].name ? types[type].name : "unknown";
}

const char *lost_name(unsigned type)
{
	if (type == EV_UNKNOWN || type >= EV_TYPES)
		return "membership";
	return type == EV_LOST ? "hook_call" : record_type_name(type);
}

size_t record_size(const struct record *r)
{
	return sizeof(*r->h) + types[r->h->type].body + r->h->len;
}

size_t record_used(const void *bytes, size_t n)
{
	const struct record r = { .h = bytes };
	size_t used;

	if (n < sizeof(*r.h) || r.h->type >= EV_TYPES)
		return n;
	used = record_size(&r);
	return used < n ? used : n;
}

static bool comps_ok(const char *tail, size_t n)
{
	const struct ev_comp *c = (const void *)tail;

	for (size_t i = 0; i < n; i++)
		if (c[i].len >= EV_NAME_MAX)
			return false;
	return true;
}

static bool exec_ok(const struct record *r)
{
	const struct ev_exec *e = r->body;
	size_t paths;

	if (e->exe_comps > EV_COMPS || e->cwd_comps > EV_COMPS)
		return false;
	paths = (e->exe_comps + e->cwd_comps) * sizeof(struct ev_comp);
	if (paths + e->file_len + (size_t)e->args_len + e->env_len != r->h->len)
		return false;
	for (int i = 0; i < 3; i++)
		if (e->fd[i].kind >= FD_KINDS)
			return false;
	return comps_ok(r->tail, e->exe_comps + e->cwd_comps);
}

static bool code_ok(const struct record *r)
{
	const struct ev_code *e = r->body;

	return e->file_room <= EV_TEXT_ROOM && e->name_room <= EV_TEXT_ROOM &&
	       e->file_len <= e->file_room && e->name_len <= e->name_room && e->file_kind <= 4 &&
	       e->name_kind <= 4 && e->file_kind != 3 && e->name_kind != 3 &&
	       e->table_len <= EV_TABLE_MAX &&
	       (size_t)e->file_room + e->name_room + e->table_len == r->h->len &&
	       (!(e->flags & CODE_SETTLED) ||
		(e->file_len == e->file_room && e->name_len == e->name_room));
}

static bool stack_ok(const struct record *r)
{
	const struct ev_stack *e = r->body;

	return !(r->h->len % sizeof(struct ev_frame)) &&
	       r->h->len <= EV_FRAMES * sizeof(struct ev_frame) && e->reason < STACK_REASONS &&
	       e->status < STACK_STATUSES;
}

static bool connect_ok(const struct record *r)
{
	const struct ev_connect *e = r->body;

	return r->h->len == 2 * EV_SUN_MAX && e->name_len <= EV_SUN_MAX &&
	       e->asked_len <= EV_SUN_MAX;
}

static bool data_ok(const struct record *r)
{
	const struct ev_data *e = r->body;

	return r->h->len <= EV_DATA_MAX && e->dir <= DATA_RECV;
}

static bool env_ok(const struct record *r)
{
	const struct ev_env *e = r->body;

	return r->h->len <= EV_VAR_MAX && e->mechanism < ENV_MECHANISMS;
}

static bool attack_ok(const struct record *r)
{
	const struct ev_attack *e = r->body;

	return !r->h->len && e->target < ATTACK_TARGETS && e->how < ATTACK_HOWS;
}

static bool test_ok(const struct record *r)
{
	return r->h->len < EV_TEST_MAX;
}

static bool link_ok(const struct record *r)
{
	return r->h->len && r->h->len <= EV_COMPS * EV_NAME_MAX;
}

static bool peek_ok(const struct record *r)
{
	const struct ev_peek *e = r->body;

	return !r->h->len && e->how < PEEK_HOWS;
}

static bool write_ok(const struct record *r)
{
	const struct ev_write *e = r->body;

	return r->h->len <= EV_DATA_MAX && e->kind < FD_KINDS;
}

static bool leak_ok(const struct record *r)
{
	const struct ev_leak *e = r->body;

	return !r->h->len && e->secret < SECRETS_MAX && e->kind < FD_KINDS;
}

static bool secret_ok(const struct record *r)
{
	const struct ev_secret *e = r->body;

	return e->index < SECRETS_MAX && e->kind < SECRET_KINDS &&
	       r->h->len < sizeof(((struct secret *)0)->name);
}

static bool file_ok(const struct record *r)
{
	const struct ev_file *e = r->body;

	return e->comps <= EV_COMPS && e->action < FILE_ACTIONS &&
	       !e->asked[sizeof(e->asked) - 1] && r->h->len == e->comps * sizeof(struct ev_comp) &&
	       comps_ok(r->tail, e->comps);
}

static bool lineage_ok(const struct record *r)
{
	const struct ev_lineage *e = r->body;

	for (unsigned i = 0; i < EV_GROUPS; i++)
		if (e->group[i][EV_GROUP_MAX - 1])
			return false;
	return e->ancestors <= EV_ANCESTORS && e->groups <= EV_GROUPS && e->steps <= EV_COMPS &&
	       r->h->len == e->steps * sizeof(struct ev_comp) && comps_ok(r->tail, e->steps);
}

static bool hash_ok(const struct record *r)
{
	return ((const struct ev_hash *)r->body)->status < HASH_STATUSES && r->h->len < PATH_MAX;
}

static bool unseen_ok(const struct record *r)
{
	return r->h->len && r->h->len <= EV_UNSEEN_MAX;
}

static bool dockerfile_ok(const struct record *r)
{
	return r->h->len <= EV_DATA_MAX;
}

static bool attempt_ok(const struct record *r)
{
	const struct ev_attempt *e = r->body;

	return e->error && e->error < 4096 /* MAX_ERRNO */ && e->file_len &&
	       r->h->len <= EV_ATTEMPT_MAX && (size_t)e->file_len + e->args_len == r->h->len &&
	       !r->tail[e->file_len - 1];
}

/* What of a body and its tail must add up; the others have nothing that could not. */
static bool (*const checks[EV_TYPES])(const struct record *r) = {
	[EV_EXEC] = exec_ok,       [EV_CONNECT] = connect_ok, [EV_DATA] = data_ok,
	[EV_ENV] = env_ok,         [EV_CODE] = code_ok,       [EV_STACK] = stack_ok,
	[EV_ATTACK] = attack_ok,   [EV_TEST] = test_ok,       [EV_LINK] = link_ok,
	[EV_PEEK] = peek_ok,       [EV_WRITE] = write_ok,     [EV_LEAK] = leak_ok,
	[EV_SECRET] = secret_ok,   [EV_FILE] = file_ok,       [EV_LINEAGE] = lineage_ok,
	[EV_HASH] = hash_ok,       [EV_UNSEEN] = unseen_ok,   [EV_DOCKERFILE] = dockerfile_ok,
	[EV_ATTEMPT] = attempt_ok,
};

bool record_decode(void *bytes, size_t n, struct record *r)
{
	const struct ev_hdr *h = bytes;

	if (n < sizeof(*h) || h->type == EV_UNKNOWN || h->type >= EV_TYPES)
		return false;
	if (n - sizeof(*h) < types[h->type].body || n - sizeof(*h) - types[h->type].body < h->len ||
	    h->want < h->len)
		return false;
	r->h = h;
	r->body = h + 1;
	r->tail = (char *)bytes + sizeof(*h) + types[h->type].body;
	return !checks[h->type] || checks[h->type](r);
}

void exec_parts(const struct record *r, struct exec_parts *p)
{
	const struct ev_exec *e = r->body;

	p->exe = (const void *)r->tail;
	p->cwd = p->exe + e->exe_comps;
	p->file = (char *)(p->cwd + e->cwd_comps);
	p->args = p->file + e->file_len;
	p->env = p->args + e->args_len;
}
