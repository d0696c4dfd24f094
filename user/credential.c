/* credential.c: the docker client's credentials, where a variable says that they lie. */
#include "credential.h"

bool credential_is_dockers(const struct process *p, struct span path)
{
	struct buf place = { 0 };
	bool same = false;

	for (; p && !same; p = p->parent) {
		struct span dir = process_env_value(p, "DOCKER_CONFIG");

		if (!dir.len)
			continue;
		buf_reset(&place);
		path_resolve(dir, p->cwd.cut ? NULL : p->cwd.text, &place);
		buf_str(&place, "/config.json");
		same = span_eq_span((struct span){ place.ptr, place.len }, path);
	}
	buf_free(&place);
	return same;
}
