/* take_env.c: environment variables that the run reads: single ones at first sight, walks as one. */
#include <string.h>
#include "env_name.h"
#include "env_walk.h"
#include "pipeline_state.h"

/* A name that so far only libraries asked for: what the script itself asks for is told once more. */
static void library_key(struct span name, struct buf *key)
{
	buf_str(key, "=="); /* no name holds one */
	buf_add(key, name.ptr, name.len);
}

static void library_note(struct process *process, struct span name)
{
	struct buf key = { 0 };

	library_key(name, &key);
	process_first_read(process, (struct span){ key.ptr, key.len });
	buf_free(&key);
}

static bool first_of_script(struct process *process, struct span name, const struct source *source)
{
	struct buf key = { 0 };
	bool first;

	if (!source || source->library)
		return false;
	library_key(name, &key);
	first = process_has_read(process, (struct span){ key.ptr, key.len });
	if (first)
		process_read_forget(process, (struct span){ key.ptr, key.len });
	buf_free(&key);
	return first;
}

/* Process after process reads the same names. */
static const struct env_said *said_of(struct pipeline *p, struct span name, unsigned mechanism)
{
	uint64_t hash = mechanism;
	struct env_said *s;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (uint8_t)name.ptr[i]) * 0x100000001b3u; /* FNV-1a's */
	s = &p->env_said[(hash ^ hash >> 20) % ARRAY_SIZE(p->env_said)];
	if (s->len && s->mechanism == mechanism && s->len == name.len &&
	    !memcmp(s->name, name.ptr, s->len))
		return s;
	*s = (struct env_said){ .mechanism = (uint16_t)mechanism };
	if (name.len && name.len <= sizeof(s->name)) {
		s->len = (uint16_t)name.len;
		memcpy(s->name, name.ptr, name.len);
	}
	s->sensitive = name_is_sensitive(&p->run.masker, name);
	s->startup = env_read_is_startup(name, mechanism);
	s->librarys = env_read_is_librarys(name, mechanism);
	s->usual = env_name_class(name) != ENV_NAME_OTHER;
	return s;
}

static void read_tell(struct pipeline *p, struct process *process, uint64_t time, struct span name,
		      unsigned mechanism, const struct source *source)
{
	struct fact f = { .kind = FACT_ENV, .time = time, .process = process };
	const struct env_said *said = said_of(p, name, mechanism);

	if (source && source->script)
		f.source = source;
	f.env.library = source ? source->library : said->librarys;
	if (f.env.library)
		library_note(process, name);
	f.env.name = name;
	f.env.mechanism = mechanism;
	f.env.found = mechanism == ENV_COPY ? -1 : process_env_has(process, name);
	f.env.sensitive = said->sensitive;
	f.env.usual = said->usual;
	f.env.late = process->env_late;
	fact_emit(p, &f);
}

static void copy_tell(struct pipeline *p, struct process *process, const struct env_walk *w)
{
	struct fact f = { .kind = FACT_ENV, .time = w->read[0].time, .process = process };

	if (w->read[0].source && w->read[0].source->script)
		f.source = w->read[0].source;
	f.env.mechanism = ENV_COPY;
	f.env.found = -1;
	f.env.count = w->n;
	f.env.late = process->env_late;
	process->copy_place[process->copies++ % ARRAY_SIZE(process->copy_place)] = w->place;
	/*
	 * The kernel tells a name once from one place, and of these reads no place is known: what it tells
	 * again it had to forget, and that may be of another copy.
	 */
	if (w->mechanism == ENV_GETENV)
		process->env_unseen = "single reads behind a copy of all are not told from it";
	/* One of them that is read by itself later is told. */
	for (unsigned i = 0; w->mechanism != ENV_GETENV && i < w->n; i++)
		process_read_forget(process, w->read[i].name);
	fact_emit(p, &f);
}

void env_settle(struct pipeline *p, struct process *process)
{
	struct env_walk *w = process->walk;

	if (!w)
		return;
	process->walk = NULL;
	p->walks--;
	if (env_walk_is_copy(w))
		copy_tell(p, process, w);
	else
		for (unsigned i = 0; i < w->n; i++)
			read_tell(p, process, w->read[i].time, w->read[i].name, w->mechanism,
				  w->read[i].source);
	env_walk_free(w);
}

/* What such a process read before is not known: all that is told of it says so. */
void take_late(struct pipeline *p, const struct record *r)
{
	const struct ev_late *e = r->body;
	struct process *process = table_known(p->table, e->pid, e->start);

	if (process && !process->ended)
		process->env_late = true;
}

/* Apart from what was told: the program itself may read the same name later. */
static void startup_count(struct process *process, struct span name)
{
	struct buf key = { 0 };

	buf_byte(&key, '='); /* no name holds one */
	buf_add(&key, name.ptr, name.len);
	process->env_startup += process_first_read(process, (struct span){ key.ptr, key.len });
	buf_free(&key);
}

/* Where in the script it is read, by runtimes that read one name after the other to copy all; 0: no such one. */
static uint32_t walk_place(const struct process *process, const struct ev_env *e)
{
	if (e->mechanism == ENV_PYTHON)
		return e->place;
	return e->mechanism == ENV_GETENV && process->name && !strcmp(process->name, "node")
		       ? ENV_PLACE_NODE
		       : 0;
}

void take_env(struct pipeline *p, const struct record *r)
{
	const struct ev_env *e = r->body;
	struct process *process = process_of(p, r);
	struct span name = { r->tail, r->h->len };
	uint64_t time = wall(p, r->h->time);
	uint32_t place = walk_place(process, e);
	bool python = e->mechanism == ENV_PYTHON, walks = python || place;
	struct source *source = source_of_record(p, r, e->stack);
	const struct env_said *said;

	/* A shell looks at its own variables the same way. */
	if (e->mechanism == ENV_SHELL && process_env_has(process, name) != 1)
		return;
	process->env_reads++;
	process->env_shell_reads += e->mechanism == ENV_SHELL;
	if (!walks || !env_walk_follows(process, name, place))
		env_settle(p, process);
	/* The kernel forgets, when it must, what it has told. */
	if (python && env_walk_known(process, e->place))
		return;
	said = said_of(p, name, e->mechanism);
	if (said->startup && !said->sensitive) {
		startup_count(process, name);
		return;
	}
	if (!process_first_read(process, name) && !first_of_script(process, name, source))
		return;
	if (walks && env_walk_take(process, name, e->mechanism, place, time, source)) {
		p->walks += process->walk->n == 1;
		return;
	}
	env_settle(p, process);
	read_tell(p, process, time, name, e->mechanism, source);
}
