/* ecs_job.c: the CI job of a run, under OpenTelemetry's names. */
#include <string.h>
#include "ecs.h"

#define DOTTED_MAX 64 /* of a path of ci.c */

/*
 * Rows that share an object stand together in the table, so one walk nests them: close what the next
 * path is not in, open what it needs, write its last word. open: the path whose objects are open.
 */
static void dotted_open(struct jsonw *j, const char *open, const char *path)
{
	size_t same = 0;

	for (size_t i = 0; open[i] && open[i] == path[i]; i++)
		if (open[i] == '.')
			same = i + 1;
	for (const char *dot = strchr(open + same, '.'); dot; dot = strchr(dot + 1, '.'))
		jsonw_close(j);
	for (const char *word = path + same, *dot; (dot = strchr(word, '.')); word = dot + 1) {
		char key[DOTTED_MAX];

		memcpy(key, word, dot - word);
		key[dot - word] = 0;
		jsonw_obj(j, key);
	}
}

void ecs_job(struct jsonw *j, const struct run *run)
{
	const char *open = "", *path;

	for (unsigned i = 0; run->ci && i < CI_FIELDS && (path = run->ci->fields[i].path); i++) {
		if (!run->ci_values[i])
			continue;
		dotted_open(j, open, path);
		jsonw_str(j, strrchr(path, '.') + 1, run->ci_values[i]);
		open = path;
	}
	dotted_open(j, open, "");
}
