/* recording.h: the file of scrubbed records that --record writes and replay reads. */
#ifndef INVIGIL_RECORDING_H
#define INVIGIL_RECORDING_H

#include <stdio.h>
#include "record.h"

/* Layout: magic (16 bytes), u32 version, u32 ABI; then u32 size + record, repeated; then u32 0. */
#define RECORDING_MAGIC      "invigil record\n"
#define RECORDING_VERSION    1
#define RECORDING_RECORD_MAX (1u << 20)

int recording_begin(FILE *f);                       /* 0 or -errno */
int recording_add(FILE *f, const struct record *r); /* 0 or -errno */
int recording_end(FILE *f);                         /* 0 or -errno */

enum recording_next { RECORDING_RECORD, RECORDING_END, RECORDING_CUT, RECORDING_BAD };
/* Checks the head. NULL when it is one, otherwise what is wrong with it. */
const char *recording_open(FILE *f);
/* buf: RECORDING_RECORD_MAX bytes, aligned to 8. *size gets the number of bytes read. */
enum recording_next recording_read(FILE *f, void *buf, size_t *size);

#endif
