/* plain_object.h: the packed BPF object for kernels without loops and task storage. */
#ifndef INVIGIL_PLAIN_OBJECT_H
#define INVIGIL_PLAIN_OBJECT_H

#include "buf.h"

struct span plain_object(void); /* gzip */

#endif
