/* scrape.h: answers who asks for the metrics over HTTP; nobody is waited for. */
#ifndef INVIGIL_SCRAPE_H
#define INVIGIL_SCRAPE_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>
#include "buf.h"

#define SCRAPE_FDS 9

struct scrape;

/* address: "unix:PATH", "127.0.0.1:PORT" or "[::1]:PORT"; group: whose members may read the former. NULL after printing why. */
struct scrape *scrape_open(const char *address, gid_t group, void (*metrics)(struct buf *out));
/* Fills fds for poll(2); returns how many. s may be NULL, here and below. */
unsigned scrape_fds(const struct scrape *s, struct pollfd fds[SCRAPE_FDS]);
void scrape_serve(struct scrape *s, uint64_t now);
uint64_t scrape_refused(const struct scrape *s); /* clients that were too many, or too slow */
void scrape_close(struct scrape *s);

#endif
