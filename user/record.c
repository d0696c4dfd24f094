/* record.c: decode of event records; trusts nothing and rejects what does not add up. */
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

size_t record_size(const struct record *r)
{
	return sizeof(*r->h) + types[r->h->type].body + r->h->len;
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

static bool body_ok(const struct record *r)
{
	switch (r->h->type) {
	case EV_EXEC:
		return exec_ok(r);
	case EV_CONNECT: {
		const struct ev_connect *e = r->body;

		return r->h->len == 2 * EV_SUN_MAX && e->name_len <= EV_SUN_MAX &&
		       e->asked_len <= EV_SUN_MAX;
	}
	case EV_DATA: {
		const struct ev_data *e = r->body;

		return r->h->len <= EV_DATA_MAX && e->dir <= DATA_RECV;
	}
	case EV_ENV: {
		const struct ev_env *e = r->body;

		return r->h->len <= EV_VAR_MAX && e->mechanism < ENV_MECHANISMS;
	}
	case EV_CODE:
		return code_ok(r);
	case EV_STACK:
		return stack_ok(r);
	case EV_ATTACK: {
		const struct ev_attack *e = r->body;

		return !r->h->len && e->target < ATTACK_TARGETS && e->how < ATTACK_HOWS;
	}
	case EV_TEST:
		return r->h->len < EV_TEST_MAX;
	case EV_LINK:
		return r->h->len && r->h->len <= EV_COMPS * EV_NAME_MAX;
	case EV_PEEK: {
		const struct ev_peek *e = r->body;

		return !r->h->len && e->how < PEEK_HOWS;
	}
	case EV_WRITE: {
		const struct ev_write *e = r->body;

		return r->h->len <= EV_DATA_MAX && e->kind < FD_KINDS;
	}
	case EV_LEAK: {
		const struct ev_leak *e = r->body;

		return !r->h->len && e->secret < SECRETS_MAX && e->kind < FD_KINDS;
	}
	case EV_SECRET: {
		const struct ev_secret *e = r->body;

		return e->index < SECRETS_MAX && e->kind < SECRET_KINDS &&
		       r->h->len < sizeof(((struct secret *)0)->name);
	}
	case EV_FILE: {
		const struct ev_file *e = r->body;

		return e->comps <= EV_COMPS && e->action < FILE_ACTIONS &&
		       !e->asked[sizeof(e->asked) - 1] &&
		       r->h->len == e->comps * sizeof(struct ev_comp) &&
		       comps_ok(r->tail, e->comps);
	}
	}
	return true;
}

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
	return body_ok(r);
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
