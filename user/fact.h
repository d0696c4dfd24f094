/* fact.h: what the pipeline concludes from events and hands to detectors and the stream. */
#ifndef INVIGIL_FACT_H
#define INVIGIL_FACT_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "docker.h"
#include "plumbing.h"
#include "process.h"
#include "provenance.h"
#include "run.h"
#include "source.h"
#include "test_case.h"

enum fact_kind {
	FACT_RUN_START = 1 << 0,
	FACT_RUN_END = 1 << 1,
	FACT_EXEC = 1 << 2,
	FACT_EXIT = 1 << 3,
	FACT_ENV = 1 << 4,
	FACT_CONNECT = 1 << 5, /* to a container engine, or to something not told yet */
	FACT_DOCKER = 1 << 6,  /* request and response of one API call */
	FACT_FILE = 1 << 7,    /* a file opened, changed, renamed or removed */
	FACT_HEALTH = 1 << 8,  /* gap, loss, missed start, cut stream */
	FACT_SCRIPT = 1 << 9,  /* an interpreter opened the script that it was given */
	FACT_FED = 1 << 10,    /* an interpreter reads its program from a pipe that others fill */
	FACT_INET = 1 << 11,   /* a shell connected to the network by itself */
	FACT_PEEK = 1 << 12,   /* a process looks into another's environment or memory */
	FACT_LEAK = 1 << 13,   /* a secret was written where others see it */
	FACT_HASH = 1 << 14,   /* a program that a finding is about was hashed */
	FACT_ATTEMPT =
		1
		<< 15, /* a program was to be executed and was not; the process is as it would be */
};

/* Of a process to the one that looks into it. */
enum relation { RELATION_SELF, RELATION_DESCENDANT, RELATION_MEMBER, RELATION_OUTSIDE, RELATIONS };
enum leak_where {
	LEAK_LOG,
	LEAK_OUTPUT, /* of the run: its standard output or error */
	LEAK_NETWORK
};

enum health_kind {
	HEALTH_LOST,
	HEALTH_GAP,
	HEALTH_CUT,
	HEALTH_MISSED,
	HEALTH_ATTACK,
	HEALTH_CLAIM
};

struct fact {
	enum fact_kind kind;
	uint64_t time;                 /* unix ns */
	const struct run *run;         /* never NULL */
	const struct process *process; /* NULL for run and health facts */
	const struct test_case *test;  /* inside which it happened; or NULL */
	struct span container_name,
		container_image;     /* of the process's container, as far as known */
	const struct source *source; /* its own, else that of what started the process; or NULL */
	union {
		struct {
			struct span name;
			unsigned mechanism; /* enum ev_env_mechanism */
			int found;          /* 1, 0, -1 unknown */
			bool sensitive;
			bool usual;     /* everybody reads it */
			bool library;   /* asked for by a library of the script's, not by itself */
			bool late;      /* probes came after the program had started */
			unsigned count; /* a copy: of so many variables; 0: of all there are */
		} env;
		struct {
			struct span
				address; /* what the engine listens on: path, or host:port; empty unknown */
			struct span asked; /* path the client gave; empty unknown */
			int error;         /* 0 or errno */
			uint16_t family;
			uint16_t port;
			uint32_t listener_pid;
			const char *listener_name;
			bool verified; /* the kernel identified the peer as a known engine socket */
			bool late;     /* seen at first I/O only */
			enum docker_way way;
		} connect;
		struct docker_call docker;
		struct {
			enum leak_where where;
			const char *path; /* of a log, as of its open; NULL unknown, or no log */
			const struct secret *secret;
		} leak;
		struct {
			const struct written *origin; /* the run wrote the file executed; or NULL */
			const struct written *input;  /* ... what it reads its program from */
			const struct written *startup; /* a start-up variable's file; or NULL */
			const char *variable;
		} exec;
		struct {
			unsigned error; /* errno */
			bool look;      /* not the kernel's answer: so the file looked */
		} attempt;
		struct {
			struct span path;
			uint64_t size;
			unsigned status; /* enum hash_status */
			const uint8_t *sha256;
		} hash;
		const struct pipe_line *line; /* of FACT_FED; the interpreter is the last of it */
		struct {
			struct path path;        /* steps as of the action */
			unsigned action;         /* enum ev_file_action */
			uint32_t mode, uid, gid; /* after it */
			bool before;             /* what stood before it is known */
			uint32_t old_mode, old_uid, old_gid;
			uint64_t size, old_size;
			uint32_t nlink;
			uint32_t dir_mode, dir_uid, dir_gid;
			uint64_t ino;
			uint32_t dev;
			uint32_t open_flags;
			bool created;
			enum owner owner;             /* did the run create it? */
			bool secret;                  /* the run wrote one to it */
			bool is_log;                  /* by name, directory or configuration */
			const char *variable;         /* of FILE_STARTUP: points at it */
			const struct written *origin; /* of a script that the run wrote; or NULL */
		} file;
		struct {
			unsigned how; /* enum ev_peek_how */
			uint32_t target_pid;
			const char *target_comm;
			const struct process *target; /* NULL outside the run */
			enum relation relation;
			bool agent; /* a CI service's own program */
		} peek;
		struct {
			enum health_kind what;
			struct span hook, reason, effect;
			uint64_t count;
			const char *type; /* of the lost records */
			bool incomplete;  /* makes the run incomplete */
		} health;
		struct {
			int status; /* wait(2) status of COMMAND; -1 unknown */
		} end;
	};
};

#endif
