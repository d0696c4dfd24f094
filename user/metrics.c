/* metrics.c: the one table of metrics; docs/invigil.8 lists the same names, which tests/lint.sh compares. */
#include <stddef.h>
#include "metrics.h"
#include "record.h"
#include "stream.h"

static const char *severity(unsigned i)
{
	return severity_text(i);
}

static const struct metric {
	const char *name, *type, *help;
	size_t offset;
	const char *label; /* NULL: one value, else n of them */
	const char *(*value)(unsigned i);
	unsigned n;
	bool nanoseconds; /* shown as seconds */
} table[] = {
#define AT(member) offsetof(struct metrics, member)
#define ONE        NULL, NULL, 1
	{ "invigil_start_time_seconds", "gauge", "When the daemon began, unix time.", AT(began_s),
	  ONE, false },
	{ "invigil_runs_active", "gauge", "Runs that are watched now.", AT(runs_active), ONE,
	  false },
	{ "invigil_runs_ended_total", "counter", "Runs that ended.", AT(runs_ended), ONE, false },
	{ "invigil_runs_incomplete_total", "counter",
	  "Runs that ended of which something was not seen.", AT(runs_incomplete), ONE, false },
	{ "invigil_runs_refused_total", "counter", "Runs that were too many.", AT(runs_refused),
	  ONE, false },
	{ "invigil_execs_total", "counter", "Programs that runs executed.", AT(execs), ONE, false },
	{ "invigil_engine_calls_total", "counter", "Requests of runs to container engines.",
	  AT(engine_calls), ONE, false },
	{ "invigil_findings_total", "counter", "Findings in runs.", AT(findings), "severity",
	  severity, SEVERITIES, false },
	{ "invigil_records_total", "counter", "Records that came from the kernel.", AT(records),
	  ONE, false },
	{ "invigil_records_lost_total", "counter",
	  "Records, and memberships of runs, that the kernel had no room for.", AT(lost), "type",
	  lost_name, EV_TYPES, false },
	{ "invigil_records_rejected_total", "counter", "Records that were malformed.", AT(rejected),
	  ONE, false },
	{ "invigil_programs_not_looked_at_total", "counter",
	  "Programs in which no probes of environment reads could be attached in time.",
	  AT(not_asked), ONE, false },
	{ "invigil_alerts_dropped_total", "counter", "Alerts beyond the most a run may have.",
	  AT(alerts_dropped), ONE, false },
	{ "invigil_output_lines_total", "counter", "Lines that an output was to take.",
	  AT(lines.seen), ONE, false },
	{ "invigil_output_lines_delivered_total", "counter", "Lines that an output took.",
	  AT(lines.delivered), ONE, false },
	{ "invigil_output_lines_dropped_total", "counter", "Lines that an output did not take.",
	  AT(lines.dropped), ONE, false },
	{ "invigil_output_lines_waiting", "gauge", "Lines that wait to be written.",
	  AT(lines.waiting), ONE, false },
	{ "invigil_scrapes_refused_total", "counter", "Requests for metrics that were too many.",
	  AT(scrapes_refused), ONE, false },
	{ "invigil_reloads_total", "counter", "Configurations that were taken while it ran.",
	  AT(reloads), ONE, false },
	{ "invigil_reloads_refused_total", "counter", "Configurations that were wrong.",
	  AT(reloads_refused), ONE, false },
	{ "process_cpu_seconds_total", "counter", "CPU time of the daemon.", AT(cpu_ns), ONE,
	  true },
	{ "process_resident_memory_bytes", "gauge", "Memory of the daemon.", AT(resident), ONE,
	  false },
	{ "process_open_fds", "gauge", "Descriptors of the daemon.", AT(fds), ONE, false },
#undef AT
#undef ONE
};

void metrics_write(const struct metrics *m, struct buf *out)
{
	buf_str(out, "# HELP invigil_build_info The version that runs.\n"
		     "# TYPE invigil_build_info gauge\n"
		     "invigil_build_info{version=\"" INVIGIL_VERSION "\"} 1\n");
	for (const struct metric *t = table; t < table + ARRAY_SIZE(table); t++) {
		const uint64_t *at = (const uint64_t *)((const char *)m + t->offset);

		buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", t->name, t->help, t->name, t->type);
		for (unsigned i = 0; i < t->n; i++) {
			buf_str(out, t->name);
			if (t->label)
				buf_fmt(out, "{%s=\"%s\"}", t->label, t->value(i));
			if (t->nanoseconds)
				buf_fmt(out, " %llu.%09llu\n",
					(unsigned long long)(at[i] / 1000000000),
					(unsigned long long)(at[i] % 1000000000));
			else
				buf_fmt(out, " %llu\n", (unsigned long long)at[i]);
		}
	}
}
