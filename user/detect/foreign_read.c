/* foreign_read.c: R1.5, R1.6, R1.9, R1.10: reads of another process's environment or memory. */
#include <string.h>
#include "detect.h"

/* Installed by the distribution: what bears that name elsewhere may be anything. */
static bool lists_processes(const struct process *p)
{
	static const char *const places[] = { "/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/" };
	const struct path_step *leaf;

	if (!(p->roles & ROLE_LISTING) || !p->exe.text || p->exe.cut || !p->exe.steps)
		return false;
	leaf = &p->exe.step[p->exe.steps - 1];
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (span_starts(span_of(p->exe.text), places[i]))
			return !leaf->uid && !(leaf->mode & 022);
	return false;
}

/*
 * The others open one only when they are told to; ps opens them all whatever it is asked for. It
 * prints them for the letter e among options without a dash; -e is something else.
 */
static bool environments_asked(const struct process *p)
{
	static const char operand_of_dash[] = "oOpuUCgGtsqk", operand_of_word[] = "oOptUqk";
	bool operand = false;

	if (!p->name || strcmp(p->name, "ps"))
		return true;
	for (unsigned i = 1; i < p->argc && i < 64; i++) {
		struct span a = process_arg(p, i);
		bool dash = a.len && a.ptr[0] == '-', word = a.len && !operand && !dash;

		for (size_t k = 0; k < a.len; k++)
			word = word && ((a.ptr[k] | 32) >= 'a' && (a.ptr[k] | 32) <= 'z');
		if (word && memchr(a.ptr, 'e', a.len))
			return true;
		operand = !operand && a.len &&
			  ((dash && strchr(operand_of_dash, a.ptr[a.len - 1])) ||
			   (word && strchr(operand_of_word, a.ptr[a.len - 1])));
	}
	return false;
}

static void look(const struct fact *f, struct report *out)
{
	static const char *const relations[RELATIONS] = {
		[RELATION_DESCENDANT] = "a descendant",
		[RELATION_MEMBER] = "another process of the run",
		[RELATION_OUTSIDE] = "a process outside the run",
	};
	struct span name = span_of(f->peek.target_comm);
	const char *whose = relations[f->peek.relation];
	bool descends = f->peek.relation == RELATION_DESCENDANT;
	uint32_t pid = f->peek.target_pid;

	if (f->peek.relation == RELATION_SELF || !f->process)
		return;
	if (f->peek.how != PEEK_ENVIRON)
		finding(out, descends ? "R1.10" : "R1.9", name, "memory of %.*s (pid %u, %s)",
			SPANF(name), pid, whose);
	else if (descends)
		return;
	else if (f->peek.agent)
		finding(out, "R1.9", name, "environment of the CI agent %.*s (pid %u)", SPANF(name),
			pid);
	else if (lists_processes(f->process) && !environments_asked(f->process))
		return;
	else if (lists_processes(f->process))
		finding(out, "R1.6", SPAN(""), "%s reads the environment of %.*s (pid %u, %s)",
			f->process->name, SPANF(name), pid, whose);
	else
		finding(out, "R1.5", name, "environment of %.*s (pid %u, %s)", SPANF(name), pid,
			whose);
}

const struct detector detect_foreign_read = { RISK_ENVIRONMENT_READ, FACT_PEEK, look };
