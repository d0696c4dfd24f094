/* stream.h: facts and alerts as Elastic Common Schema JSON Lines (INTERFACE.md); sequence numbers; sinks. */
#ifndef INVIGIL_STREAM_H
#define INVIGIL_STREAM_H

#include "alert.h"
#include "jsonw.h"

#define INVIGIL_VERSION "0.1.0"
#define ECS_VERSION     "9.4.0"

/* Takes one whole line with its '\n'. Returns 0 or -errno; the stream counts failures and goes on. */
typedef int stream_sink(void *ctx, const char *line, size_t len);

/* What event.{kind,category,type,action,dataset} of a line say. */
struct frame {
	const char *kind, *category, *type, *type2, *action, *dataset;
};

struct stream {
	const struct run *run;
	bool alerts_only;
	uint64_t sequence;        /* of the full stream */
	uint64_t output_sequence; /* of a reduced one */
	uint64_t written, failed;
	int error;         /* first -errno of the sink, 0 none */
	stream_sink *sink; /* NULL: nothing is written, numbers still count */
	void *sink_ctx;
	struct buf line, prefix, id; /* stream.c */
	struct frame frame;          /* of the last line: most are as the one before */
	struct buf frame_json;       /* its members */
	struct jsonw json;
};

/* What the run-end event says beyond the run and the alerts. */
struct run_result {
	const char *verdict; /* of --fail-on: "passed", "tripped", "off" */
	const char *fail_on;
	const struct alerts *alerts;
	struct span *left_objects; /* "container abc (name)" */
	unsigned n_left_objects;
	const struct process **left_processes;
	unsigned n_left_processes;
};

void stream_init(struct stream *s, const struct run *r, bool alerts_only, stream_sink *sink,
		 void *ctx);
void stream_free(struct stream *s);
/* The event line of a fact, with its info findings; every fact kind but RUN_END. May write nothing (facts that have no line). */
void stream_fact(struct stream *s, const struct fact *f, const struct report *findings);
/* An alert's own line. repeat: said at the end of the run, with count and first/last. */
void stream_alert(struct stream *s, const struct alert *a, const struct fact *f, bool repeat);
void stream_run_end(struct stream *s, const struct fact *f, const struct run_result *r);

#endif
