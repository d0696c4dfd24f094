/* ecs_rule.c: a rule and its technique as ECS field sets. */
#include <string.h>
#include "ecs.h"
#include "stream.h"

/* One page to read: the technique's, else the weakness's, else the first reference as it is. */
static void reference_write(struct jsonw *j, const struct rule *r)
{
	const struct technique *t = &r->technique;
	const char *refs = r->references ? r->references : "", *cwe = strstr(refs, "CWE-");
	const char *id = t->sub_id ? t->sub_id : t->id, *dot = id ? strchr(id, '.') : NULL;

	if (dot)
		jsonw_fmt(j, "reference", "https://attack.mitre.org/techniques/%.*s/%s/",
			  (int)(dot - id), id, dot + 1);
	else if (id)
		jsonw_fmt(j, "reference", "https://attack.mitre.org/techniques/%s/", id);
	else if (cwe)
		jsonw_fmt(j, "reference", "https://cwe.mitre.org/data/definitions/%.*s.html",
			  (int)strspn(cwe + 4, "0123456789"), cwe + 4);
	else if (*refs)
		jsonw_fmt(j, "reference", "%.*s", (int)strcspn(refs, " "), refs);
}

void ecs_rule(struct jsonw *j, const struct rule *r)
{
	jsonw_obj(j, "rule");
	jsonw_str(j, "id", r->id);
	jsonw_str(j, "name", r->name);
	if (r->risk < RISKS)
		jsonw_str(j, "category", categories[r->risk].name);
	jsonw_str(j, "description", r->description);
	reference_write(j, r);
	jsonw_str(j, "ruleset", "invigil");
	jsonw_str(j, "version", INVIGIL_VERSION);
	jsonw_close(j);
}

/* ECS has these as arrays. */
static void one_write(struct jsonw *j, const char *key, const char *text)
{
	if (!text)
		return;
	jsonw_arr(j, key);
	jsonw_str(j, NULL, text);
	jsonw_close(j);
}

void ecs_threat(struct jsonw *j, const struct rule *r)
{
	const struct technique *t = &r->technique;

	if (!t->id)
		return;
	jsonw_obj(j, "threat");
	jsonw_str(j, "framework", "MITRE ATT&CK");
	jsonw_obj(j, "tactic");
	one_write(j, "id", t->tactic_id);
	one_write(j, "name", t->tactic);
	jsonw_close(j);
	jsonw_obj(j, "technique");
	one_write(j, "id", t->id);
	one_write(j, "name", t->name);
	if (t->sub_id) {
		jsonw_obj(j, "subtechnique");
		one_write(j, "id", t->sub_id);
		one_write(j, "name", t->sub_name);
		jsonw_close(j);
	}
	jsonw_close(j);
	jsonw_close(j);
}
