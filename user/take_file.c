/* take_file.c: files that the run opens, changes, renames and removes, and which of them are logs. */
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include "pipeline_state.h"

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

/* What was known of it before, and what is known of it now. */
static void file_learn(struct pipeline *p, const struct ev_file *e, struct fact *f)
{
	struct file_known *known = file_find(&p->files, e->dev, e->ino);

	/* A number that was given again is another file. */
	if (known && f->file.created) {
		file_forget(&p->files, e->dev, e->ino);
		known = NULL;
	}
	f->file.owner = (known && known->created) || f->file.created ? OWNER_OWN
			: p->files.full || p->run.lost[EV_FILE]      ? OWNER_UNKNOWN
								     : OWNER_FOREIGN;
	if (known) {
		f->file.secret = known->secret;
		f->file.before = true;
		f->file.old_mode = known->mode;
		f->file.old_uid = known->uid;
		f->file.old_gid = known->gid;
		f->file.old_size = known->size;
	}
	if (e->action == FILE_REMOVE && e->nlink <= 1) {
		file_forget(&p->files, e->dev, e->ino);
		return;
	}
	known = file_note(&p->files, e->dev, e->ino);
	if (!known)
		return;
	known->created |= f->file.created;
	known->mode = f->file.mode;
	known->uid = f->file.uid;
	known->gid = f->file.gid;
	known->size = f->file.size;
}

/* A package's first file tells that the process imports it; nothing else is to be said of it. */
static bool is_import(struct process *process, const char *path)
{
	static const struct {
		const char *package;
		unsigned library;
	} packages[] = {
		{ "docker", LIBRARY_DOCKER },         { "botocore", LIBRARY_AWS },
		{ "requests", LIBRARY_REQUESTS },     { "paramiko", LIBRARY_SSH },
		{ "kubernetes", LIBRARY_KUBERNETES },
	};
	const char *leaf = strrchr(path, '/'), *dir;

	if (!leaf || strncmp(leaf, "/__init__.", 10))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		size_t n = strlen(packages[i].package);

		dir = leaf;
		if (dir - path >= 12 && !memcmp(dir - 12, "/__pycache__", 12))
			dir -= 12;
		if ((size_t)(dir - path) > n && dir[-1 - (long)n] == '/' &&
		    !memcmp(dir - n, packages[i].package, n))
			process->libraries |= packages[i].library;
	}
	return true;
}

/* One call may set an inode's time more than once: what tells nothing new is not told again. */
static bool is_repeat(struct pipeline *p, const struct record *r)
{
	const struct ev_file *e = r->body;
	const struct ev_comp *c = (const void *)r->tail;
	struct file_last now = {
		.pid = r->h->pid,
		.tid = r->h->tid,
		.action = e->action,
		.dev = e->dev,
		.ino = e->ino,
		.size = e->size,

		.mode = c->mode,
		.uid = c->uid,
		.gid = c->gid,
	};
	bool same = !memcmp(&now, &p->last_file, sizeof(now));

	p->last_file = now;
	return same && e->action != FILE_OPEN && e->action != FILE_READ;
}

/* A program of the run's own making became executable: nobody's concern, wherever it came from. */
static bool is_ordinary_chmod(const struct fact *f)
{
	return f->file.action == FILE_CHMOD && !f->file.is_log && !f->file.origin &&
	       !(f->file.mode & (S_ISUID | S_ISGID));
}

/* Nobody opened it for this record: it tells nothing of who created or changes it. */
static void take_startup(struct pipeline *p, const struct ev_file *e, struct fact *f)
{
	f->file.variable = e->asked;
	fact_emit(p, f);
}

void take_file(struct pipeline *p, const struct record *r)
{
	const struct ev_file *e = r->body;
	const struct ev_comp *c = (const void *)r->tail;
	struct fact f = { .kind = FACT_FILE, .time = wall(p, r->h->time) };
	struct process *process;

	/* It is for who attaches probes. */
	if ((e->flags & (FILE_LIBRARY | FILE_MODULE | FILE_SCRIPT)) == FILE_LIBRARY)
		return;
	if (!e->comps || is_repeat(p, r))
		return;
	/* It may have ended since it was asked about. */
	f.process = process = e->action == FILE_STARTUP
				      ? table_known(p->table, r->h->pid, r->h->start)
				      : process_of(p, r);
	if (!process)
		return;
	path_from_comps(&f.file.path, c, e->comps, e->flags & FILE_CUT_PATH);
	if (e->action == FILE_READ && is_import(process, f.file.path.text)) {
		path_free(&f.file.path);
		return;
	}
	f.file.action = e->action;
	f.file.mode = c[0].mode;
	f.file.uid = c[0].uid;
	f.file.gid = c[0].gid;
	f.file.nlink = e->nlink;
	f.file.size = e->size;
	f.file.dir_mode = e->comps > 1 ? c[1].mode : 0755;
	f.file.dir_uid = e->comps > 1 ? c[1].uid : 0;
	f.file.dir_gid = e->comps > 1 ? c[1].gid : 0;
	f.file.ino = e->ino;
	f.file.dev = e->dev;
	f.file.open_flags = e->open_flags;
	f.file.created = e->flags & FILE_CREATED;
	f.file.is_log = is_log(p, f.file.path.text);
	f.file.origin = provenance_find(p->provenance, e->dev, e->ino);
	if (e->flags & FILE_MODULE) {
		take_module(p, process, &f);
	} else if (e->action == FILE_STARTUP) {
		take_startup(p, e, &f);
	} else if (e->flags & FILE_SCRIPT) {
		flow_script(p, process, &f);
	} else {
		if (e->action == FILE_OPEN)
			provenance_write(p->provenance, process, r->h->time, e->dev, e->ino,
					 f.file.path.text,
					 f.file.created || e->open_flags & O_TRUNC);
		else if (e->action == FILE_RENAME)
			provenance_rename(p->provenance, e->dev, e->ino, f.file.path.text);
		file_learn(p, e, &f);
		if (!is_ordinary_chmod(&f))
			fact_emit(p, &f);
		if (e->action == FILE_OPEN && (f.file.is_log || is_log(p, e->asked)))
			link_suspect(p, r, &f);
		if (f.file.is_log && e->action == FILE_OPEN && p->live.log)
			p->live.log(p->live.ctx, e->ino, e->dev);
	}
	path_free(&f.file.path);
}
