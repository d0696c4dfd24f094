/* take_file.c: files that the run opens, and which of them are logs. */
#include <fcntl.h>
#include <fnmatch.h>
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

void take_file(struct pipeline *p, const struct record *r)
{
	const struct ev_file *e = r->body;
	const struct ev_comp *c = (const void *)r->tail;
	struct fact f = { .kind = FACT_FILE, .time = wall(p, r->h->time) };

	struct process *process;

	if (!e->comps)
		return;
	f.process = process = process_of(p, r);
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
	if (e->flags & FILE_SCRIPT) {
		flow_script(p, process, &f);
	} else {
		provenance_write(p->provenance, process, r->h->time, e->dev, e->ino,
				 f.file.path.text, f.file.created || e->open_flags & O_TRUNC);
		fact_emit(p, &f);
	}
	path_free(&f.file.path);
}
